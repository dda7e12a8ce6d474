/**
 * Messages that were sent and are not confirmed yet. Each has two marks: the label comes back on the echo or the refusal; the send id
 * allows the message to be sent again after a broken connection, because the server stores it once and repeats that echo.
 */

import { clean } from "../wire/clean.js";
import { formatMessage } from "../wire/message.js";
import { byteLength } from "../wire/names.js";
import { splitToFit } from "../wire/split.js";
import { makeEntry } from "./entries.js";
import { isService, maskSecret } from "./people.js";
import { parseObject } from "./settings.js";

/** @import { Buffer } from "./buffer.js" */
/** @import { Model } from "./model.js" */
/** @import { Entry } from "./types.js" */

/**
 * @typedef {object} Outgoing
 * @property {string} id The send id.
 * @property {string} target
 * @property {boolean} isAction
 * @property {string[]} lines
 * @property {string | null} replyTo
 * @property {Entry} entry
 * @property {boolean} isSent Set if it was sent on the current connection.
 */

/**
 * @typedef {object} Stored A message on its way, as it is kept for the next run of the page.
 * @property {string} account
 * @property {string} target
 * @property {boolean} isAction
 * @property {string[]} lines
 * @property {boolean} [isWhole] Set if it has not been split, because the code for that was not loaded.
 * @property {string | null} replyTo
 * @property {number} time
 * @property {number} order
 */

/** Limits of one message; a server with lower ones refuses it, and the user sees its reason. */
const MAX_LINES = 100;
const MAX_BYTES = 16 * 1024;
/** Age up to which the server remembers a send id, with an hour's allowance, in ms. */
const MAX_AGE = 23 * 3_600_000;
/** RFC 1459's limit of a host name, until the server has sent this session's own. */
const MAX_HOST = 63;

export class Sending {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.count = 0;
    this.isRestored = false;
    /** By their labels, oldest first. @type {Map<string, Outgoing>} */
    this.queue = new Map();
  }

  /** Takes over the messages that the page had not confirmed when it ended, and those from before this was loaded. */
  restore() {
    const { env, buffers, early, me } = this.model;
    if (this.isRestored || me === "") return;
    this.isRestored = true;
    const stored = env.storage.keys("outgoing:").map((key) => ({ key, ...parseObject(env.storage.get(key)) }));
    const all = /** @type {(Stored & { key: string })[]} */ (stored).filter(({ account }) => account === me);
    for (const buffer of buffers.values()) buffer.outgoing = buffer.outgoing.filter((entry) => !early.includes(entry));
    for (const { key, target, isAction, lines, isWhole, replyTo, time } of all.sort((a, b) => a.time - b.time || a.order - b.order)) {
      if (!(env.now() - time < MAX_AGE) || !Array.isArray(lines)) env.storage.set(key, null);
      else if (isWhole) {
        env.storage.set(key, null);
        this.add(target, lines.join("\n"), replyTo, false, key.slice("outgoing:".length));
      } else this.push(key.slice("outgoing:".length), target, isAction, lines, replyTo, time);
    }
  }

  /** Sends again what is not confirmed. */
  connected() {
    this.restore();
    for (const [label, outgoing] of this.queue) {
      // Without send ids a second copy would be a second message.
      const isLost = outgoing.isSent && !this.model.caps.has("parlour/send-id");
      outgoing.isSent = false;
      if (isLost) this.fail(label, "refusal.unconfirmed");
    }
    this.flush();
  }

  flush() {
    if (!this.model.online) return;
    for (const [label, outgoing] of this.queue) {
      if (outgoing.isSent) continue;
      outgoing.isSent = true;
      for (const line of this.format(label, outgoing)) this.model.env.write(line);
    }
  }

  /**
   * Sends a text, now or as soon as there is a connection: a single message where the server supports it.
   * @param {string} target
   * @param {string} text
   * @param {string | null} replyTo
   * @param {boolean} [isAction]
   */
  send(target, text, replyTo, isAction = false) {
    this.add(target, text, replyTo, isAction);
    this.flush();
  }

  /** @param {string} target @param {string} text @param {string | null} replyTo @param {boolean} isAction @param {string} [known] Beginning of the send ids, so that another tab that takes over the text, too, has the same. */
  add(target, text, replyTo, isAction, known) {
    for (const [index, lines] of this.split(target, text, isAction).entries()) {
      this.count += 1;
      const id = known ? `${known}-${index}` : `${this.model.env.runId}-${this.count}`;
      const time = this.model.env.now();
      // Passwords are stored nowhere.
      if (!isService(target)) {
        const stored = { account: this.model.me, target, isAction, lines, replyTo, time, order: this.count };
        this.model.env.storage.set(`outgoing:${id}`, JSON.stringify(stored));
      }
      this.push(id, target, isAction, lines, replyTo, time);
    }
  }

  /** @param {string} id @param {string} target @param {boolean} isAction @param {string[]} lines @param {string | null} replyTo @param {number} time */
  push(id, target, isAction, lines, replyTo, time) {
    const text = maskSecret(target, lines.join("\n"));
    const kind = isAction ? "action" : "message";
    const entry = makeEntry({ time, from: this.model.me, mine: true, text: clean(text), kind, status: "pending", replyTo });
    this.queue.set(`m${id}`, { id, target, isAction, lines, replyTo, entry, isSent: false });
    const buffer = this.model.openBuffer(target);
    buffer.outgoing.push(entry);
    buffer.version += 1;
    this.model.touchTimeline(buffer);
  }

  /** Takes the message of an echo out of the queue. @param {string} label */
  take(label) {
    const outgoing = this.queue.get(label);
    if (outgoing === undefined) return null;
    this.queue.delete(label);
    this.model.env.storage.set(`outgoing:${outgoing.id}`, null);
    return outgoing;
  }

  /** Confirms the message of an echo. Returns whether it was not known yet; `null` if it is none of this session. @param {Buffer} buffer @param {string} label @param {Entry} echo */
  confirm(buffer, label, echo) {
    const own = this.take(label);
    return own && confirm(buffer, own.entry, echo);
  }

  /** Fails a message. Returns whether there was one. @param {string} label @param {string} reason */
  fail(label, reason) {
    const outgoing = this.take(label);
    if (outgoing === null) return false;
    const buffer = this.model.openBuffer(outgoing.target);
    outgoing.entry.status = "failed";
    outgoing.entry.reason = reason;
    outgoing.entry.version += 1;
    buffer.version += 1;
    this.model.touchTimeline(buffer);
    return true;
  }

  /**
   * Limit of text in a message, in bytes. It leaves room for the source that the server puts in front when it relays the line.
   * @param {string} target
   * @param {boolean} isAction
   */
  limit(target, isAction) {
    const { me, ownSource, isupport } = this.model;
    const source = ownSource === "" ? 2 * byteLength(me) + 2 + MAX_HOST : byteLength(ownSource);
    const frame = ":  PRIVMSG  :\r\n".length + source + byteLength(target) + (isAction ? "\x01ACTION \x01".length : 0);
    return Math.max(isupport.lineBytes - frame, 32);
  }

  /** Splits a text into messages, each with its lines. @param {string} target @param {string} source @param {boolean} isAction @returns {string[][]} */
  split(target, source, isAction = false) {
    const text = source.replace(/[\r\0]/g, "").replace(/^\n+|\n+$/g, "");
    if (text.trim() === "") return [];
    const lines = text.split("\n");
    const room = this.limit(target, isAction);
    const isWhole = this.model.caps.has("draft/multiline") || !this.model.online;
    const isLong = lines.length > 1 || lines.some((line) => byteLength(line) > room);
    if (isLong && isWhole && !isAction) return group(lines, room);
    return lines.flatMap((line) => splitToFit(line, room)).map((piece) => [piece]);
  }

  /** @param {string} label @param {Outgoing} outgoing */
  format(label, { id, target, isAction, lines, replyTo }) {
    const { caps, isupport } = this.model;
    const tags = {
      label,
      ...(caps.has("parlour/send-id") && { "parlour/send-id": id }),
      ...(replyTo !== null && { "+draft/reply": replyTo }),
    };
    const [first = ""] = lines;
    const room = this.limit(target, isAction);
    const text = (/** @type {string} */ line) => (isAction ? `\x01ACTION ${line}\x01` : line);
    if ((lines.length === 1 && byteLength(first) <= room) || !caps.has("draft/multiline")) {
      return [formatMessage("PRIVMSG", [target, text(lines.join(" "))], tags)];
    }
    const batch = label.slice(1).replace(/[^A-Za-z0-9]/g, "");
    const out = [formatMessage("BATCH", [`+${batch}`, "draft/multiline", target], tags)];
    // A multiline message leaves the server with other tags, so it gets less room in a line.
    const limit = Math.max(isupport.lineBytes - 256, 256);
    for (const line of lines) {
      if (line === "") out.push(formatMessage("PRIVMSG", [target, ""], { batch }));
      splitToFit(line, limit).forEach((piece, index) => {
        out.push(formatMessage("PRIVMSG", [target, piece], { batch, ...(index > 0 && { "draft/multiline-concat": "" }) }));
      });
    }
    out.push(formatMessage("BATCH", [`-${batch}`], {}));
    return out;
  }
}

