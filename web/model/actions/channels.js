/** Actions on channels, with moderation. */

/**
 * @typedef {import("../types.js").Actions} Actions
 * @typedef {import("../model.js").Model} Model
 */

/** @param {Model} model */
export function channelActions(model) {
  /** @type {(command: string, ...params: string[]) => Promise<void>} */
  const send = async (command, ...params) => void (await model.requests.send(command, ...params));
  /** @type {(name: string) => string} */
  const maskOf = (name) => (/[!@*?:$]/.test(name) ? name : `${name}!*@*`);
  /** @satisfies {Partial<Actions>} */
  const actions = {
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
