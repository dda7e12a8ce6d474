/** Entries of timelines, and changes of them, made from lines. */

import { clean, cleanLine } from "../wire/clean.js";
import { foldName, isChannel } from "../wire/names.js";
import { findWord } from "../wire/words.js";
import { maskSecret } from "./people.js";

/**
 * @typedef {import("../wire/message.js").Message} Message
 * @typedef {import("./types.js").Entry} Entry
 * @typedef {import("./types.js").TimelineEvent} TimelineEvent
 * @typedef {import("./buffer.js").Buffer} Buffer
 * @typedef {{ type: "react", emoji: string, from: string, mine: boolean, remove: boolean, at: string }
 *   | { type: "redact", by: string, reason: string }} Change
 * @typedef {import("./model.js").Model} Model
 */

const MAX_MENTIONS = 500;
/** Limits of the reactions to one message. */
const MAX_EMOJIS = 24;
const MAX_REACTORS = 1_000;
const MAX_STAMPS = 5_000;

let lastRow = 0;

/**
 * Makes an entry; `fields` are those that differ from an empty message.
 * @param {Partial<Entry> & { time: number }} fields
 * @returns {Entry}
 */
export function makeEntry(fields) {
  lastRow += 1;
  return {
    row: fields.msgid ?? `n${lastRow}`,
    version: 0,
    position: 0,
    kind: "message",
    msgid: null,
    from: "",
    mine: false,
    text: "",
    status: "sent",
    reason: null,
    replyTo: null,
    isMention: false,
    isBot: false,
    isIgnored: false,
    redacted: null,
    heldUntil: null,
    reactions: null,
    stamps: null,
    event: null,
    ...fields,
  };
}

/**
 * Returns whether an entry counts as unread when it is new.
 * @param {Entry} entry
 */
export function countsAsUnread(entry) {
  return entry.kind !== "event" && !entry.mine && !entry.isIgnored && entry.redacted === null;
}

/**
 * @param {Entry} entry
 * @param {Change} change
 */
export function applyChange(entry, change) {
  entry.version += 1;
  if (change.type === "redact") {
    entry.text = "";
    entry.reactions = null;
    entry.heldUntil = null;
    entry.redacted = { by: change.by, reason: change.reason };
    return;
  }
  if (entry.redacted !== null) return;
  const { emoji, from, mine, remove, at } = change;
  // Pages come newest first, so what they say of a reaction may be older than what is known.
  entry.stamps ??= new Map();
  const stamp = `${baseEmoji(emoji)} ${foldName(from)}`;
  if ((entry.stamps.get(stamp) ?? "") > at || entry.stamps.size > MAX_STAMPS) return;
  entry.stamps.set(stamp, at);
  const reactions = entry.reactions ?? [];
  const known = reactions.find((reaction) => baseEmoji(reaction.emoji) === baseEmoji(emoji));
  if (known === undefined) {
    if (!remove && reactions.length < MAX_EMOJIS) reactions.push({ emoji, from: [from], mine, own: mine ? emoji : null });
  } else {
    const others = known.from.filter((name) => foldName(name) !== foldName(from));
    const isKnown = others.length < known.from.length;
    if (remove) known.from = others;
    else if (!isKnown && others.length < MAX_REACTORS) known.from.push(from);
    if (mine) [known.mine, known.own] = remove ? [false, null] : [true, known.own ?? emoji];
  }
  const left = reactions.filter((reaction) => reaction.from.length > 0);
  entry.reactions = left.length > 0 ? left : null;
}

/**
 * Emojis that differ by their variation selectors are the same reaction.
 * @param {string} emoji
 */
function baseEmoji(emoji) {
  return emoji.replace(/[\ufe0e\ufe0f]/g, "");
}

/**
 * Makes the entries of a result of the history, and the changes to messages in it.
 * @param {Model} model
 * @param {Message[]} lines
 */
export function makeEntries(model, lines) {
  /** @type {Entry[]} */
  const entries = [];
  /** @type {{ msgid: string, change: Change }[]} */
  const changes = [];
  for (const line of lines) {
    const change = toChange(model, line);
    if (change !== null) {
      changes.push(change);
      continue;
    }
    const entry = isMessage(line) ? messageEntry(model, line) : eventEntry(model, line);
    if (entry !== null) entries.push(entry);
  }
  return { entries, changes };
}

/** @param {Message} message */
export function isMessage({ command }) {
  return command === "PRIVMSG" || command === "NOTICE";
}

/**
 * Returns the conversation that a line belongs to.
 * @param {Model} model
 * @param {Message} message
 */
