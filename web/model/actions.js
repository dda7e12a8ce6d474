/** All that a user can do. What only dialogs need is loaded with its first use. */

import { foldName } from "../wire/names.js";
import { BLOCKED, BOOKMARKS, MUTED, PINNED } from "./people.js";
import { Refusal } from "./requests.js";

/**
 * @typedef {import("./types.js").Actions} Actions
 * @typedef {import("./model.js").Model} Model
 *
 * @typedef {object} Link What the connection can do.
 * @property {Actions["login"]} login
 * @property {Actions["register"]} register
 * @property {Actions["logout"]} logout
 * @property {Actions["reconnect"]} reconnect
 * @property {Actions["switchServer"]} switchServer
 */

/** Shortest time between two typing notifications, in ms (https://ircv3.net/specs/client-tags/typing). */
const TYPING_INTERVAL = 3_000;

/**
 * @param {Model} model
 * @param {Link} link
 * @returns {Actions}
 */
export function createActions(model, link) {
  const queries = () => import("./queries.js");
  /** @type {(command: string, ...params: string[]) => Promise<void>} */
  const send = async (command, ...params) => void (await model.requests.send(command, ...params));
  /** @type {(target: string, key: string, on: boolean) => void} */
  const setFlag = (target, key, on) => model.requests.post("METADATA", target, "SET", key, on ? "1" : "0");
  /** @type {(name: string) => string} */
  const maskOf = (name) => (/[!@*?:$]/.test(name) ? name : `${name}!*@*`);
  /** @type {(name: string, row: string) => import("./types.js").Entry | null} */
  const takeFailed = (name, row) => {
    const buffer = model.buffer(name);
    const entry = buffer?.outgoing.find((one) => one.row === row && one.status === "failed");
    if (buffer === undefined || entry === undefined) return null;
    buffer.outgoing.splice(buffer.outgoing.indexOf(entry), 1);
    buffer.version += 1;
    model.touchTimeline(buffer);
    return entry;
  };
  /** @type {Actions} */
  const actions = {
    login: (name, password, remember) => link.login(name, password, remember),
    register: (name, password, token) => link.register(name, password, token),
    logout: () => link.logout(),
    reconnect: () => link.reconnect(),
    switchServer: (name) => link.switchServer(name),

    open: (name) => model.show(name),
    close: (name) => {
      const buffer = model.buffer(name);
      if (buffer === undefined || buffer.joined === buffer.isChannel) return;
      if (model.current === buffer.key) model.show(null);
      model.buffers.delete(buffer.key);
      if (!buffer.isChannel && !model.watched.has(buffer.key)) model.requests.post("MONITOR", "-", name);
      model.touch("conversations");
    },
    join: (channel, key) => send("JOIN", channel, ...(key ? [key] : [])),
    part: (channel, reason) => send("PART", channel, ...(reason ? [reason] : [])),
    markRead: (name) => {
      const buffer = model.buffer(name);
      if (buffer !== undefined) model.markRead(buffer);
    },
    loadOlder: (name) => {
      const buffer = model.buffer(name);
      if (buffer !== undefined) buffer.wantsOlder = true;
      model.history.schedule();
    },
    loadNewer: (name) => {
      const buffer = model.buffer(name);
      if (buffer !== undefined) buffer.wantsNewer = true;
      model.history.schedule();
    },
    jumpTo: (name, msgid) => {
      const buffer = model.openBuffer(name);
      model.show(name);
      const loaded = buffer.byMsgid(msgid);
      if (loaded !== undefined) return Promise.resolve(loaded.row);
      if (!model.ready) return Promise.reject(Refusal.offline());
      buffer.jump?.reject(new Refusal("replaced", "refusal.gone"));
      return new Promise((resolve, reject) => {
        buffer.jump = { msgid, resolve, reject };
        [buffer.failures, buffer.retryAt] = [0, 0];
        model.history.schedule();
      });
    },
    jumpToLatest: (name) => {
      const buffer = model.buffer(name);
      if (buffer === undefined || buffer.extent !== "past") return;
      buffer.clear();
      model.touchTimeline(buffer);
      model.history.schedule();
    },
    setDraft: (name, text, replyTo) => {
      const buffer = model.openBuffer(name);
      const hadDraft = buffer.draft !== "";
      [buffer.draft, buffer.draftReply] = [text, replyTo];
      const isEmpty = text === "" && replyTo === null;
      model.env.storage.set(`draft:${buffer.key}`, isEmpty ? null : JSON.stringify({ text, replyTo }));
      if (hadDraft !== (text !== "")) model.touch("conversations");
    },
    typing: (name, status) => {
      const buffer = model.buffer(name);
      const now = model.env.now();
      const isDone = status === "done";
      if (buffer === undefined || !model.settings.sendTyping || !model.caps.has("message-tags")) return;
      if (isDone ? buffer.lastTypingSent === 0 : now - buffer.lastTypingSent < TYPING_INTERVAL) return;
      buffer.lastTypingSent = isDone ? 0 : now;
      if (model.ready) model.requests.sendWith({ "+typing": status }, "TAGMSG", [name], true).catch(() => {});
    },

    submit: async (name, text, replyTo) => {
      const { submit } = await import("./commands.js");
      const result = await submit(model, actions, name, text, replyTo);
      if (name !== null && result.type !== "invalid" && result.type !== "confirm") actions.setDraft(name, "", null);
      return result;
    },
    send: (name, text, replyTo = null) => {
      const buffer = model.openBuffer(name);
      [buffer.lastTypingSent, buffer.newSince] = [0, null];
      model.sending.send(name, text, replyTo);
    },
    resend: (name, row) => {
      const entry = takeFailed(name, row);
      if (entry !== null) model.sending.send(name, entry.text, entry.replyTo, entry.kind === "action");
    },
    discard: (name, row) => void takeFailed(name, row),
    react: (name, msgid, emoji) => {
      const own = model.buffer(name)?.byMsgid(msgid)?.reactions?.find((reaction) => reaction.emoji === emoji)?.own ?? null;
      const tags = { [own === null ? "+draft/react" : "+draft/unreact"]: own ?? emoji, "+draft/reply": msgid };
      const refused = (/** @type {Refusal} */ refusal) => model.notify("error", refusal.text, name);
      model.requests.sendWith(tags, "TAGMSG", [name], false).catch(refused);
    },
    redact: (name, msgid) => model.hold(model.openBuffer(name), msgid, ""),
    undoRedact: (name, msgid) => void model.release(`${foldName(name)} ${msgid}`),
    redactOther: (name, msgid, reason) => send("REDACT", name, msgid, ...(reason ? [reason] : [])),
    pin: async (name, msgid, on) => (await queries()).mark(model, name, PINNED, msgid, on),
    bookmark: async (name, msgid, on) => (await queries()).mark(model, name, BOOKMARKS, msgid, on),
    pinned: async (name) => (await queries()).messages(model, name, model.buffer(name)?.pinned ?? []),
    loadBookmarks: async () => {
      const { messages } = await queries();
      const all = [...model.buffers.values()].filter((buffer) => buffer.bookmarks.length > 0);
      return (await Promise.all(all.map((buffer) => messages(model, buffer.name, buffer.bookmarks)))).flat();
    },
    loadMentions: async () => (await queries()).loadMentions(model),
    thread: async (name, msgid) => (await queries()).thread(model, name, msgid),
    message: async (name, msgid) => (await queries()).message(model, name, msgid),
    search: async (query) => (await queries()).search(model, query),

    loadDirectory: async (words) => (await queries()).loadDirectory(model, words),
    profile: async (account) => (await queries()).profile(model, account),

    setAway: (message) => {
      model.ownAway = message === "" ? null : message;
      return send("AWAY", ...(message === "" ? [] : [message]));
    },
    setDisplayName: (name) => send("METADATA", "*", "SET", "display-name", ...(name ? [name] : [])),
    setFullName: (name) => send("SETNAME", name),
    changePassword: async (old, next) => {
      const { lines } = await model.requests.send("PASSWD", old, next);
      return lines[0]?.params.at(-1) ?? "";
    },
    devices: async () => (await queries()).devices(model),
    revokeDevice: (fingerprint) => send("CERT", "DEL", fingerprint),
    ignore: (account, on) => {
      model.setBlocked(account, on);
      setFlag(account, BLOCKED, on);
    },
    watch: (account, on) => {
      const key = foldName(account);
      if (on) model.watched.set(key, { name: account, online: model.people.get(account).online });
      else model.watched.delete(key);
      model.env.storage.set("watched", JSON.stringify([...model.watched.values()].map(({ name }) => name)));
      if (on) model.monitor(account);
      else if (model.buffer(account) === undefined) model.requests.post("MONITOR", "-", account);
      model.touch("people");
    },
    mute: (name, on) => {
      const buffer = model.openBuffer(name);
      buffer.muted = on;
      setFlag(name, MUTED, on);
      model.touch("conversations");
    },
    setLevel: (name, level) => {
      const { levels } = model.settings;
      const conversations = { ...levels.conversations };
      delete conversations[foldName(name)];
      if (level !== null) conversations[foldName(name)] = level;
      model.setSetting("levels", { ...levels, conversations });
    },
    setSetting: (key, value) => model.setSetting(key, value),

    setTopic: (channel, text) => send("TOPIC", channel, text),
    inviteTo: (channel, account) => send("INVITE", account, channel),
    knock: (channel, text) => send("KNOCK", channel, ...(text ? [text] : [])),
    rename: (channel, to) => send("RENAME", channel, to),
    mode: (channel, letters, ...params) => send("MODE", channel, letters, ...params),
    kick: (channel, account, reason) => send("KICK", channel, account, ...(reason ? [reason] : [])),
    ban: (channel, account, on) => send("MODE", channel, on ? "+b" : "-b", maskOf(account)),
    muteMember: (channel, account, on) => send("MODE", channel, on ? "+b" : "-b", `m:${maskOf(account)}`),
    bans: async (channel) => (await queries()).bans(model, channel),

    invites: async () => (await queries()).invites(model),
    createInvite: async (options) => (await queries()).createInvite(model, options),
    revokeInvite: (id) => send("INVITES", "REVOKE", String(id)),
    kill: (account, reason) => send("KILL", account, ...(reason ? [reason] : [])),
    wallops: (text) => send("WALLOPS", text),
    audit: async (count = 50) => (await queries()).audit(model, count),
    statistics: async () => (await queries()).statistics(model),
    rehash: async () => {
      const { lines } = await model.requests.send("REHASH");
      return lines[0]?.params.at(-1) ?? "";
    },

    setFocused: (focused) => model.setFocused(focused),
    dismissNotice: (id) => {
      model.notices = model.notices.filter((notice) => notice.id !== id);
      model.touch("notices");
    },
  };
  return actions;
}
