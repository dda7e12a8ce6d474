/** The state of one account on one server, made from the lines that it receives. It outlives connections. */

import { foldName, isChannel } from "../wire/names.js";
import { parseMessage } from "../wire/message.js";
import { keepLoading } from "./actions/index.js";
import { Buffer } from "./buffer.js";
import { Isupport } from "./channel.js";
import { History } from "./history.js";
import { handleLine, MEMBERS } from "./lines.js";
import { BLOCKED, BOOKMARKS, DISPLAY_NAME, MUTED, People, PINNED } from "./people.js";
import { Requests } from "./requests.js";
import { parseObject, readSettings } from "./settings.js";

/** @import { Channel } from "./channel.js" */
/** @import { Redactions } from "./redactions.js" */
/** @import { Rest } from "./rest.js" */
/** @import { Sending } from "./sending.js" */
/** @import { Actions, Directory, Entry, ListedMessage, ModelEnvironment, Notice, Topic } from "./types.js" */

const MAX_NOTICES = 50;
/** Limit of what waits for `rest`; a server sends a few lines for each account with a display name. */
const MAX_PENDING = 20_000;

export class Model {
  /** @param {ModelEnvironment} env */
  constructor(env) {
    this.env = env;
    this.me = "";
    /** @type {Set<string>} */
    this.caps = new Set();
    this.isupport = new Isupport();
    this.online = false;
    /** Set when the server has sent everything that it sends at login. */
    this.ready = false;
    this.wasReady = false;
    this.isOper = false;
    /** This session's `nick!user@host`. */
    this.ownSource = "";
    /** @type {string | null} */
    this.ownAway = null;
    /** @type {number | null} */
    this.downSince = null;
    this.people = new People();
    /** @type {Map<string, Channel>} */
    this.channels = new Map();
    /** @type {Map<string, Buffer>} */
    this.buffers = new Map();
    /** @type {string | null} */
    this.current = null;
    this.focused = true;
    this.settings = readSettings(env.storage);
    /** @type {Set<string>} */
    this.blocked = new Set();
    /** Watched accounts, and whether each was online when it was told last. @type {Map<string, { name: string, online: boolean | null }>} */
    this.watched = new Map();
    /** Loaded after the first view. @type {Rest | null} */
    this.rest = null;
    /** What waits for it. @type {((rest: Rest) => void)[]} */
    this.pending = [];
    /** Messages on their way, loaded with the first. @type {Sending | null} */
    this.sending = null;
    /** Messages that wait for `sending` to be loaded. @type {Entry[]} */
    this.early = [];
    /** @type {Redactions | null} */
    this.redactions = null;
    /** @type {Actions | null} */
    this.actions = null;
    /** @type {Notice[]} */
    this.notices = [];
    this.noticeCount = 0;
    /** @type {string[]} */
    this.motd = [];
    this.shownMotd = "";
    /** Messages that mention the account or answer it, oldest first. @type {ListedMessage[]} */
    this.mentions = [];
    /** @type {Directory} */
    this.directory = { channels: [], accounts: [], loading: false, isComplete: true, time: 0 };

    /** @type {Set<Topic>} */
    this.changed = new Set();
    /** @type {Set<(topics: Set<Topic>) => void>} */
    this.listeners = new Set();
    /** @type {Set<(alert: import("./types.js").Alert) => void>} */
    this.alertListeners = new Set();

    this.requests = new Requests(env.write, (message, label) => handleLine(this, message, label));
    this.history = new History(this);
    const { names } = parseObject(env.storage.get("watched"));
    for (const name of Array.isArray(names) ? names.map(String) : []) this.watched.set(foldName(name), { name, online: null });
  }

  // Changes

  /** Notes what changed; subscribers are told once at the end of the task. @param {...Topic} topics */
  touch(...topics) {
    if (this.changed.size === 0) {
      this.env.soon(() => {
        const changed = this.changed;
        this.changed = new Set();
        for (const listener of this.listeners) listener(changed);
      });
    }
    for (const topic of topics) this.changed.add(topic);
  }

  /** @param {Buffer} buffer */
  touchTimeline(buffer) {
    this.touch(`timeline:${buffer.key}`, "conversations");
  }

