/** One row of the timeline: a message or an event, with the day and the "new" line before it. */

import { fillWith, h, iconButton } from "../parts/dom.js";
import { avatar, hueOf } from "../parts/people.js";
import { formatDateTime, formatDay, formatTime, lookup, startOfDay, t } from "../../text/index.js";
import { describeEvent, describeRun, signOf } from "./events.js";
import { isBigEmoji, renderText } from "./markup.js";

/**
 * @import { App } from "../app.js"
 * @import { Entry, Timeline } from "../../model/types.js"
 */

/**
 * @typedef {object} Shape How a row is drawn, by its neighbours.
 * @property {boolean} first First of a group of messages of one sender.
 * @property {boolean} newDay
 * @property {boolean} isNew The "new" line stands before it.
 * @property {Entry[] | null} run Joins and parts that are folded into this row; `null` for none.
 * @property {number} replies Loaded answers to the message.
 * @property {Quote | null} quote
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

/** @param {Entry} entry */
export function isMembership(entry) {
  return entry.kind === "event" && (entry.event?.type === "join" || entry.event?.type === "part" || entry.event?.type === "quit");
}

/**
 * Returns whether an entry is folded into the row after it.
 * @param {Entry} entry @param {Entry | undefined} next @param {boolean} isNextNew
 */
export function isFolded(entry, next, isNextNew) {
  return next !== undefined && !isNextNew && foldsWith(entry, next) && startOfDay(entry.time) === startOfDay(next.time);
}

/** @param {Entry} entry @param {Entry} next */
function foldsWith(entry, next) {
  return isMembership(entry) && isMembership(next) || entry.isIgnored && next.isIgnored;
}

/**
 * Returns whether a message stands in the group of the one before, and so needs no name.
 * @param {Timeline} timeline @param {number} index
 */
export function continuesGroup(timeline, index) {
  const entry = timeline.at(index);
  let first = index;
  while (index - first < MAX_LOOK_BACK && follows(timeline.at(first), timeline.at(first - 1))) first--;
  let start = timeline.at(first)?.time ?? 0;
  for (let at = first + 1; at <= index; at++) {
    const time = timeline.at(at)?.time ?? 0;
    if (time - start < GROUP_DURATION) continue;
    if (at === index) return false;
    start = time;
  }
  return first < index && entry !== undefined;
}

/** @param {Entry | undefined} entry @param {Entry | undefined} before */
function follows(entry, before) {
  return entry?.kind === "message" && before?.kind === "message" && entry.from === before.from && !entry.replyTo && !entry.isIgnored && !before.isIgnored
    && entry.time - before.time < GROUP_DURATION && startOfDay(entry.time) === startOfDay(before.time);
}

/**
 * Draws a row.
 * @param {App} app
 * @param {Entry} entry
 * @param {Shape} shape
 * @param {string} conversation
 */
export function renderRow(app, entry, shape, conversation) {
  return h("div", "row", { "data-row": entry.row },
    shape.newDay ? h("div", "day", { role: "separator" }, formatDay(entry.time)) : null,
    shape.isNew ? h("div", "day new", { role: "separator" }, t("newMessages")) : null,
    shape.run ? foldedRun(shape.run) : entry.kind === "event" ? eventRow(entry) : message(app, entry, shape, conversation));
}

/** @param {Entry[]} run */
function foldedRun(run) {
  const last = /** @type {Entry} */ (run.at(-1));
  const label = last.isIgnored ? t("ignoredMessages", { count: run.length }) : describeRun(run.map((entry) => entry.event));
  return h("div", "note", { "data-sign": "▸" }, h("button", "unfold", { type: "button", "aria-expanded": "false" }, label));
}

/** @param {Entry} entry */
function eventRow(entry) {
  return h("div", "note", { "data-sign": signOf(entry.event) }, h("span", "", { dir: "auto" }, describeEvent(entry.event)), clock(entry.time));
}

/** @param {number} time @param {string} [className] */
function clock(time, className = "") {
  return h("time", className, { datetime: new Date(time).toISOString(), title: formatDateTime(time) }, formatTime(time));
}

