/** A channel that the account is in, and the server's features that its modes depend on. */

import { cleanLine } from "../wire/clean.js";
import { foldName } from "../wire/names.js";
import { nickOf } from "../wire/message.js";

/** @import { Prefix } from "./types.js" */

/** Limit of the members of one channel; only a hostile server names more. */
const MAX_MEMBERS = 100_000;

/** The server's features as `RPL_ISUPPORT` states them. The defaults are Parlour's own values. */
export class Isupport {
  constructor() {
    /** Limit of a line without its tags, CR LF included, in bytes. */
    this.lineBytes = 512;
    /** Modes that give a member status, with their prefixes, highest first. @type {[string, string][]} */
    this.statusModes = [["q", "~"], ["a", "&"], ["o", "@"], ["h", "%"], ["v", "+"]];
    /** List modes, modes that always have a parameter, modes that have one when set. */
    this.modeTypes = ["Ibe", "k", "l"];
    /** Limit of messages in one result of the history. */
    this.historyPage = Infinity;
    this.network = "";
    /** Address that files are sent to; "" if the server takes none. */
    this.uploadUrl = "";
  }

  /** @param {string} token */
  apply(token) {
    const at = token.indexOf("=");
    const [key, value] = at < 0 ? [token, ""] : [token.slice(0, at), token.slice(at + 1)];
    if (key === "LINELEN") this.lineBytes = Math.max(Number(value) || 512, 512);
    else if (key === "CHANMODES") this.modeTypes = value.split(",");
    else if (key === "CHATHISTORY") this.historyPage = Number(value) || Infinity;
    else if (key === "NETWORK") this.network = cleanLine(value.replaceAll("\\x20", " "), 200);
    else if (key.endsWith("/FILEHOST")) this.uploadUrl = value;
    else if (key === "PREFIX") {
      const [, modes = "", prefixes = ""] = /^\((.*)\)(.*)$/.exec(value) ?? [];
      if (modes !== "") this.statusModes = Array.from(modes, (mode, index) => [mode, prefixes.charAt(index)]);
    }
  }

  /** Splits the prefixes off a name of a list of members. @param {string} item @returns {{ name: string, prefixes: string }} */
  splitPrefixes(item) {
    let at = 0;
    while (at < item.length && this.statusModes.some(([, prefix]) => prefix === item.charAt(at))) at += 1;
    return { prefixes: item.slice(0, at), name: nickOf(item.slice(at)) };
  }

  /** Returns whether a mode takes a parameter when it is set (`on`) or removed. @param {string} mode @param {boolean} on */
  takesParameter(mode, on) {
    const [list = "", always = "", set = ""] = this.modeTypes;
    return list.includes(mode) || always.includes(mode) || (on && set.includes(mode));
  }
}

export class Channel {
  constructor() {
    this.topic = "";
    /** @type {string | null} */
    this.topicBy = null;
    /** @type {number | null} */
    this.topicTime = null;
    /** Members with the prefixes of their status, highest first. Those that are offline are known once the server has listed them. @type {Map<string, { name: string, prefixes: string, isOnline: boolean }>} */
    this.members = new Map();
    /** @type {Set<string>} */
    this.modes = new Set();
    /** @type {number | null} */
    this.limit = null;
    /** Set by a broken connection, until the server confirms the membership again. */
    this.isStale = false;
    /** Names of a list that has not ended. @type {string[]} */
    this.names = [];
  }

  /** @param {string} name @param {boolean} [isOnline] @param {string} [prefixes] */
  add(name, isOnline = true, prefixes = "") {
    const key = foldName(name);
    const known = this.members.get(key);
    if (known) known.isOnline = isOnline;
    else if (this.members.size < MAX_MEMBERS) this.members.set(key, { name, prefixes, isOnline });
  }

  /** Notes that a member went offline, which stays a member. Returns whether it was one that was online. @param {string} name */
  setOffline(name) {
    const member = this.members.get(foldName(name));
    if (!member?.isOnline) return false;
    member.isOnline = false;
    return true;
  }

  /** Removes a member. Returns whether it was one. @param {string} name */
  remove(name) {
    return this.members.delete(foldName(name));
  }

  /** @param {string} names */
  addNames(names) {
    if (this.names.length < MAX_MEMBERS) this.names.push(...names.split(" ").filter((name) => name !== ""));
  }

  /** @param {Isupport} isupport */
  endNames(isupport) {
    this.members = new Map([...this.members].filter(([, member]) => !member.isOnline));
    for (const item of this.names) {
      const { name, prefixes } = isupport.splitPrefixes(item);
      if (name !== "") this.members.set(foldName(name), { name, prefixes, isOnline: true });
    }
    this.names = [];
  }

  /** Takes over changes of modes, such as `+o-v`. @param {string} letters @param {string[]} params @param {Isupport} isupport */
  applyModes(letters, params, isupport) {
    const rest = [...params];
    let on = true;
    for (const letter of letters) {
      const status = isupport.statusModes.find(([mode]) => mode === letter);
      const param = status || isupport.takesParameter(letter, on) ? rest.shift() ?? "" : "";
      if (letter === "+" || letter === "-") on = letter === "+";
      else if (status) this.setStatus(param, status[1], on, isupport);
      else if (isupport.modeTypes[0].includes(letter)) continue;
      else if (on) this.modes.add(letter);
      else this.modes.delete(letter);
      if (letter === "l") this.limit = on ? Number(param) || null : null;
    }
  }

  /** @param {string} name @param {string} prefix @param {boolean} on @param {Isupport} isupport */
  setStatus(name, prefix, on, isupport) {
    const member = this.members.get(foldName(name));
    if (member === undefined) return;
    const has = (/** @type {string} */ other) => (other === prefix ? on : member.prefixes.includes(other));
    member.prefixes = isupport.statusModes.map(([, other]) => (has(other) ? other : "")).join("");
  }

  /** @param {string} name @returns {Prefix} */
  prefixOf(name) {
    const prefixes = this.members.get(foldName(name))?.prefixes ?? "";
    return /** @type {Prefix} */ (prefixes.charAt(0));
  }
}
