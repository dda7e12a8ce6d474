/** Messages in lists: results of a search, mentions, bookmarks, pinned messages. */

import { h, iconButton } from "../parts/dom.js";
import { hueOf } from "../parts/people.js";
import { renderText } from "../conversation/markup.js";
import { nameFiles } from "../../wire/files.js";
import { plainText } from "../../wire/markup.js";
import { formatDateTime, formatTime, t } from "../../text/index.js";
import { formatShort } from "../../text/times.js";

/** @import { ListedMessage } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/**
 * Makes the row of a message, which opens it in its conversation.
 * @param {App} app
 * @param {ListedMessage} message
 * @param {{ words?: string[], withConversation?: boolean, onRemove?: () => void, removeLabel?: string }} options
 */
export function resultRow(app, message, options) {
  const text = nameFiles(message.text, message.files);
  const name = app.store.trustedName(message.from) ?? message.from;
  const body = h("div", "body", { dir: "auto" });
  if (message.isGone) body.append(t("refusal.gone"));
  else if (options.words?.length) highlight(body, excerpt(app.store.settings().rawText ? text : plainText(text), options.words), options.words);
  else renderText(body, app, text.length > 600 ? `${text.slice(0, 600)} …` : text, message.conversation, message.mine);
  const open = () => app.open(message.conversation, message.msgid);
  const row = h("article", "result", { onclick: (/** @type {MouseEvent} */ event) => {
    if (!(event.target instanceof Element && event.target.closest("a, button"))) void open();
  } },
  h("header", "", null, h("strong", `truncate coloured hue-${hueOf(message.from)}`, { dir: "auto" }, name),
    options.withConversation ? h("span", "truncate", null, message.conversation) : null, h("span", "spacer"),
    h("button", "link", { type: "button", onclick: open, "aria-label": t("openMessage", { name, time: momentOf(message.time) }) },
      h("time", "", { title: formatDateTime(message.time) }, formatShort(message.time))),
    options.onRemove ? iconButton("close", options.removeLabel ?? "", options.onRemove, "small") : null), body);
  return h("li", "", null, row);
}

/** Returns the time of a message for the label of a button that shows it in short, which has to be part of the label. @param {number} time */
export function momentOf(time) {
  const [short, clock] = [formatShort(time), formatTime(time)];
  return short === clock ? short : `${short}, ${clock}`;
}

/** Moves the focus through messages in a list, or from a field above into it and back. @param {KeyboardEvent} event @param {HTMLElement} [field] */
export function stepThroughResults(event, field) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !(event.currentTarget instanceof Element) || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = /** @type {HTMLElement[]} */ ([...event.currentTarget.querySelectorAll(".result header .link")]);
  const current = document.activeElement?.closest(".result")?.querySelector(".link");
  const at = all.findIndex((one) => one === current);
  const next = at < 0 && step < 0 ? undefined : all[at + step] ?? (step < 0 ? field : undefined);
  if (at >= 0 || next) event.preventDefault();
  next?.focus();
}

/** Cuts a long text around the first word that was found. @param {string} text @param {string[]} words */
function excerpt(text, words) {
  if (text.length < 300) return text;
  const at = Math.min(...words.map((word) => text.toLowerCase().indexOf(word.toLowerCase())).filter((index) => index >= 0), text.length);
  const start = at === text.length ? 0 : Math.max(0, at - 100);
  return `${start ? "… " : ""}${text.slice(start, start + 300)} …`;
}

/** @param {Element} element @param {string} text @param {string[]} words */
function highlight(element, text, words) {
  const lower = text.toLowerCase();
  let at = 0;
  while (at < text.length) {
    const found = words.map((word) => ({ word, index: lower.indexOf(word.toLowerCase(), at) })).filter(({ index }) => index >= 0).sort((a, b) => a.index - b.index)[0];
    if (!found) break;
    element.append(text.slice(at, found.index), h("mark", "", null, text.slice(found.index, found.index + found.word.length)));
    at = found.index + found.word.length;
  }
  element.append(text.slice(at));
}
