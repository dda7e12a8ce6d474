/** What a row of the timeline has beyond the words of a message: formats, the message that it answers, reactions, buttons. */

import { append, h, iconButton } from "../parts/dom.js";
import "../parts/more-icons.js";
import { hueOf } from "../parts/people.js";
import { drawFiles, forgetFiles } from "../files/message-files.js";
import { isBigEmoji, renderText } from "./markup.js";
import { nameFiles, splitFiles } from "../../wire/files.js";
import { plainText } from "../../wire/markup.js";
import { lookup, t } from "../../text/index.js";

/** @import { Entry } from "../../model/types.js" */
/** @import { App } from "../app.js" */
/** @import { Details, Quote } from "../types.js" */
/** @import { TimelineView } from "./timeline.js" */

/**
 * Completes a message.
 * @param {HTMLElement} article
 * @param {HTMLElement} body
 * @param {App} app
 * @param {Entry} entry
 * @param {Details} details
 * @param {string} conversation
 */
export function completeMessage(article, body, app, entry, { replies, quote, repeats, fold, waits }, conversation) {
  const { kind, redacted, status, msgid, text, mine } = entry;
  if (quote && repeats) {
    const label = `${t("inReplyTo")} ${quote.from && (app.store.trustedName(quote.from) ?? quote.from)}`;
    article.querySelector(".head")?.append(iconButton("reply", label, () => {}, "again", { "data-do": "jump" }));
  } else if (quote) {
    article.classList.add("replies");
    article.prepend(quoteButton(app, quote));
  }
  const shared = splitFiles(redacted ? "" : text, entry.files);
  if (redacted) {
    forgetFiles(app.store, entry.files);
    const sentence = redacted.by && redacted.by !== entry.from ? t("removedBy", { name: redacted.by }) : t("takenBack");
    body.className = "body gone";
    body.textContent = redacted.reason ? `${sentence} (${redacted.reason})` : sentence;
  } else {
    if (kind === "message" && isBigEmoji(text)) body.classList.add("big");
    renderText(body, app, app.store.settings().rawText ? text : shared.text, conversation, mine);
  }
  append(article, [
    shared.files.length > 0 && drawFiles(app, shared.files, conversation),
    fold && h("button", "link fold", { type: "button", "data-do": "fold", "aria-expanded": String(fold === "open") }, t(fold === "open" ? "showLess" : "showMore")),
    reactions(app, entry),
    replies > 0 && h("button", "link thread-link", { type: "button", "data-do": "thread" }, t("repliesCount", { count: replies })),
    state(entry, waits),
    status === "sent" && msgid !== null && !redacted && tools(app),
  ]);
}

/** @param {App} app @param {Quote} answered */
function quoteButton(app, { state: phase, text, from }) {
  const excerpt = phase === "loading" ? "…" : phase === "gone" ? t("refusal.gone") : plainText(text).slice(0, 200);
  return h("button", "quote", { type: "button", "data-do": "jump" },
    h("span", "visually-hidden", null, t("inReplyTo")), from ? h("strong", `coloured hue-${hueOf(from)}`, null, app.store.trustedName(from) ?? from) : null, h("span", "truncate", { dir: "auto" }, excerpt));
}

/** @param {App} app @param {Entry} entry */
function reactions(app, entry) {
  if (!entry.reactions?.length || entry.redacted) return null;
  return h("div", "reactions", null, entry.reactions.map(({ emoji, from, mine }) => {
    const names = from.slice(0, 30).map((name) => app.store.trustedName(name) ?? name);
    const title = t("reactedWith", { names: names.join(", "), emoji });
    return h("button", "reaction", { type: "button", "data-emoji": emoji, "aria-pressed": String(mine), title }, h("span", "", null, emoji), h("span", "count", null, String(from.length)));
  }));
}

/** @param {Entry} entry @param {boolean} waits */
function state({ heldUntil, status, reason }, waits) {
  const link = (/** @type {string} */ action, /** @type {string} */ label) => h("button", "link", { type: "button", "data-do": action }, label);
  if (heldUntil !== null) return h("div", "state", null, t("willBeTakenBack"), link("undo", t("undo")));
  if (status === "pending") return h("div", "state", { "data-state": "pending" }, t(waits ? "waitsForConnection" : "sending"));
  if (status !== "failed") return null;
  return h("div", "state failed", { role: "group" }, t("notSent", { reason: lookup(reason ?? "", undefined, reason ?? "") }), link("resend", t("sendAgain")), link("discard", t("discard")));
}

/** @param {App} app */
function tools(app) {
  const tool = (/** @type {"smile" | "reply" | "thread" | "more"} */ picture, /** @type {string} */ action, /** @type {string} */ label, className = "") =>
    iconButton(picture, label, () => {}, className, { "data-do": action, tabIndex: -1, "aria-haspopup": action === "more" ? "menu" : null });
  return h("div", "tools", null, h("div", "", { role: "toolbar", "aria-label": t("messageActions") },
    app.store.session().features.reactions ? tool("smile", "react", t("react")) : null,
    tool("reply", "reply", t("reply")),
    tool("thread", "thread", t("openThread"), "only-wide"),
    tool("more", "more", t("moreActions"))));
}

/** Returns the message that a reply answers; it is loaded if need be. @param {TimelineView} view @param {string} msgid @returns {Quote} */
export function quoteOf(view, msgid) {
  const entry = view.timeline.byMsgid(msgid);
  if (entry) return { from: entry.from, text: nameFiles(entry.text, entry.files), state: entry.redacted ? "gone" : "loaded" };
  const known = view.quotes.get(msgid);
  if (known) return known;
  const loading = { from: "", text: "", state: /** @type {const} */ ("loading") };
  view.quotes.set(msgid, loading);
  view.app.store.actions.message(view.name, msgid).catch(() => null).then((found) => {
    view.quotes.set(msgid, { from: found?.from ?? "", text: found ? nameFiles(found.text, found.files) : "", state: found && !found.isGone ? "loaded" : "gone" });
    view.draw();
  });
  return loading;
}
