/** A conversation: the loaded part of its history, without gaps, and what is unread. */

import { foldName, isChannel } from "../wire/names.js";
import { applyChange, countsAsUnread } from "./entries.js";

/** @import { Change, Entry, Extent, Timeline } from "./types.js" */

/** Limits of loaded entries and of their texts; beyond them entries are dropped, and queried again when needed. */
const MAX_ENTRIES = 120_000;
const MAX_SIZE = 64 * 1024 * 1024;
const MAX_BACKGROUND_ENTRIES = 5_000;
const MAX_BACKGROUND_SIZE = 8 * 1024 * 1024;
/** Limit of the changes to messages that are not loaded. */
const MAX_CHANGES = 2_000;

/** @implements {Timeline} */
export class Buffer {
  /** @param {string} name */
  constructor(name) {
    this.key = foldName(name);
    this.name = name;
    this.isChannel = isChannel(name);
    this.version = 0;
    /** @type {Entry[]} */
    this.entries = [];
    /** Position of the first entry. The index of an entry is its position minus this. */
    this.base = 0;
    /** @type {Map<string, Entry>} */
    this.byRow = new Map();
    /** Entries whose row is not their message id. @type {Map<string, Entry>} */
    this.aliases = new Map();
    /** Messages that are not confirmed, or confirmed behind a gap. @type {Entry[]} */
    this.outgoing = [];
    /** Entries that arrived behind a gap. @type {Entry[]} */
    this.waiting = [];
    /** @type {Map<string, Change[]>} */
    this.changes = new Map();
    this.size = 0;

    /** @type {Extent} */
    this.extent = "unloaded";
    this.atStart = false;
    /** @type {Timeline["loading"]} */
    this.loading = "none";
    /** @type {string | null} */
    this.error = null;
    this.failures = 0;
    this.retryAt = 0;
    /** Counts how often what is loaded was dropped: a page that was queried before does not adjoin it. */
    this.generation = 0;
    /** Points for the next queries, where they differ from those of the first and last message. @type {string | null} */
    this.oldestPoint = null;
    /** @type {string | null} */
    this.newestPoint = null;
    this.pages = 0;
    this.wantsOlder = false;
    this.wantsNewer = false;
    /** Target of a jump that is not loaded yet. @type {{ msgid: string, resolve: (row: string) => void, reject: (error: Error) => void } | null} */
    this.jump = null;

    this.joined = !this.isChannel;
    this.namesQueried = false;
    this.muted = false;
    /** Time of the read marker; 0 for none. */
    this.marker = 0;
    this.sentMarker = 0;
    this.unread = 0;
    this.mentions = 0;
    this.unreadIsLowerBound = false;
    /** Time behind which messages are new; `null` for no line. @type {number | null} */
    this.newSince = null;
    /** Typing accounts with the time at which that ends. @type {Map<string, { name: string, until: number }>} */
    this.typing = new Map();
    this.draft = "";
    /** @type {string | null} */
    this.draftReply = null;
    /** @type {string[]} */
    this.pinned = [];
    /** @type {string[]} */
    this.bookmarks = [];
    this.lastTypingSent = 0;
  }

  get length() {
    return this.entries.length + this.outgoing.length;
  }

  get atEnd() {
    return this.extent === "latest";
  }

  get isApart() {
    return this.extent === "past";
  }

  /** @param {number} index */
  at(index) {
    return this.entries[index] ?? this.outgoing[index - this.entries.length];
  }

  /** @param {number} from @param {number} to */
  slice(from, to) {
    const loaded = this.entries.slice(from, to);
    const count = this.entries.length;
    return to <= count ? loaded : loaded.concat(this.outgoing.slice(Math.max(from - count, 0), to - count));
  }

  /** @param {string} row */
  indexOfRow(row) {
    const entry = this.byRow.get(row);
    if (entry !== undefined) return entry.position - this.base;
    const at = this.outgoing.findIndex((other) => other.row === row);
    return at < 0 ? -1 : this.entries.length + at;
  }

  /** @param {string} msgid */
  indexOfMsgid(msgid) {
    const entry = this.byMsgid(msgid);
    return entry === undefined ? -1 : this.indexOfRow(entry.row);
  }

  /** @param {string} msgid */
  byMsgid(msgid) {
    return this.byRow.get(msgid) ?? this.aliases.get(msgid) ?? this.outgoing.find((entry) => entry.msgid === msgid);
  }

