/** Actions on messages, and lists of them. */

import { foldName } from "../../wire/names.js";
import { BOOKMARKS, PINNED } from "../people.js";
import { Refusal } from "../requests.js";

/** @import { Model } from "../model.js" */
/** @import { Redactions } from "../redactions.js" */
/** @import { Sending } from "../sending.js" */
/** @import { Actions, CommandResult, Entry } from "../types.js" */

/** Shortest time between two typing notifications, in ms (https://ircv3.net/specs/client-tags/typing). */
const TYPING_INTERVAL = 3_000;

/** Numbers of messages that a text may become: without a question, and at all. */
const MANY_MESSAGES = 3;
const MAX_MESSAGES = 10;

/** @param {Model} model @param {Sending} sending @param {Redactions} redactions */
export function messageActions(model, sending, redactions) {
  const queries = () => import("./queries.js");
  /** @type {(command: string, ...params: string[]) => Promise<void>} */
  const send = async (command, ...params) => void (await model.requests.send(command, ...params));
  /** @type {(name: string, row: string) => Entry | null} */
  const takeFailed = (name, row) => {
    const buffer = model.buffer(name);
    const entry = buffer?.outgoing.find((one) => one.row === row && one.status === "failed");
    if (buffer === undefined || entry === undefined) return null;
    buffer.outgoing.splice(buffer.outgoing.indexOf(entry), 1);
    buffer.version += 1;
    model.touchTimeline(buffer);
    return entry;
  };
  /** @satisfies {Partial<Actions>} */
  const actions = {
    submit: async (name, text, replyTo) => {
      const { actions: all } = model;
      const message = text.replace(/^\/\//, "/");
      const isCommand = text.startsWith("/") && message === text;
      // What would become many messages is most often pasted by mistake.
      const count = isCommand || name === null ? 0 : sending.split(name, message).length;
      /** @type {CommandResult} */
      let result = { type: "sent" };
      if (all === null) return result;
      if (isCommand) result = await (await import("./commands.js")).runCommand({ model, actions: all, name, replyTo }, text);
      else if (name === null || count > MAX_MESSAGES) return { type: "invalid", key: name === null ? "command.noConversation" : "command.tooLong" };
      else if (count > MANY_MESSAGES) {
        const confirm = async () => {
          all.send(name, message, replyTo);
          all.setDraft(name, "", null);
          return /** @type {const} */ ({ type: "sent" });
        };
        return { type: "confirm", key: "confirm.manyMessages", values: { count: String(count) }, confirm };
      } else all.send(name, message, replyTo);
      if (name !== null && result.type !== "invalid" && result.type !== "confirm") all.setDraft(name, "", null);
      return result;
    },
    send: (name, text, replyTo = null, files = "") => {
      const buffer = model.openBuffer(name);
      [buffer.lastTypingSent, buffer.newSince] = [0, null];
      sending.send(name, text, replyTo);
      const sent = buffer.outgoing.at(-1);
      if (sent && files !== "") sent.files = files;
    },
    resend: (name, row) => {
      const entry = takeFailed(name, row);
      if (entry !== null) sending.send(name, entry.text, entry.replyTo, entry.kind === "action");
    },
    discard: (name, row) => void takeFailed(name, row),
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
    typing: (name, status) => {
      const buffer = model.buffer(name);
      const now = model.env.now();
      const isDone = status === "done";
      if (buffer === undefined || !model.settings.sendTyping || !model.caps.has("message-tags")) return;
      if (isDone ? buffer.lastTypingSent === 0 : now - buffer.lastTypingSent < TYPING_INTERVAL) return;
      buffer.lastTypingSent = isDone ? 0 : now;
      if (model.ready) model.requests.sendWith({ "+typing": status }, "TAGMSG", [name], true).catch(() => {});
    },
    react: (name, msgid, emoji) => {
      const own = model.buffer(name)?.byMsgid(msgid)?.reactions?.find((reaction) => reaction.emoji === emoji)?.own ?? null;
      const tags = { [own === null ? "+draft/react" : "+draft/unreact"]: own ?? emoji, "+draft/reply": msgid };
      const refused = (/** @type {Refusal} */ refusal) => model.notify("error", refusal.text, name);
      model.requests.sendWith(tags, "TAGMSG", [name], false).catch(refused);
    },
    redact: (name, msgid) => redactions.hold(model.openBuffer(name), msgid, ""),
    undoRedact: (name, msgid) => void redactions.release(`${foldName(name)} ${msgid}`),
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
    sharedFiles: async (name, before) => (await queries()).sharedFiles(model, name, before),
    fileToken: async () => (await queries()).fileToken(model),
    search: async (query) => (await queries()).search(model, query),
  };
  return actions;
}