  /** Shows a sentence to the user. @param {Notice["kind"]} kind @param {string} text @param {string | null} [conversation] @param {Notice["message"]} [message] */
  notify(kind, text, conversation = null, message = null) {
    this.noticeCount += 1;
    const notice = { id: this.noticeCount, kind, conversation, text, message, time: this.env.now() };
    this.notices = [...this.notices, notice].slice(-MAX_NOTICES);
    this.touch("notices");
  }

  // Conversations

  /** Whether there are drafts, or messages that the server has not confirmed. */
  hasUnsent() {
    return [...this.buffers.values()].some(({ draft, outgoing }) => draft !== "" || outgoing.some((entry) => entry.status !== "sent"));
  }

  /** @param {string} name */
  buffer(name) {
    return this.buffers.get(foldName(name));
  }

  /** Returns the buffer of a conversation, new if need be. @param {string} name */
  openBuffer(name) {
    const known = this.buffer(name);
    if (known !== undefined) return known;
    const buffer = new Buffer(name);
    const { text, replyTo } = this.readDraft(buffer);
    [buffer.draft, buffer.draftReply] = [String(text ?? ""), replyTo ? String(replyTo) : null];
    this.buffers.set(buffer.key, buffer);
    if (!buffer.isChannel) this.monitor(name);
    this.touch("conversations");
    return buffer;
  }

  /** Reads a draft: that of this tab, or what was written last in any. @param {Buffer} buffer */
  readDraft({ key }) {
    const { storage, tab } = this.env;
    return parseObject(storage.get(`draft:${key} ${tab}`) ?? storage.get(`draft:${key}`));
  }

  /** Stores a draft, so that a tab that is loaded anew has its own and another one takes over the last. @param {Buffer} buffer */
  storeDraft({ key, draft: text, draftReply: replyTo }) {
    const { now, storage, tab } = this.env;
    const stored = text === "" && replyTo === null ? null : JSON.stringify({ text, replyTo, time: now() });
    for (const own of [`draft:${key} ${tab}`, `draft:${key}`]) if (stored !== null || storage.get(own) !== null) storage.set(own, stored);
  }

  /** @param {string} name */
  channel(name) {
    return this.channels.get(foldName(name));
  }

  /** @param {string} name */
  isMe(name) {
    return foldName(name) === foldName(this.me);
  }

  /** @param {string} name */
  isIgnored(name) {
    return this.blocked.has(foldName(name));
  }

  /** Buffer of the conversation on the screen. */
  get shown() {
    return this.current === null ? undefined : this.buffers.get(this.current);
  }

  get hasMetadata() {
    return this.caps.has("draft/metadata-3") || this.caps.has("draft/metadata-2");
  }

  /** @param {string} name */
  monitor(name) {
    if (!foldName(name).endsWith("serv")) this.requests.post("MONITOR", "+", name);
  }

  // Connection

  /** Records that a login succeeded. @param {string} me @param {Set<string>} caps */
  connected(me, caps) {
    this.me = me;
    this.caps = caps;
    this.isupport = new Isupport();
    this.online = true;
    this.requests.online = true;
    if (this.sending !== null) this.sending.connected();
    else if (["outgoing:", "held:"].some((kind) => this.env.storage.keys(kind).length > 0)) keepLoading(this);
    this.requests.send("PING", "login").then(() => this.becomeReady(), () => {});
    this.touch("connection");
  }

  /** Records the end of the connection. Unconfirmed messages stay. */
  disconnected() {
    if (this.online) this.downSince = this.env.now();
    this.online = false;
    this.ready = false;
    this.isOper = false;
    this.people.disconnected();
    for (const channel of this.channels.values()) channel.isStale = true;
    for (const buffer of this.buffers.values()) {
      buffer.disconnected();
      this.touch(`timeline:${buffer.key}`, `typing:${buffer.key}`);
    }
    this.requests.disconnected();
    this.touch("connection", "conversations", "people");
  }

  /** @param {string} line */
  receive(line) {
    const message = parseMessage(line);
    if (message !== null) this.requests.receive(message);
  }

