/** One row of the timeline: a message or an event, with the day and the "new" line before it. `details.js` completes it. */

import { h } from "../parts/dom.js";
import { placesOf } from "../files/boxes.js";
import { avatar, hueOf } from "../parts/people.js";
import { formatDateTime, formatDay, formatTime, startOfDay, t } from "../../text/index.js";
import { loaded } from "../later.js";
import { withoutCodes } from "../../wire/clean.js";

/** @import { Entry, Timeline } from "../../model/types.js" */
/** @import { App } from "../app.js" */
/** @import { Details, Shape } from "../types.js" */

/** Longest time between the first message of a group and another one, in milliseconds. */
const GROUP_DURATION = 5 * 60_000;
/** Limit of the rows that are looked at for the start of a group or a run. */
export const MAX_LOOK_BACK = 200;
/** Limits of a text that is shown whole: about a screen of a phone. */
const LONG_LINES = 24;
const LONG_TEXT = 1600;

/** @param {Entry} one @param {Entry} other */
export function isSameDay(one, other) {
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
  return entry?.kind === "message" && before?.kind === "message" && entry.from === before.from && entry.replyTo === before.replyTo && !entry.isIgnored && !before.isIgnored
    && entry.time - before.time < GROUP_DURATION && isSameDay(entry, before);
}

/** Returns whether a message is folded until the reader wants all of it. @param {Entry} entry */
export function isLong({ kind, text, redacted }) {
  if (kind === "event" || redacted) return false;
  return text.length > LONG_TEXT || text.length > LONG_LINES && text.split("\n", LONG_LINES + 1).length > LONG_LINES;
}

/** Returns a text in one line without marks, and without codes alone as long as the parser is not loaded. @param {string} text */
export function plain(text) {
  return loaded.plainText?.(text) ?? withoutCodes(text);
}

/** Draws a row. @param {App} app @param {Entry} entry @param {Shape} shape @param {string} conversation */
export function renderRow(app, entry, { newDay, isNew, run, ...shape }, conversation) {
  return h("div", "row", { "data-row": entry.row },
    newDay ? h("div", "day", { role: "separator" }, formatDay((run?.[0] ?? entry).time)) : null,
    isNew ? h("div", "day new", { role: "separator" }, t("newMessages")) : null,
    run || entry.kind === "event" ? loaded.noteOf?.(entry, run) : message(app, entry, shape, conversation));
}

/** @param {number} time */
export function clock(time, className = "") {
  return h("time", className, { datetime: new Date(time).toISOString(), title: formatDateTime(time) }, formatTime(time));
}

/** @param {App} app @param {Entry} entry @param {Details} shape @param {string} conversation */
function message(app, entry, shape, conversation) {
  const { from, status, time, msgid, kind, text } = entry;
  const { first, fold } = shape;
  const display = app.store.trustedName(from);
  const classes = ["message", first && "first", entry.isMention && "mention", status !== "sent" && status];
  const picture = first ? avatar(from, display) : clock(time, "at");
  if (first) picture.dataset.do = "profile";
  const body = h("div", `body ${kind === "message" ? "" : kind} ${fold === "folded" ? "folded" : ""}`, { dir: "auto" },
    kind === "action" ? [h("strong", "", null, display ?? from), " "] : null);
  const article = h("article", classes.filter(Boolean).join(" "), { tabIndex: -1, "data-msgid": msgid, "aria-label": t("messageOf", { name: display ?? from, time: formatTime(time) }) },
    picture,
    first ? h("div", "head", null,
      h("button", `name truncate coloured hue-${hueOf(from)}`, { type: "button", "data-do": "profile", dir: "auto" }, display ?? from),
      display && display !== from ? h("span", "nick", null, from) : null,
      entry.isBot ? h("span", "tag", null, t("bot")) : null,
      clock(time)) : null,
    body);
  if (loaded.completeMessage) loaded.completeMessage(article, body, app, entry, shape, conversation);
  else if (entry.files && !entry.redacted) {
    body.append(withoutCodes(text.replace(/https?:\S+\/f\/\S+/g, "").trim()));
    article.append(placesOf(entry.files));
  } else body.append(withoutCodes(text));
  return article;
}
