/** Entries of timelines, and changes of them, made from lines. */

import { clean, cleanLine } from "../wire/clean.js";
import { isChannel } from "../wire/names.js";
import { maskSecret } from "./people.js";

/** @import { Model } from "./model.js" */
/** @import { applyReaction } from "./reactions.js" */
/** @import { Change, Entry, Message, TimelineEvent } from "./types.js" */


let lastRow = 0;
/** @type {typeof applyReaction | null} */
let react = null;

/** Takes what applies reactions, which is loaded after the first view; until then they wait at their message. @param {typeof applyReaction} apply */
export function useReactions(apply) {
  react = apply;
}

/** Makes an entry; `fields` are those that differ from an empty message. @param {Partial<Entry> & { time: number }} fields @returns {Entry} */
export function makeEntry(fields) {
  lastRow += 1;
  return {
    row: fields.msgid ?? `n${lastRow}`, version: 0, position: 0, kind: "message", msgid: null, from: "", mine: false, text: "",
    status: "sent", reason: null, replyTo: null, isMention: false, isBot: false, isIgnored: false, files: "",
    redacted: null, heldUntil: null, reactions: null, stamps: null, event: null, ...fields,
  };
}

/** Returns whether an entry counts as unread when it is new. @param {Entry} entry */
export function countsAsUnread(entry) {
  return entry.kind !== "event" && !entry.mine && !entry.isIgnored && entry.redacted === null;
}

/** @param {Entry} entry @param {Change} change */
export function applyChange(entry, change) {
  entry.version += 1;
  if (change.type === "redact") {
    Object.assign(entry, { text: "", reactions: null, heldUntil: null, redacted: { by: change.by, reason: change.reason } });
    return;
  }
  if (entry.redacted !== null) return;
  if (react) react(entry, change);
  else (entry.reacting ??= []).push(change);
}

/** Makes the entries of a result of the history, and the changes to messages in it. @param {Model} model @param {Message[]} lines */
export function makeEntries(model, lines) {
  const changes = lines.map((line) => toChange(model, line)).filter((change) => change !== null);
  const entries = lines.map((line) => isMessage(line) ? messageEntry(model, line) : eventEntry(model, line)).filter((entry) => entry !== null);
  return { entries, changes };
}

/** @param {Message} message */
export function isMessage({ command }) {
  return command === "PRIVMSG" || command === "NOTICE";
}

/** Returns the conversation that a line belongs to. @param {Model} model @param {Message} message */
export function conversationOf(model, { params, nick }) {
  const target = (params[0] ?? "").replace(/^[~&@%+]+(?=#)/, "");
  return isChannel(target) || model.isMe(nick) ? target : nick;
}

/** @param {Model} model @param {Message} message */
export function timeOf(model, { tags }) {
  return Date.parse(tags.get("time") ?? "") || model.env.now();
}

/** Makes the entry of a PRIVMSG or NOTICE; `null` for a CTCP request. @param {Model} model @param {Message} message @returns {Entry | null} */
export function messageEntry(model, message) {
  const { tags, nick, command, params: [target = "", raw = ""] } = message;
  const action = command === "PRIVMSG" ? /^\x01ACTION ([^]*?)\x01?$/.exec(raw)?.[1] : undefined;
  if (raw.startsWith("\x01") && action === undefined) return null;
  const mine = model.isMe(nick);
  const written = action ?? raw;
  const text = clean(mine ? maskSecret(target, written) : written);
  return makeEntry({
    time: timeOf(model, message),
    kind: action !== undefined ? "action" : command === "NOTICE" ? "notice" : "message",
    msgid: tags.get("msgid") || null,
    from: nick,
    mine,
    text,
    replyTo: repliedTo(message) || null,
    isMention: !mine && model.rest?.isMention(text) === true,
    isBot: tags.has("bot"),
    files: tags.get("parlour/files") ?? "",
    isIgnored: !mine && model.isIgnored(nick),
  });
}

/** @param {Message} message */
function repliedTo({ tags }) {
  return tags.get("+draft/reply") || tags.get("+reply") || "";
}

/** Makes the entry of an event of a channel; `null` for a line that is none. @param {Model} model @param {Message} message @returns {Entry | null} */
export function eventEntry(model, message) {
  const event = toEvent(message);
  const { nick, tags } = message;
  return event && makeEntry({ time: timeOf(model, message), kind: "event", msgid: tags.get("msgid") || null, from: nick, mine: model.isMe(nick), event });
}

/** @param {Message} message @returns {TimelineEvent | null} */
function toEvent({ command, nick, params, source }) {
  const [one, two, three] = [0, 1, 2].map((index) => cleanLine(params[index] ?? ""));
  switch (command) {
    case "JOIN": return { type: "join", who: nick };
    case "PART": return { type: "part", who: nick, reason: two };
    case "KICK": return { type: "kick", who: two, by: nick, reason: three };
    case "QUIT": return { type: "quit", who: nick, reason: one };
    case "TOPIC": return { type: "topic", by: nick, text: two };
    case "RENAME": return { type: "rename", by: nick, from: one, to: two };
  }
  // The server's own modes only restore the status of members who joined.
  if (command !== "MODE" || !isChannel(one) || !source.includes("!") && /^\+[qaohv]+$/.test(two)) return null;
  return { type: "mode", by: nick, text: cleanLine(params.slice(1).join(" ")) };
}

/** Returns the change that a line makes to a message. @param {Model} model @param {Message} message @returns {{ msgid: string, change: Change } | null} */
export function toChange(model, message) {
  const { command, tags, nick: from, params: [, id = "", reason = ""] } = message;
  if (command === "REDACT") return { msgid: id, change: { type: "redact", by: from, reason: cleanLine(reason, 200) } };
  const added = tags.get("+draft/react");
  const emoji = cleanLine(added ?? tags.get("+draft/unreact") ?? "", 32);
  const msgid = repliedTo(message);
  if (command !== "TAGMSG" || emoji === "" || msgid === "") return null;
  const at = tags.get("msgid") ?? tags.get("time") ?? "";
  return { msgid, change: { type: "react", emoji, from, mine: model.isMe(from), remove: added === undefined, at } };
}
