/** The reactions that are at hand, without the picker: those used lately, then the usual ones. */

import { h, isNarrow } from "../parts/dom.js";
import { nameOf } from "../../text/emoji.js";

/** @import { Entry } from "../../model/types.js" */
/** @import { App } from "../app.js" */

const USUAL = ["👍", "❤️", "😂", "🎉", "👀", "✅"];

/** @param {string} emoji */
const base = (emoji) => emoji.replace(/[\ufe0e\ufe0f]/g, "");

/** Returns the emoji for a message, in the form in which it has them already. @param {App} app @param {Entry} entry */
export function quickReactions(app, { reactions }) {
  const all = new Map([...app.store.settings().recentEmoji, ...USUAL].map((emoji) => [base(emoji), emoji]));
  return [...all].slice(0, USUAL.length).map(([key, emoji]) => {
    const known = reactions?.find((one) => base(one.emoji) === key);
    return { emoji: known?.emoji ?? emoji, name: nameOf(emoji), mine: known?.mine ?? false };
  });
}

/** Adds them to the actions of a message that the pointer or the focus has come to. @param {App} app @param {Element} article @param {Entry} entry */
export function addQuickReactions(app, article, entry) {
  const toolbar = article.querySelector(".tools [role=toolbar]");
  // A phone has room for them in the menu only.
  if (!(toolbar instanceof HTMLElement) || !toolbar.querySelector("[data-do=react]") || isNarrow()) return;
  const all = quickReactions(app, entry);
  const key = JSON.stringify(all);
  if (toolbar.dataset.quick === key) return;
  toolbar.dataset.quick = key;
  for (const old of toolbar.querySelectorAll(".quick")) old.remove();
  toolbar.prepend(...all.map(({ emoji, name, mine }) => h("button", "icon quick", {
    type: "button", tabIndex: -1, "data-emoji": emoji, "aria-label": name.replaceAll("_", " "), title: `:${name}:`, "aria-pressed": String(mine),
  }, emoji)));
}
