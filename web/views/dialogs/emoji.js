/** The emoji picker: by category, by words, and those used lately. */

import { fillWith, h } from "../parts/dom.js";
import { openBareDialog } from "../parts/dialog.js";
import { emojiGroups, searchEmoji } from "../../text/emoji.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */

const MAX_RECENT = 16;
const COLUMNS = 8;

/** @param {App} app @param {Element} opener @param {(emoji: string) => void} choose */
export function openEmoji(app, opener, choose) {
  const input = h("input", "", { type: "search", placeholder: t("findEmoji"), "aria-label": t("findEmoji"), oninput: () => draw(), onkeydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter") body.querySelector("button")?.click();
    else if (event.key === "ArrowDown") body.querySelector("button")?.focus();
    else return;
    event.preventDefault();
  } });
  const body = h("div", "emoji-body", { onkeydown, tabIndex: -1 });
  const foot = h("div", "emoji-foot", { "aria-hidden": "true" });
  const tabs = h("div", "emoji-tabs", null, emojiGroups.map((group) => h("button", "", { type: "button", "aria-label": t(group.name), title: t(group.name), onclick: () => {
    input.value = "";
    draw();
    body.querySelector(`[data-group="${group.name}"]`)?.scrollIntoView();
  } }, group.emoji[0].emoji)));
  const dialog = openBareDialog(t("emoji"), "emoji-picker", h("div", "switch-field", null, input), tabs, body, foot);
  place(dialog, opener.getBoundingClientRect());
  draw();

  function draw() {
    const words = input.value.trim().toLowerCase();
    const recent = app.store.settings().recentEmoji;
    fillWith(body, words ? grid(searchEmoji(words, 80)) : [
      recent.length ? [h("h3", "", null, t("recentEmoji")), grid(recent.map((emoji) => ({ emoji, name: emoji })))] : [],
      ...emojiGroups.map((group) => [h("h3", "", { "data-group": group.name }, t(group.name)), grid(group.emoji)]),
    ].flat());
    if (words && !body.querySelector("button")) fillWith(body, h("p", "panel-text", { role: "status" }, t("nothingFound")));
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

/** @param {HTMLElement} dialog @param {DOMRect} anchor */
function place(dialog, anchor) {
  if (innerWidth < 700) return;
  const { width, height } = dialog.getBoundingClientRect();
  dialog.style.margin = "0";
  dialog.style.left = `${Math.max(8, Math.min(anchor.right - width, innerWidth - width - 8))}px`;
  dialog.style.top = `${Math.max(8, anchor.top > height ? anchor.top - height - 8 : Math.min(anchor.bottom + 8, innerHeight - height - 8))}px`;
}
