/** Actions on conversations: opening, reading, drafts, notifications. */

import { foldName } from "../../wire/names.js";
import { MUTED } from "../people.js";
import { Refusal } from "../requests.js";

/**
 * @typedef {import("../types.js").Actions} Actions
 * @typedef {import("../model.js").Model} Model
 */

/** Shortest time between two typing notifications, in ms (https://ircv3.net/specs/client-tags/typing). */
const TYPING_INTERVAL = 3_000;

/** @param {Model} model */
export function conversationActions(model) {
  /** @type {(command: string, ...params: string[]) => Promise<void>} */
  const send = async (command, ...params) => void (await model.requests.send(command, ...params));
  /** @satisfies {Partial<Actions>} */
  const actions = {
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
    setFocused: (focused) => model.setFocused(focused),
    dismissNotice: (id) => {
      model.notices = model.notices.filter((notice) => notice.id !== id);
      model.touch("notices");
    },
    mute: (name, on) => {
      const buffer = model.openBuffer(name);
      buffer.muted = on;
      model.requests.post("METADATA", name, "SET", MUTED, on ? "1" : "0");
      model.touch("conversations");
    },
    setLevel: (name, level) => {
      const { levels } = model.settings;
      const conversations = { ...levels.conversations };
      delete conversations[foldName(name)];
      if (level !== null) conversations[foldName(name)] = level;
      model.setSetting("levels", { ...levels, conversations });
    },
  };
  return actions;
}