/** @param {App} app @param {Entry} entry @param {Shape} shape @param {string} conversation */
function message(app, entry, shape, conversation) {
  const display = app.store.trustedName(entry.from);
  const first = shape.first;
  const classes = ["message", first && "first", entry.isMention && "mention", entry.status !== "sent" && entry.status, shape.quote && "replies"];
  const article = h("article", classes.filter(Boolean).join(" "), {
    tabIndex: -1, "data-msgid": entry.msgid, "aria-label": t("messageOf", { name: display ?? entry.from, time: formatTime(entry.time) }),
  });
  fillWith(article,
    shape.quote ? quote(shape.quote) : null,
    first ? avatarButton(entry, display) : clock(entry.time, "at"),
    first ? head(entry, display) : null,
    body(app, entry, conversation),
    reactions(app, entry),
    shape.replies ? h("button", "link thread-link", { type: "button", "data-do": "thread" }, t("repliesCount", { count: shape.replies })) : null,
    state(entry),
    entry.status === "sent" && entry.msgid && !entry.redacted ? tools(app) : null);
  return article;
}

/** @param {Entry} entry @param {string | null} display */
function avatarButton(entry, display) {
  const picture = avatar(entry.from, display);
  picture.dataset.do = "profile";
  return picture;
}

/** @param {Entry} entry @param {string | null} display */
function head(entry, display) {
  return h("div", "head", null,
    h("button", `name truncate name-${hueOf(entry.from)}`, { type: "button", "data-do": "profile", dir: "auto" }, display ?? entry.from),
    display && display !== entry.from ? h("span", "nick", null, entry.from) : null,
    entry.isBot ? h("span", "tag", null, t("bot")) : null,
    clock(entry.time));
}

/** @param {App} app @param {Entry} entry @param {string} conversation */
function body(app, entry, conversation) {
  if (entry.redacted) {
    const { by, reason } = entry.redacted;
    const text = by && by !== entry.from ? t("removedBy", { name: by }) : t("takenBack");
    return h("div", "body gone", { dir: "auto" }, reason ? `${text} (${reason})` : text);
  }
  const kind = entry.kind === "action" ? "action" : entry.kind === "notice" ? "notice" : isBigEmoji(entry.text) ? "big" : "";
  const element = h("div", `body ${kind}`, { dir: "auto" });
  if (entry.kind === "action") element.append(h("strong", "", null, app.store.trustedName(entry.from) ?? entry.from), " ");
  renderText(element, app, entry.text, conversation);
  return element;
}

/** @param {Quote} answered */
function quote(answered) {
  const text = answered.state === "loading" ? "…" : answered.state === "gone" ? t("messageGone") : answered.text.replace(/^```\S*$/gmu, "").replace(/\s+/gu, " ").trim().slice(0, 200);
  return h("button", "quote", { type: "button", "data-do": "jump" },
    h("span", "visually-hidden", null, t("inReplyTo")), answered.from ? h("strong", `name-${hueOf(answered.from)}`, null, answered.from) : null, h("span", "truncate", { dir: "auto" }, text));
}

/** @param {App} app @param {Entry} entry */
function reactions(app, entry) {
  if (!entry.reactions?.length || entry.redacted) return null;
  return h("div", "reactions", null, entry.reactions.map(({ emoji, from, mine }) => {
    const names = from.map((name) => app.store.trustedName(name) ?? name).slice(0, 30);
    const label = t("reactedWith", { names: names.join(", "), emoji });
    return h("button", "reaction", { type: "button", "data-emoji": emoji, "aria-pressed": String(mine), title: label }, h("span", "", null, emoji), h("span", "count", null, String(from.length)));
  }));
}

/** @param {Entry} entry */
function state(entry) {
  if (entry.heldUntil !== null) {
    return h("div", "state", null, t("willBeTakenBack"), h("button", "link", { type: "button", "data-do": "undo" }, t("undo")));
  }
  if (entry.status === "pending") return h("div", "state", { "data-state": "pending" }, t("sending"));
  if (entry.status !== "failed") return null;
  return h("div", "state failed", { role: "group" }, t("notSent", { reason: lookup(entry.reason ?? "", undefined, entry.reason ?? "") }),
    h("button", "link", { type: "button", "data-do": "resend" }, t("sendAgain")),
    h("button", "link", { type: "button", "data-do": "discard" }, t("discard")));
}

/** @param {App} app */
function tools(app) {
  const none = () => {};
  const { features } = app.store.session();
  return h("div", "tools", { role: "toolbar", "aria-label": t("messageActions") },
    features.reactions ? iconButton("smile", t("react"), none, "", { "data-do": "react", tabIndex: -1 }) : null,
    iconButton("reply", t("reply"), none, "", { "data-do": "reply", tabIndex: -1 }),
    iconButton("thread", t("openThread"), none, "only-wide", { "data-do": "thread", tabIndex: -1 }),
    iconButton("more", t("moreActions"), none, "", { "data-do": "more", tabIndex: -1, "aria-haspopup": "menu" }));
}

