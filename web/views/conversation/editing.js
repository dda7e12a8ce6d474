/** What one does in the message field beside writing: answers, formats, emoji. */

import { fillWith, h, iconButton } from "../parts/dom.js";
import { later } from "../later.js";
import { plain } from "./row.js";
import { nameFiles } from "../../wire/files.js";
import { t } from "../../text/index.js";

/** @import { Composer } from "./composer.js" */

/** Looks for completions. @param {Composer} composer @param {boolean} [asked] Set by Tab. */
export async function complete(composer, asked) {
  if (composer.completion === undefined) {
    const { Completion } = await later(import("./completion.js"));
    composer.completion ??= new Completion(composer.app, composer);
  }
  await composer.completion.update(asked);
}

/** Shows which message is answered. @param {Composer} composer */
export function drawContext(composer) {
  const { answered, app, chat, context } = composer;
  if (answered === null) return;
  const entry = chat?.timeline.timeline.byMsgid(answered);
  fillWith(context, h("span", "truncate", null, t("replyingTo", { name: entry ? app.store.trustedName(entry.from) ?? entry.from : "…" }), entry ? h("span", "", { dir: "auto" }, ` – ${plain(nameFiles(entry.text, entry.files)).slice(0, 200)}`) : null),
    iconButton("close", t("cancelReply"), () => composer.replyTo(null), "small"));
}

/** Says why one cannot write here, and what to do. @param {Composer} composer @param {"notMember" | "needsVoice"} reason */
export function drawLock({ app, locked, name }, reason) {
  locked.dataset.reason = reason;
  fillWith(locked, t(reason),
    reason === "notMember" ? h("button", "button small primary", { type: "button", onclick: () => app.openChannel(name) }, t("join")) : null);
}

/** @param {Composer} composer @param {Element} opener */
export function openEmoji(composer, opener) {
  // Which gets the focus back from the picker.
  composer.focus();
  const { selectionStart, selectionEnd } = composer.text;
  void composer.app.openEmoji(opener, (emoji) => {
    composer.text.setSelectionRange(selectionStart, selectionEnd);
    insert(composer, emoji);
  });
}

/** Inserts a text at the cursor. @param {Composer} composer @param {string} text */
export function insert(composer, text) {
  composer.focus();
  composer.text.setRangeText(text, composer.text.selectionStart, composer.text.selectionEnd, "end");
  composer.onInput();
}

/** Puts marks around the selection. @param {Composer} composer @param {string} mark @param {string} [end] */
export function wrap(composer, mark, end = mark) {
  composer.focus();
  const { selectionStart: from, selectionEnd: to, value } = composer.text;
  const inner = value.slice(from, to);
  composer.text.setRangeText(mark + inner + end, from, to, "end");
  composer.text.setSelectionRange(from + mark.length, from + mark.length + inner.length);
  composer.onInput();
}