export function conversationOf(model, { params, nick }) {
  const target = (params[0] ?? "").replace(/^[~&@%+]+(?=#)/, "");
  return isChannel(target) || model.isMe(nick) ? target : nick;
}

/**
 * @param {Model} model
 * @param {Message} message
 */
export function timeOf(model, { tags }) {
  const time = Date.parse(tags.get("time") ?? "");
  return Number.isNaN(time) ? model.env.now() : time;
}

/**
 * Makes the entry of a PRIVMSG or NOTICE; `null` for a CTCP request.
 * @param {Model} model
 * @param {Message} message
 * @returns {Entry | null}
 */
export function messageEntry(model, message) {
  const { tags, nick, command, params } = message;
  const raw = params[1] ?? "";
  const action = command === "PRIVMSG" ? /^\x01ACTION ([^]*?)\x01?$/.exec(raw)?.[1] : undefined;
  if (raw.startsWith("\x01") && action === undefined) return null;
  const mine = model.isMe(nick);
  const text = clean(mine ? maskSecret(params[0] ?? "", action ?? raw) : (action ?? raw));
  const words = mine ? [] : [model.me, ...model.settings.highlights];
  return makeEntry({
    time: timeOf(model, message),
    kind: action !== undefined ? "action" : command === "NOTICE" ? "notice" : "message",
    msgid: tags.get("msgid") || null,
    from: nick,
    mine,
    text,
    replyTo: tags.get("+draft/reply") || tags.get("+reply") || null,
    isMention: words.some((word) => findWord(text, word).length > 0),
    isBot: tags.has("bot"),
    isIgnored: !mine && model.isIgnored(nick),
  });
}

/**
 * Makes the entry of an event of a channel; `null` for a line that is none.
 * @param {Model} model
 * @param {Message} message
 * @returns {Entry | null}
 */
export function eventEntry(model, message) {
  const event = toEvent(message);
  if (event === null) return null;
  const msgid = message.tags.get("msgid") || null;
  return makeEntry({ time: timeOf(model, message), kind: "event", msgid, from: message.nick, mine: model.isMe(message.nick), event });
}

/**
 * @param {Message} message
 * @returns {TimelineEvent | null}
 */
function toEvent({ command, nick, params, source }) {
  const text = (/** @type {number} */ index) => cleanLine(params[index] ?? "");
  if (command === "JOIN") return { type: "join", who: nick };
  if (command === "PART") return { type: "part", who: nick, reason: text(1) };
  if (command === "KICK") return { type: "kick", who: text(1), by: nick, reason: text(2) };
  if (command === "QUIT") return { type: "quit", who: nick, reason: text(0) };
  if (command === "TOPIC") return { type: "topic", by: nick, text: text(1) };
  if (command === "RENAME") return { type: "rename", by: nick, from: text(0), to: text(1) };
  if (command !== "MODE" || !isChannel(params[0] ?? "")) return null;
  // The server's own modes only restore the status of members who joined.
  if (!source.includes("!") && /^\+[qaohv]+$/.test(params[1] ?? "")) return null;
  return { type: "mode", by: nick, text: cleanLine(params.slice(1).join(" ")) };
}

/**
 * Returns the change that a line makes to a message: a reaction or a redaction.
 * @param {Model} model
 * @param {Message} message
 * @returns {{ msgid: string, change: Change } | null}
 */
export function toChange(model, { command, tags, nick, params }) {
  if (command === "REDACT") {
    return { msgid: params[1] ?? "", change: { type: "redact", by: nick, reason: cleanLine(params[2] ?? "", 200) } };
  }
  if (command !== "TAGMSG") return null;
  const removed = tags.get("+draft/unreact");
  const emoji = cleanLine(tags.get("+draft/react") ?? removed ?? "", 32);
  const msgid = tags.get("+draft/reply") || tags.get("+reply") || "";
  if (emoji === "" || msgid === "") return null;
  const remove = !tags.has("+draft/react");
  const at = tags.get("msgid") ?? tags.get("time") ?? "";
  return { msgid, change: { type: "react", emoji, from: nick, mine: model.isMe(nick), remove, at } };
}

/**
 * Keeps a message that mentions the account or answers it.
 * @param {Model} model
 * @param {Buffer} buffer
 * @param {Entry} entry
 */
export function noteMention(model, buffer, entry) {
  const isAnswer = entry.replyTo !== null && buffer.byMsgid(entry.replyTo)?.mine === true;
  if (isAnswer) entry.isMention = true;
  if (!buffer.isChannel || !entry.isMention || entry.msgid === null) return;
  if (model.mentions.some((known) => known.msgid === entry.msgid)) return;
  model.mentions = [...model.mentions, toListed(buffer.name, entry)].slice(-MAX_MENTIONS);
  model.touch("mentions");
}

/**
 * @param {string} conversation
 * @param {Entry} entry
 * @returns {import("./types.js").ListedMessage}
 */
export function toListed(conversation, entry) {
  const { msgid, time, from, text, kind, mine, replyTo } = entry;
  return { conversation, msgid: msgid ?? "", time, from, text, kind, mine, replyTo, isGone: entry.redacted !== null };
}
