/** Actions on people and the own account, and those of admins. */

import { foldName } from "../../wire/names.js";
import { BLOCKED } from "../people.js";
import { setBlocked } from "../rest.js";
import { writeSettings } from "../settings.js";

/** @import { Model } from "../model.js" */
/** @import { Actions, Settings } from "../types.js" */

/** @param {Model} model */
export function accountActions(model) {
  const queries = () => import("./queries.js");
  /** @type {(command: string, ...params: string[]) => Promise<void>} */
  const send = async (command, ...params) => void (await model.requests.send(command, ...params));
  /** @satisfies {Partial<Actions>} */
  const actions = {
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
      setBlocked(model, account, on);
      model.requests.post("METADATA", account, "SET", BLOCKED, on ? "1" : "0");
    },
    watch: (account, on) => {
      const key = foldName(account);
      if (on) model.watched.set(key, { name: account, online: model.people.get(account).online });
      else model.watched.delete(key);
      model.env.storage.set("watched", JSON.stringify({ names: [...model.watched.values()].map(({ name }) => name) }));
      if (on) model.monitor(account);
      else if (model.buffer(account) === undefined) model.requests.post("MONITOR", "-", account);
      model.touch("people");
    },
    setSetting: (key, value) => setSetting(model, key, value),
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
  };
  return actions;
}

/**
 * @template {keyof Settings} K
 * @param {Model} model
 * @param {K} key
 * @param {Settings[K]} value
 */
export function setSetting(model, key, value) {
  model.settings = { ...model.settings, [key]: value };
  writeSettings(model.env.storage, model.settings);
  model.touch("settings", "conversations");
}