  get newRow() {
    const since = this.newSince;
    if (since === null) return null;
    let at = this.indexWhere((entry) => entry.time > since);
    // Where the marker stands before what is loaded, the line does, too.
    if (at === 0 && !this.atStart) return null;
    while (at < this.entries.length && !countsAsUnread(this.entries[at])) at += 1;
    return this.entries[at]?.row ?? null;
  }

  /** Returns the index of the first loaded entry that is behind a point in the order. @param {(entry: Entry) => boolean} isBehind */
  indexWhere(isBehind) {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(this.entries[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Adds an entry that happened now. Returns whether it was new. @param {Entry} entry */
  append(entry) {
    if (entry.msgid !== null && this.byMsgid(entry.msgid) !== undefined) return false;
    if (this.extent === "latest" || this.extent === "unloaded") {
      this.newestPoint = null;
      this.insert(entry);
      this.enforceLimits(true, MAX_ENTRIES, MAX_SIZE);
      return true;
    }
    // The page in flight follows first, and has it too unless it is newer.
    if (this.waiting.length >= MAX_BACKGROUND_ENTRIES) this.waiting.shift();
    this.waiting.push(entry);
    return true;
  }

  /** Adds a page of history that adjoins the loaded entries. Returns whether any of it was new. @param {Entry[]} page Oldest first. @param {boolean} isOlder */
  addPage(page, isOlder) {
    const unknown = page.filter(({ msgid }) => msgid === null || !(this.byRow.has(msgid) || this.aliases.has(msgid)));
    const [first] = this.entries;
    const last = unknown.at(-1);
    const isApart = first !== undefined && last !== undefined && compare(last, first) < 0;
    if (isOlder && isApart && !this.outgoing.some((entry) => entry.msgid !== null)) {
      unknown.sort(compare);
      this.base -= unknown.length;
      unknown.forEach((entry, index) => this.register(entry, this.base + index));
      this.entries = unknown.concat(this.entries);
    } else {
      for (const entry of unknown) this.insert(entry);
    }
    this.version += 1;
    this.enforceLimits(!isOlder, MAX_ENTRIES, MAX_SIZE);
    return unknown.length > 0;
  }

  /** Marks the latest entry as loaded, and adds those that arrived meanwhile. */
  caughtUp() {
    this.extent = "latest";
    this.pages = 0;
    const waiting = this.waiting;
    this.waiting = [];
    const confirmed = this.outgoing.filter((entry) => entry.status === "sent");
    this.outgoing = this.outgoing.filter((entry) => entry.status !== "sent");
    const [first] = this.entries;
    for (const entry of [...waiting, ...confirmed]) {
      // What is older than the loaded part comes with its page.
      const isApart = !this.atStart && first !== undefined && compare(entry, first) < 0;
      if (!isApart && (entry.msgid === null || this.byMsgid(entry.msgid) === undefined)) this.insert(entry);
    }
    this.version += 1;
    this.enforceLimits(true, MAX_ENTRIES, MAX_SIZE);
  }

  /** Drops what is loaded, before a page from elsewhere in the history. */
  clear() {
    this.generation += 1;
    this.entries = [];
    this.byRow.clear();
    this.aliases.clear();
    this.size = 0;
    this.atStart = false;
    this.oldestPoint = null;
    this.newestPoint = null;
    this.extent = "unloaded";
    this.version += 1;
  }

  /** Resets what belongs to a connection. What comes next may come behind a gap. */
  disconnected() {
    this.waiting = [];
    this.loading = "none";
    this.failures = 0;
    this.retryAt = 0;
    this.pages = 0;
    this.namesQueried = false;
    this.typing.clear();
    if (this.extent === "latest") this.extent = "behind";
    // What arrived before the first page may have a gap behind it now, which no page would show.
    if (this.extent === "unloaded") this.clear();
  }

  /** Inserts an entry in the order of time and message id. @param {Entry} entry */
  insert(entry) {
    let added = entry;
    const own = entry.msgid === null ? undefined : this.outgoing.find((other) => other.msgid === entry.msgid);
    if (own !== undefined) {
      this.outgoing = this.outgoing.filter((other) => other !== own);
      added = Object.assign(own, { time: entry.time });
    }
    const last = this.entries.at(-1);
    const isLast = last === undefined || compare(last, added) <= 0;
    const index = isLast ? this.entries.length : this.indexWhere((other) => compare(other, added) > 0);
    if (added.msgid === null && this.isRepeated(added, index)) return;
    if (index === 0 && !isLast) this.base -= 1;
    else for (let at = index; at < this.entries.length; at += 1) this.entries[at].position += 1;
    this.register(added, this.base + index);
    this.entries.splice(index, 0, added);
    this.version += 1;
  }

  /** Returns whether an event without an id is known: it may come live and again from the history. @param {Entry} entry @param {number} index */
  isRepeated(entry, index) {
    const form = (/** @type {Entry} */ one) => JSON.stringify([one.kind, one.from, one.text, one.event]);
    for (let at = index - 1; this.entries[at]?.time === entry.time; at -= 1) {
      if (form(this.entries[at]) === form(entry)) return true;
    }
    return false;
  }

  /** @param {Entry} entry @param {number} position */
  register(entry, position) {
    entry.position = position;
    this.byRow.set(entry.row, entry);
    this.size += entry.text.length;
    if (entry.msgid === null) return;
    if (entry.msgid !== entry.row) this.aliases.set(entry.msgid, entry);
    const changes = this.changes.get(entry.msgid);
    if (changes === undefined) return;
    this.changes.delete(entry.msgid);
    for (const change of changes) applyChange(entry, change);
  }

  /** Applies a change to a message, or keeps it until the message is loaded. @param {string} msgid @param {Change} change */
  change(msgid, change) {
    const entry = this.byMsgid(msgid) ?? this.waiting.find((other) => other.msgid === msgid);
    if (entry !== undefined) {
      this.size -= entry.text.length;
      applyChange(entry, change);
      this.size += entry.text.length;
      this.version += 1;
      return;
    }
    const [oldest = ""] = this.changes.keys();
    if (this.changes.size >= MAX_CHANGES) this.changes.delete(oldest);
    this.changes.set(msgid, [...(this.changes.get(msgid) ?? []), change]);
  }

  /** Reduces a conversation that is not on the screen. */
  trim() {
    if (this.extent !== "past") this.enforceLimits(true, MAX_BACKGROUND_ENTRIES, MAX_BACKGROUND_SIZE);
  }

  /** @param {boolean} keepNewest @param {number} count @param {number} size */
  enforceLimits(keepNewest, count, size) {
    let drop = Math.max(this.entries.length - count, 0);
    const at = (/** @type {number} */ n) => this.entries[keepNewest ? n : this.entries.length - 1 - n];
    let freed = 0;
    for (let n = 0; (n < drop || this.size - freed > size) && n < this.entries.length; n += 1) {
      freed += at(n).text.length;
      drop = Math.max(drop, n + 1);
    }
    if (drop === 0) return;
    const dropped = keepNewest ? this.entries.splice(0, drop) : this.entries.splice(-drop);
    if (keepNewest) {
      this.base += drop;
      this.atStart = false;
      this.oldestPoint = null;
    } else {
      this.newestPoint = null;
      if (this.extent === "latest") this.extent = "past";
    }
    this.size -= freed;
    for (const entry of dropped) {
      this.byRow.delete(entry.row);
      if (entry.msgid !== null) this.aliases.delete(entry.msgid);
    }
    this.version += 1;
  }

  /** Counts the unread messages and mentions anew. */
  recount() {
    this.unread = this.mentions = 0;
    const isRead = (/** @type {Entry} */ entry) => {
      if (entry.time <= this.marker) return true;
      if (countsAsUnread(entry)) this.countUnread(entry);
      return false;
    };
    const hasRead = this.waiting.findLast(isRead) ?? this.entries.findLast(isRead);
    this.unreadIsLowerBound = !hasRead && this.unread > 0 && !this.atStart;
  }

  /** @param {Entry} entry */
  countUnread(entry) {
    this.unread += 1;
    if (entry.isMention || !this.isChannel) this.mentions += 1;
  }

  /** Time of the latest entry that the server sent, if the latest is loaded; 0 if not. */
  get latestTime() {
    if (this.extent !== "latest") return 0;
    return this.entries.findLast((entry) => entry.msgid !== null)?.time ?? 0;
  }

  /** Time of the latest message, for the order of the list. */
  get activity() {
    const latest = (/** @type {Entry[]} */ entries) => entries.findLast((entry) => entry.kind !== "event")?.time ?? 0;
    return Math.max(latest(this.waiting), latest(this.outgoing), latest(this.entries), this.isChannel ? 0 : this.marker);
  }
}

/** @param {Entry} a @param {Entry} b */
function compare(a, b) {
  if (a.time !== b.time) return a.time - b.time;
  const [one, other] = [a.msgid ?? "", b.msgid ?? ""];
  return one < other ? -1 : one > other ? 1 : 0;
}
