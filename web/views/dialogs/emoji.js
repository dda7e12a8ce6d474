/** The emoji picker: by category, by words, and those used lately. */

import { fillWith, h, isNarrow, isTouch } from "../parts/dom.js";
import { openBareDialog } from "../parts/dialog.js";
import { emojiGroups, nameOf, searchEmoji } from "../../text/emoji.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */

const MAX_RECENT = 16;
const COLUMNS = 8;
/** Height that is worth having, and distance to what it stands beside, in pixels. */
const MIN_HEIGHT = 260;
const DISTANCE = 8;

/** @param {App} app @param {Element} opener @param {(emoji: string) => void} choose */
export function openEmoji(app, opener, choose) {
  const input = h("input", "", { type: "search", placeholder: t("findEmoji"), "aria-label": t("findEmoji"), oninput: () => draw(), onfocus: () => showHit(), onkeydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter") body.querySelector("button")?.click();
    else if (event.key === "ArrowDown") body.querySelector("button")?.focus();
    else return;
    event.preventDefault();
  } });
  const body = h("div", "emoji-body", { onkeydown, tabIndex: -1 });
  const foot = h("div", "emoji-foot", { "aria-hidden": "true" });
  // What Enter takes.
  const hit = h("div", "visually-hidden", { role: "status" });
  const tabs = h("div", "emoji-tabs", null, emojiGroups.map((group) => h("button", "", { type: "button", "aria-label": t(group.name), title: t(group.name), onclick: () => {
    input.value = "";
    draw();
    body.querySelector(`[data-group="${group.name}"]`)?.scrollIntoView();
  } }, group.emoji[0].emoji)));
  const dialog = openBareDialog(t("emoji"), "emoji-picker", h("div", "switch-field", null, input), tabs, body, foot, hit);
  place(dialog, opener);
  draw();
  // With a finger one chooses; the keyboard of a phone would cover the emoji.
  if (isTouch()) body.focus();

  function draw() {
    const words = input.value.trim().toLowerCase();
    const recent = app.store.settings().recentEmoji;
    fillWith(body, words ? grid(searchEmoji(words, 80)) : [
      recent.length ? [h("h3", "", null, t("recentEmoji")), grid(recent.map((emoji) => ({ emoji, name: nameOf(emoji) })))] : [],
      ...emojiGroups.map((group) => [h("h3", "", { "data-group": group.name }, t(group.name)), grid(group.emoji)]),
    ].flat());
    if (words && !body.querySelector("button")) fillWith(body, h("p", "panel-text", { role: "status" }, t("nothingFound")));
    body.scrollTop = 0;
    showHit();
  }

  /** Shows what Enter takes. */
  function showHit() {
    const first = body.querySelector("button");
    first?.classList.add("hit");
    foot.textContent = first ? `↵ ${first.title}` : "";
    hit.textContent = input.value.trim() ? first?.getAttribute("aria-label") ?? "" : "";
  }

  /** @param {{ emoji: string, name: string }[]} list */
  function grid(list) {
    return h("div", "emoji-grid", null, list.map(({ emoji, name }) => h("button", "", {
      type: "button", "aria-label": name.replaceAll("_", " "), title: `:${name}:`, onclick: () => { remember(emoji); dialog.close(); choose(emoji); }, onfocus: () => { foot.textContent = `:${name}:`; },
    }, emoji)));
  }

  /** @param {string} emoji */
  function remember(emoji) {
    const others = app.store.settings().recentEmoji.filter((one) => one !== emoji);
    app.store.actions.setSetting("recentEmoji", [emoji, ...others].slice(0, MAX_RECENT));
  }

  /** @param {KeyboardEvent} event */
  function onkeydown(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (!step) return;
    const all = [...body.querySelectorAll("button")];
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    (all[at + step] ?? (step < 0 ? input : all.at(-1)))?.focus();
    event.preventDefault();
  }
}

/** Places the picker beside what it is for, a message or a button, above or below it, as there is room. On a phone it is a sheet. @param {HTMLElement} dialog @param {Element} opener */
function place(dialog, opener) {
  if (isNarrow() || !opener.isConnected) return;
  const anchor = opener.getBoundingClientRect();
  const { top, bottom } = (opener.closest("article") ?? opener).getBoundingClientRect();
  const { width, height } = dialog.getBoundingClientRect();
  const [above, below] = [top - 2 * DISTANCE, innerHeight - bottom - 2 * DISTANCE];
  const isAbove = above >= height || above >= below;
  const room = Math.max(isAbove ? above : below, MIN_HEIGHT);
  const blockSize = Math.min(height, room);
  const wanted = isAbove ? top - DISTANCE - blockSize : bottom + DISTANCE;
  dialog.style.margin = "0";
  dialog.style.blockSize = `${blockSize}px`;
  dialog.style.left = `${Math.max(DISTANCE, Math.min(anchor.right - width, innerWidth - width - DISTANCE))}px`;
  dialog.style.top = `${Math.max(DISTANCE, Math.min(wanted, innerHeight - blockSize - DISTANCE))}px`;
}
