/** What the first view of a state does without: mentions, display names, what the user marked, what the server tells, who is typing. */

import { cleanLine } from "../wire/clean.js";
import { nickOf } from "../wire/message.js";
import { foldName, isChannel } from "../wire/names.js";
import { findWord } from "../wire/words.js";
import { DisplayNames } from "./display-names.js";
import { useReactions } from "./entries.js";
import { BLOCKED, BOOKMARKS, DISPLAY_NAME, MUTED, PINNED } from "./people.js";
import { appendEvent } from "./lines.js";
import { applyReaction } from "./reactions.js";
import { Refusal } from "./requests.js";

/** @import { Buffer } from "./buffer.js" */
/** @import { Model } from "./model.js" */
/** @import { Entry, ListedMessage, Message } from "./types.js" */

/** Age of the direct conversations that are listed at the first login, in ms (8 weeks). */
const TARGETS_AGE = 8 * 7 * 24 * 3_600_000;
/** Allowance for the difference between the server's clock and ours, in ms. */
const CLOCK_SKEW = 5 * 60_000;
/** Shortest time between two updates of read markers, in ms. */
const MARKER_INTERVAL = 1_500;
/** Lifetimes of typing notifications, in ms (https://ircv3.net/specs/client-tags/typing). */
const TYPING = new Map([["active", 6_000], ["paused", 30_000]]);
const MAX_TYPING = 20;
const MAX_MOTD = 200;
const MAX_MENTIONS = 500;

/** Numerics that are not shown: heads and ends of lists, the setter of a topic, the age of a channel, subscriptions. */
const SILENT = /^(00\d|25\d|26[56]|31[58]|321|323|32[49]|333|365|36[68]|422|37[256]|73[234]|77\d|90\d)$/;