  becomeReady() {
    this.ready = true;
    for (const [key, channel] of this.channels) {
      if (!channel.isStale) continue;
      // Another session left it. The server lists all memberships at login.
      this.channels.delete(key);
      const buffer = this.buffers.get(key);
      if (buffer !== undefined) buffer.joined = false;
    }
    this.whenComplete((rest) => rest.findDirectConversations());
    for (const buffer of this.buffers.values()) if (!buffer.isChannel) this.monitor(buffer.name);
    for (const { name } of this.watched.values()) this.monitor(name);
    // AWAY belongs to a session, so a new session has to send it again.
    if (this.ownAway !== null) this.requests.post("AWAY", this.ownAway);
    if (this.hasMetadata) {
      this.requests.post("METADATA", "*", "SUB", PINNED, BOOKMARKS, MUTED, BLOCKED, DISPLAY_NAME);
      this.requests.post("METADATA", "*ALL", "SYNC");
    }
    this.requests.post("MODE", this.me);
    if (this.current === null && !this.wasReady) this.showRemembered();
    if (this.shown !== undefined) this.loadChannel(this.shown);
    this.wasReady = true;
    this.redactions?.sendDue();
    this.whenComplete((rest) => rest.sendMarkers());
    this.history.schedule();
    this.touch("connection", "conversations");
  }

  /** Loads what the view of a channel shows beside the messages. @param {Buffer} buffer */
  async loadChannel(buffer) {
    if (!buffer.isChannel || !buffer.joined || buffer.namesQueried || !this.ready) return;
    buffer.namesQueried = true;
    this.requests.post("MODE", buffer.name);
    await this.requests.send("NAMES", buffer.name).catch(() => null);
    const count = this.channels.get(buffer.key)?.members.size ?? 0;
    // WHO in a large channel costs more than the away states, and who is offline, are worth.
    if (count < 500) this.requests.post("WHO", buffer.name, `a%tcnf,${MEMBERS}`);
  }

  // Reading

  /** Opens the conversation that the page's address names, or that was open last, or the first channel. */
  showRemembered() {
    const remembered = this.env.storage.get("current") ?? "";
    const isLeft = isChannel(remembered) && this.channel(remembered) === undefined;
    const [first = ""] = [...this.channels.keys()].sort();
    const name = this.env.wanted() ?? (isLeft || remembered === "" ? this.buffers.get(first)?.name : remembered);
    if (name !== undefined) this.show(name);
  }

  /** Opens a conversation on the screen. @param {string | null} name */
  show(name) {
    const before = this.shown;
    if (before !== undefined && foldName(name ?? "") !== before.key) {
      before.newSince = null;
      if (before.extent === "past" && before.jump === null) before.clear();
      before.trim();
    }
    this.current = name === null ? null : foldName(name);
    this.touch("conversations");
    if (name === null) return;
    const buffer = this.openBuffer(name);
    buffer.newSince = buffer.unread > 0 ? buffer.marker : null;
    this.env.storage.set("current", buffer.name);
    this.loadChannel(buffer);
    this.history.schedule();
    this.touchTimeline(buffer);
  }

  /** Marks all that is loaded as read. @param {Buffer} buffer */
  markRead(buffer) {
    const latest = buffer.latestTime;
    if (latest <= buffer.marker && buffer.unread === 0) return;
    buffer.marker = Math.max(buffer.marker, latest);
    buffer.unread = 0;
    buffer.mentions = 0;
    buffer.unreadIsLowerBound = false;
    this.touch("conversations");
    this.whenComplete((rest) => rest.sendMarkers());
  }

  /** @param {boolean} focused */
  setFocused(focused) {
    const buffer = this.shown;
    if (this.focused && !focused && buffer !== undefined && buffer.latestTime > 0 && buffer.unread === 0) {
      buffer.newSince = buffer.latestTime;
      this.touchTimeline(buffer);
    }
    this.focused = focused;
  }

  /** @param {Buffer} buffer */
  levelOf(buffer) {
    const { levels } = this.settings;
    return levels.conversations[buffer.key] ?? (buffer.isChannel ? levels.channels : levels.direct);
  }

  /** Does something with the part of the model that is loaded after the first view: now, or in this order once it is. @param {(rest: Rest) => void} run */
  whenComplete(run) {
    if (this.rest !== null) run(this.rest);
    else if (this.pending.length < MAX_PENDING) this.pending.push(run);
  }
}
