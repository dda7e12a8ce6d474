/** Actions on channels, with moderation, and on the list of conversations. */

import { foldName } from "../../wire/names.js";
import { MUTED } from "../people.js";
import { setSetting } from "./account.js";

/** @import { Model } from "../model.js" */
/** @import { Actions } from "../types.js" */

/** @param {Model} model */
export function channelActions(model) {
  /** @type {(command: string, ...params: string[]) => Promise<void>} */
  const send = async (command, ...params) => void (await model.requests.send(command, ...params));
  /** @type {(name: string) => string} */
  const maskOf = (name) => (/[!@*?:$]/.test(name) ? name : `${name}!*@*`);
  /** @satisfies {Partial<Actions>} */
  const actions = {
    close: (name) => {
      const buffer = model.buffer(name);
      if (buffer === undefined || buffer.joined === buffer.isChannel) return;
      if (model.current === buffer.key) model.show(null);
      model.buffers.delete(buffer.key);
      if (!buffer.isChannel && !model.watched.has(buffer.key)) model.requests.post("MONITOR", "-", name);
      model.touch("conversations");
    },
    join: (channel, key) => send("JOIN", channel, ...(key ? [key] : [])),
    // As in the terminal, a channel that one leaves is off the list.
    part: async (channel, reason) => {
      await send("PART", channel, ...(reason ? [reason] : []));
      actions.close(channel);
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
      setSetting(model, "levels", { ...levels, conversations });
    },
    setTopic: (channel, text) => send("TOPIC", channel, text),
    inviteTo: (channel, account) => send("INVITE", account, channel),
    knock: (channel, text) => send("KNOCK", channel, ...(text ? [text] : [])),
    rename: (channel, to) => send("RENAME", channel, to),
    mode: (channel, letters, ...params) => send("MODE", channel, letters, ...params),
    kick: (channel, account, reason) => send("KICK", channel, account, ...(reason ? [reason] : [])),
    ban: (channel, account, on) => send("MODE", channel, on ? "+b" : "-b", maskOf(account)),
    muteMember: (channel, account, on) => send("MODE", channel, on ? "+b" : "-b", `m:${maskOf(account)}`),
    bans: async (channel) => (await import("./queries.js")).bans(model, channel),
  };
  return actions;
}