export class Rest {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.markersSentAt = 0;
    this.markersScheduled = false;
  }

  /** Makes up for what was left out until now. */
  begin() {
    const { model } = this;
    useReactions(applyReaction);
    model.people.names = new DisplayNames(model.people);
    for (const buffer of model.buffers.values()) {
      for (const entry of [...buffer.entries, ...buffer.waiting]) {
        const reacting = entry.redacted === null ? entry.reacting ?? [] : [];
        for (const change of reacting) applyReaction(entry, change);
        delete entry.reacting;
        const isMention = !entry.mine && !entry.isMention && this.isMention(entry.text);
        if (!isMention && reacting.length === 0) continue;
        entry.isMention ||= isMention;
        entry.version += 1;
        buffer.version += 1;
      }
      if (buffer.extent !== "unloaded") buffer.recount();
      model.touchTimeline(buffer);
    }
    model.rest = this;
    for (const run of model.pending.splice(0)) run(this);
  }

  /** Opens the direct conversations with recent messages. */
  async findDirectConversations() {
    const { model } = this;
    const now = model.env.now();
    const since = model.downSince === null ? now - TARGETS_AGE : model.downSince - CLOCK_SKEW;
    const [from, to] = [now + 24 * 3_600_000, since].map(timestamp);
    const reply = await model.requests.send("CHATHISTORY", "TARGETS", from, to, "50").catch(() => null);
    for (const { command, params: [, name = ""] } of reply?.lines ?? []) {
      if (command === "CHATHISTORY" && name !== "" && !isChannel(name) && !model.isIgnored(name)) model.openBuffer(name);
    }
    model.history.schedule();
  }

  /** Returns whether a text of somebody else mentions the account. @param {string} text */
  isMention(text) {
    return [this.model.me, ...this.model.settings.highlights].some((word) => findWord(text, word).length > 0);
  }

  /** Tells of a message that is new, if it should notify the user. @param {Buffer} buffer @param {Entry} entry */
  hear(buffer, entry) {
    const { model } = this;
    noteMention(model, buffer, entry);
    const level = model.levelOf(buffer);
    const isWanted = level === "all" || (level === "mentions" && entry.isMention);
    const until = model.settings.doNotDisturbUntil;
    const isQuiet = until === -1 || until > model.env.now();
    const isSeen = model.focused && model.current === buffer.key && buffer.atEnd;
    if (!isWanted || isQuiet || isSeen || buffer.muted || entry.kind === "notice") return;
    for (const listener of model.alertListeners) listener({ conversation: buffer.name, entry });
  }

  /**
   * Takes the page around the target of a jump. Returns whether that is loaded now.
   * @param {Buffer} buffer
   * @param {Entry[]} entries
   * @param {string} target
   * @param {string | null} first Point for the next older page.
   * @param {string | null} last Point for the next newer page.
   */
  arrive(buffer, entries, target, first, last) {
    const { jump } = buffer;
    if (jump?.msgid !== target) return false;
    buffer.jump = null;
    if (!entries.some((entry) => entry.msgid === target)) {
      jump.reject(new Refusal("gone", "refusal.gone"));
      return false;
    }
    buffer.clear();
    buffer.extent = "past";
    buffer.addPage(entries, false);
    [buffer.oldestPoint, buffer.newestPoint] = [first, last];
    jump.resolve(buffer.byMsgid(target)?.row ?? target);
    return true;
  }

  /** Returns the bookmarked messages that are loaded. */
  bookmarks() {
    return [...this.model.buffers.values()].flatMap((buffer) =>
      buffer.bookmarks.map((msgid) => buffer.byMsgid(msgid)).filter((entry) => entry !== undefined).map((entry) => toListed(buffer.name, entry)),
    );
  }

  /** @param {Buffer} buffer @param {Message} message */
  noteTyping(buffer, { nick: name, tags }) {
    const { model } = this;
    const status = tags.get("+typing");
    if (status === undefined || model.isMe(name) || model.isIgnored(name)) return;
    const key = foldName(name);
    const lifetime = TYPING.get(status);
    buffer.typing.delete(key);
    if (lifetime !== undefined && buffer.typing.size < MAX_TYPING) {
      const until = model.env.now() + lifetime;
      buffer.typing.set(key, { name, until });
      model.env.later(lifetime, () => {
        if (buffer.typing.get(key)?.until === until && buffer.typing.delete(key)) model.touch(`typing:${buffer.key}`);
      });
    }
    model.touch(`typing:${buffer.key}`);
  }

  /** @param {{ online: boolean | null }} watched @param {string} name @param {boolean} online */
  notePresence(watched, name, online) {
    if (online && watched.online !== true) this.model.notify("presence", "", name, { key: "notice.online", values: { name } });
    watched.online = online;
  }

  /** Sends the read markers that the server does not know yet. */
  sendMarkers() {
    const { model } = this;
    if (!model.ready || this.markersScheduled) return;
    const wait = this.markersSentAt + MARKER_INTERVAL - model.env.now();
    this.markersScheduled = true;
    model.env.later(Math.max(wait, 0), () => {
      this.markersScheduled = false;
      if (!model.ready) return;
      this.markersSentAt = model.env.now();
      for (const buffer of model.buffers.values()) {
        if (buffer.marker <= buffer.sentMarker) continue;
        buffer.sentMarker = buffer.marker;
        if (model.settings.sendReadMarks) model.requests.post("MARKREAD", buffer.name, timestamp(buffer.marker));
      }
    });
  }

  /**
   * Handles a line that does not change what the first view shows.
   * @param {Message} message
   * @param {string} label
   * @param {boolean} isAwaited Whether somebody waited for a reply with this label, or nobody at all.
   * @param {boolean} ready Whether the login was over when it came.
   */
  handle(message, label, isAwaited, ready) {
    const { model } = this;
    const { command, nick, params: [zero = "", one = "", two = "", three = ""] } = message;
    switch (command) {
      case "METADATA": return this.handleMetadata(zero, one, message.params[3]);
      case "761": return this.handleMetadata(one, two, message.params[4]);
      case "766": return this.handleMetadata(one, two);
      case "774": return two === "0" || two === "" ? model.requests.post("METADATA", one, "SYNC") : undefined;
      case "372": case "375": case "376": return this.handleMotd(command, one, isAwaited && label !== "q");
      case "710": return model.notify("info", "", one, { key: "notice.knock", values: { channel: one, who: nickOf(two), text: cleanLine(three) } });
      case "WALLOPS": return model.notify("wallops", cleanLine(zero), nick);
      case "ACK": return void model.sending?.fail(label, "refusal.unconfirmed");
      case "RENAME": return this.handleRename(message);
      case "INVITE": return this.handleInvite(nick, zero, one);
    }
    const refusal = Refusal.fromMessage(message);
    if (refusal !== null) {
      if (!model.sending?.fail(label, refusal.text) && !isAwaited) model.notify("error", describe(message));
    } else if (/^(?:\d{3}|NOTE|WARN)$/.test(command) && !SILENT.test(command) && ready && !isAwaited) model.notify("info", describe(message));
  }

  /** @param {Message} message */
  handleRename(message) {
    const { model } = this;
    const [from = "", to = ""] = message.params;
    const [oldKey, key] = [foldName(from), foldName(to)];
    const [channel, buffer] = [model.channels.get(oldKey), model.buffers.get(oldKey)];
    if (channel !== undefined) {
      model.channels.delete(oldKey);
      model.channels.set(key, channel);
    }
    if (buffer !== undefined) {
      // Messages to the new name came before this was loaded: they are in the history.
      if (model.buffers.has(key) && key !== oldKey && buffer.extent === "latest") buffer.extent = "behind";
      model.buffers.delete(oldKey);
      [buffer.key, buffer.name] = [key, to];
      model.buffers.set(key, buffer);
      for (const outgoing of model.sending?.queue.values() ?? []) if (foldName(outgoing.target) === oldKey) outgoing.target = to;
      if (model.current === oldKey) model.current = key;
      model.history.schedule();
    }
    appendEvent(model, to, message);
    model.touch("conversations", `channel:${oldKey}`, `channel:${key}`, `timeline:${key}`);
  }

  /** @param {string} by @param {string} who @param {string} channel */
  handleInvite(by, who, channel) {
    const { model } = this;
    if (model.isIgnored(by)) return;
    const values = { by, who, channel };
    if (model.isMe(who)) model.notify("invited", "", channel, { key: "notice.invited", values });
    else model.notify("info", "", channel, { key: "notice.invitedOther", values });
  }

  /** @param {string} target @param {string} key @param {string} [value] */
  handleMetadata(target, key, value = "") {
    const { model } = this;
    const ids = () => [...new Set(value.split(",").filter((id) => /^[\x21-\x7e]{1,64}$/.test(id)))];
    const buffer = model.buffer(target);
    if (key === DISPLAY_NAME) {
      if (model.people.names?.set(target === "*" ? model.me : target, value)) model.touch("people", "conversations");
    } else if (key === BLOCKED) {
      setBlocked(model, target, value === "1");
    } else if (key === MUTED && buffer !== undefined) {
      buffer.muted = value === "1";
      model.touch("conversations");
    } else if (key === PINNED && buffer !== undefined) {
      buffer.pinned = ids();
      model.touch(`channel:${buffer.key}`);
    } else if (key === BOOKMARKS) {
      const marked = ids();
      if (marked.length > 0 || buffer !== undefined) model.openBuffer(target).bookmarks = marked;
      model.touch("bookmarks");
    }
  }

  /** @param {string} command @param {string} text @param {boolean} isAwaited */
  handleMotd(command, text, isAwaited) {
    const { model } = this;
    if (isAwaited) return;
    if (command === "375") model.motd = [];
    else if (command === "372" && model.motd.length < MAX_MOTD) model.motd.push(cleanLine(text.replace(/^- ?/, "")));
    else if (command === "376") {
      const motd = model.motd.join("\n");
      const isNew = motd !== model.shownMotd && motd !== "" && motd !== "There is no message of the day";
      model.shownMotd = motd;
      if (isNew) model.notify("motd", motd);
    }
  }
}

