/** One row of the timeline: a message or an event, with the day and the "new" line before it. */

import { h, iconButton } from "../parts/dom.js";
import { avatar, hueOf } from "../parts/people.js";
import { formatDateTime, formatDay, formatTime, lookup, startOfDay, t } from "../../text/index.js";
import { describeEvent, describeRun, signOf } from "./events.js";
import { isBigEmoji, renderText } from "./markup.js";
import { plainText } from "../../wire/markup.js";

/** @import { Entry, Timeline } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/**
 * @typedef {object} Shape How a row is drawn, by its neighbours.
 * @property {boolean} first First of a group of messages of one sender.
 * @property {boolean} newDay
 * @property {boolean} isNew The "new" line stands before it.
 * @property {Entry[] | null} run Joins and parts that are folded into this row; `null` for none.
 * @property {number} replies Loaded answers to the message.
 * @property {Quote | null} quote
 * @property {"folded" | "open" | null} fold State of a long text, `null` for others.
 * @property {boolean} waits Set if it is sent once there is a connection.
 *
 * @typedef {object} Quote The message that a reply answers; without a text while it is loading or if it is gone.
 * @property {string} from
 * @property {string} text
 * @property {"loaded" | "loading" | "gone"} state
 */

/** Longest time between the first message of a group and another one, in milliseconds. */
const GROUP_DURATION = 5 * 60_000;
/** Limit of the rows that are looked at for the start of a group or a run. */
const MAX_LOOK_BACK = 64;
/** Limits of a text that is shown whole: about a screen of a phone. */
const LONG_LINES = 24;
const LONG_TEXT = 1600;

/** @param {Entry} entry */
export function isMembership(entry) {
  return ["join", "part", "quit"].includes(entry.event?.type ?? "");
}

/** Returns whether an entry is of one kind and day with the row after it, into which it is folded. @param {Entry | undefined} entry @param {Entry | undefined} next */
export function isFolded(entry, next) {
  return entry !== undefined && next !== undefined && (isMembership(entry) && isMembership(next) || entry.isIgnored && next.isIgnored) && isSameDay(entry, next);
}

/** @param {Entry} one @param {Entry} other */
function isSameDay(one, other) {
  return startOfDay(one.time) === startOfDay(other.time);
}

/** Returns whether a message stands in the group of the one before, and so needs no name. @param {Timeline} timeline @param {number} index */
export function continuesGroup(timeline, index) {
  let first = index;
  while (index - first < MAX_LOOK_BACK && follows(timeline.at(first), timeline.at(first - 1))) first--;
  let start = timeline.at(first)?.time ?? 0;
  for (let at = first + 1; at <= index; at++) {
    const time = timeline.at(at)?.time ?? 0;
    if (time - start < GROUP_DURATION) continue;
    if (at === index) return false;
    start = time;
  }
  return first < index;
}

/** @param {Entry | undefined} entry @param {Entry | undefined} before */
function follows(entry, before) {
  return entry?.kind === "message" && before?.kind === "message" && entry.from === before.from && !entry.replyTo && !entry.isIgnored && !before.isIgnored
    && entry.time - before.time < GROUP_DURATION && isSameDay(entry, before);
}

/** Returns whether a message is folded until the reader wants all of it. @param {Entry} entry */
export function isLong({ kind, text, redacted }) {
  if (kind === "event" || redacted) return false;
  return text.length > LONG_TEXT || text.length > LONG_LINES && text.split("\n", LONG_LINES + 1).length > LONG_LINES;
}

/** Draws a row. @param {App} app @param {Entry} entry @param {Shape} shape @param {string} conversation */
export function renderRow(app, entry, { newDay, isNew, run, ...shape }, conversation) {
  return h("div", "row", { "data-row": entry.row },
    newDay ? h("div", "day", { role: "separator" }, formatDay((run?.[0] ?? entry).time)) : null,
    isNew ? h("div", "day new", { role: "separator" }, t("newMessages")) : null,
    run ? foldedRun(run) : entry.kind === "event" ? eventRow(entry) : message(app, entry, shape, conversation));
}

/** @param {Entry[]} run */
function foldedRun(run) {
  const label = run[0].isIgnored ? t("ignoredMessages", { count: run.length }) : describeRun(run.map((entry) => entry.event));
  return h("div", "note", { "data-sign": "▸" }, h("button", "unfold", { type: "button", "aria-expanded": "false" }, label));
}

/** @param {Entry} entry */
function eventRow(entry) {
  return h("div", "note", { "data-sign": signOf(entry.event) }, h("span", "", { dir: "auto" }, describeEvent(entry.event)), clock(entry.time));
}

/** @param {number} time */
function clock(time, className = "") {
  return h("time", className, { datetime: new Date(time).toISOString(), title: formatDateTime(time) }, formatTime(time));
}

/** @param {App} app @param {Entry} entry @param {Pick<Shape, "first" | "replies" | "quote" | "fold" | "waits">} shape @param {string} conversation */
function message(app, entry, { first, replies, quote, fold, waits }, conversation) {
  const { from, status, time, msgid } = entry;
  const display = app.store.trustedName(from);
  const classes = ["message", first && "first", entry.isMention && "mention", status !== "sent" && status, quote && "replies"];
  const picture = first ? avatar(from, display) : clock(time, "at");
  if (first) picture.dataset.do = "profile";
  return h("article", classes.filter(Boolean).join(" "), { tabIndex: -1, "data-msgid": msgid, "aria-label": t("messageOf", { name: display ?? from, time: formatTime(time) }) },
    quote ? quoteButton(app, quote) : null,
    picture,
    first ? h("div", "head", null,
      h("button", `name truncate coloured hue-${hueOf(from)}`, { type: "button", "data-do": "profile", dir: "auto" }, display ?? from),
      display && display !== from ? h("span", "nick", null, from) : null,
      entry.isBot ? h("span", "tag", null, t("bot")) : null,
      clock(time)) : null,
    body(app, entry, conversation, fold === "folded"),
    fold ? h("button", "link fold", { type: "button", "data-do": "fold", "aria-expanded": String(fold === "open") }, t(fold === "open" ? "showLess" : "showMore")) : null,
    reactions(app, entry),
    replies ? h("button", "link thread-link", { type: "button", "data-do": "thread" }, t("repliesCount", { count: replies })) : null,
    state(entry, waits),
    status === "sent" && msgid && !entry.redacted ? tools(app) : null);
}

/** @param {App} app @param {Entry} entry @param {string} conversation @param {boolean} isFolded */
function body(app, { redacted, kind, from, text, mine }, conversation, isFolded) {
  if (redacted) {
    const { by, reason } = redacted;
    const sentence = by && by !== from ? t("removedBy", { name: by }) : t("takenBack");
    return h("div", "body gone", { dir: "auto" }, reason ? `${sentence} (${reason})` : sentence);
  }
  const element = h("div", `body ${kind !== "message" ? kind : isBigEmoji(text) ? "big" : ""} ${isFolded ? "folded" : ""}`, { dir: "auto" });
  if (kind === "action") element.append(h("strong", "", null, app.store.trustedName(from) ?? from), " ");
  renderText(element, app, text, conversation, mine);
  return element;
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
