/** Message texts as elements: formats, links, mentions, code. */

import { append, h } from "../parts/dom.js";
import { parseMarkup } from "../../wire/markup.js";

/** @import { Span } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Draws a text into an element. @param {Element} element @param {App} app @param {string} text @param {string | null} conversation @param {boolean} mine Set for the account's own message, which does not mention it. */
export function renderText(element, app, text, conversation, mine) {
  const settings = app.store.settings();
  if (settings.rawText) {
    element.append(text);
    return;
  }
  const { store } = app;
  const blocks = parseMarkup(text, {
    me: mine ? "" : store.session().account, highlights: mine ? [] : settings.highlights,
    isChannel: (name) => store.conversation(name) !== null, isPerson: (name) => store.isKnown(name),
  });
  blocks.forEach((block, index) => {
    if (block.type === "code") {
      element.append(h("pre", "", { tabIndex: 0 }, h("code", "", null, block.text)));
      return;
    }
    block.lines.forEach((line, number) => {
      if (number > 0 || index > 0 && blocks[index - 1].type === "text") element.append("\n");
      append(element, line.map((span) => spanElement(app, span, conversation)));
    });
  });
}

/** @param {App} app @param {Span} span @param {string | null} conversation */
function spanElement(app, span, conversation) {
  /** @type {Node} */
  let node = document.createTextNode(span.text);
  const wrap = (/** @type {HTMLElement} */ element) => { element.append(node); node = element; };
  if (span.code) wrap(h("code", ""));
  if (span.bold) wrap(h("strong", ""));
  if (span.italic) wrap(h("em", ""));
  if (span.strike) wrap(h("s", ""));
  if (span.underline) wrap(h("u", ""));
  if (span.mention) wrap(h("span", "me"));
  if (span.color || span.background || span.reverse) wrap(coloured(span));
  if (span.href) wrap(h("a", "", { href: span.href, target: "_blank", rel: "noopener noreferrer" }));
  const { channel, person } = span;
  if (person) wrap(h("button", "person", { type: "button", tabIndex: -1, onclick: () => app.openProfile(person) }));
  if (channel && channel !== conversation) wrap(h("button", "link", { type: "button", onclick: () => app.openChannel(channel) }));
  return node;
}

/**
 * Colours of IRC. A text on a background of its sender's keeps its colour; without one it only takes a colour that can
 * be read on the background of the theme.
 * @param {Span} span
 */
function coloured(span) {
  const element = h("span", "");
  const { color, background } = span.reverse ? { color: span.background, background: span.color } : span;
  if (background && color && contrast(color, background) >= 3) {
    element.style.color = color;
    element.style.backgroundColor = background;
  } else if (color && contrast(color, getComputedStyle(document.body).backgroundColor) >= 4.5) {
    element.style.color = color;
  }
  return element;
}

/** Returns the contrast of two colours as WCAG defines it. @param {string} one @param {string} other */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {string} colour As `#rrggbb` or `rgb(r, g, b)`. */
function luminance(colour) {
  const parts = colour.startsWith("#") ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) : (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  const [r = 0, g = 0, b = 0] = parts.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Returns whether a text has nothing but one to five emoji. @param {string} text */
export function isBigEmoji(text) {
  return text.length < 60 && /^(?:\p{RGI_Emoji}\s?){1,5}$/v.test(text);
}