/** Returns a sentence for the user: the context of a reply, then its text. @param {Message} message */
function describe({ command, params }) {
  const own = params.slice(/^(FAIL|WARN|NOTE)$/.test(command) ? 2 : 1);
  const text = own.pop() ?? "";
  return cleanLine(own.length === 0 ? text : `${own.join(" ")}: ${text}`);
}

/** Keeps a message that mentions the account or answers it. @param {Model} model @param {Buffer} buffer @param {Entry} entry */
export function noteMention(model, buffer, entry) {
  if (entry.replyTo !== null && buffer.byMsgid(entry.replyTo)?.mine) entry.isMention = true;
  if (!buffer.isChannel || !entry.isMention || entry.msgid === null || model.mentions.some((known) => known.msgid === entry.msgid)) return;
  model.mentions = [...model.mentions, toListed(buffer.name, entry)].slice(-MAX_MENTIONS);
  model.touch("mentions");
}

/** Takes over an account that the server reports as ignored, or not any more. @param {Model} model @param {string} name @param {boolean} on */
export function setBlocked(model, name, on) {
  const key = foldName(name);
  if (model.blocked.has(key) === on) return;
  if (on) model.blocked.add(key);
  else model.blocked.delete(key);
  for (const buffer of model.buffers.values()) {
    for (const entry of [...buffer.entries, ...buffer.waiting]) {
      if (foldName(entry.from) !== key || entry.mine) continue;
      entry.isIgnored = on;
      entry.version += 1;
      buffer.version += 1;
    }
    buffer.recount();
    model.touchTimeline(buffer);
  }
  model.touch("people");
}

/** @param {string} conversation @param {Entry} entry @returns {ListedMessage} */
export function toListed(conversation, { msgid, time, from, text, kind, mine, replyTo, redacted, files }) {
  return { conversation, msgid: msgid ?? "", time, from, text, kind, mine, replyTo, files, isGone: redacted !== null };
}

/** @param {number} time */
function timestamp(time) {
  return `timestamp=${new Date(time).toISOString()}`;
}