/** Confirms a message of this session. Returns whether it was not known yet. @param {Buffer} buffer @param {Entry} entry @param {Entry} echo */
function confirm(buffer, entry, { msgid, time, files }) {
  buffer.version += 1;
  entry.version += 1;
  entry.status = "sent";
  entry.reason = null;
  const isKnown = msgid !== null && buffer.byMsgid(msgid) !== undefined;
  entry.msgid = msgid;
  entry.time = time;
  entry.files = files;
  // Behind a gap it stays where it is until the gap is loaded: sent again, it may be older than what arrived since.
  if (!isKnown && buffer.extent !== "latest") return true;
  buffer.outgoing = buffer.outgoing.filter((other) => other !== entry);
  if (!isKnown) buffer.insert(entry);
  return !isKnown;
}

/**
 * Groups lines into messages of several lines, as few as the limits allow.
 * @param {string[]} lines
 * @param {number} room Limit of one line on the wire, in bytes.
 */
function group(lines, room) {
  /** @type {string[][]} */
  const messages = [[]];
  let [bytes, count] = [0, 0];
  for (const line of lines.flatMap((one) => (one === "" ? [""] : splitToFit(one, MAX_BYTES)))) {
    const size = byteLength(line);
    // A piece may end at a space, at two thirds of the room.
    const pieces = Math.max(1, Math.ceil(size / (room * (2 / 3))));
    let current = /** @type {string[]} */ (messages[messages.length - 1]);
    if (current.length > 0 && (count + pieces > MAX_LINES || bytes + 1 + size > MAX_BYTES)) {
      while (current[current.length - 1] === "") current.pop();
      messages.push((current = []));
      [bytes, count] = [0, 0];
    }
    // Empty lines between two messages belong to neither.
    if (line === "" && current.length === 0) continue;
    bytes += size + (current.length > 0 ? 1 : 0);
    count += pieces;
    current.push(line);
  }
  return messages;
}
