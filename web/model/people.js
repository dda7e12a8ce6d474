/** Accounts as others see them: presence, away messages, display names. */

import { cleanLine } from "../wire/clean.js";
import { foldName } from "../wire/names.js";

/** @import { DisplayNames } from "./display-names.js" */
/** @import { Person, Presence } from "./types.js" */

/** Metadata keys that the model subscribes to. */
export const PINNED = "parlour/pinned-messages";
export const BOOKMARKS = "parlour/bookmarks";
export const MUTED = "soju.im/muted";
export const BLOCKED = "soju.im/blocked";
export const DISPLAY_NAME = "display-name";

/** Limit of the accounts that are kept; only a hostile server names more. */
const MAX_PEOPLE = 50_000;

/** Words in messages to services behind which a password may stand. */
const PASSWORD = /\b(auth|confirm|ghost|id|identify|login|oper|pass|passwd|password|recover|regain|register|release|setpass|verify)\s+(.*)$/is;

export class People {
  constructor() {
    /** @type {Map<string, Person>} */
    this.all = new Map();
    /** Display names, and who may be taken for whom, loaded after the first view. @type {DisplayNames | null} */
    this.names = null;
  }

  /** Forgets what belongs to a connection. */
  disconnected() {
    for (const person of this.all.values()) {
      person.online = null;
      person.away = null;
    }
  }

  /** @param {string} name @returns {Person} */
  get(name) {
    return this.all.get(foldName(name)) ?? { online: null, away: null, displayName: null, isBot: false };
  }

  /** @param {string} name */
  isKnown(name) {
    return this.all.has(foldName(name));
  }

  /** Changes an account. Returns whether anything is different now. @param {string} name @param {Partial<Person>} change */
  set(name, change) {
    const key = foldName(name);
    const before = this.all.get(key);
    if (before === undefined && this.all.size >= MAX_PEOPLE) return false;
    const after = { ...this.get(name), ...change };
    if (after.away !== null) after.away = cleanLine(after.away, 400);
    this.all.set(key, after);
    return before === undefined || Object.entries(after).some(([field, value]) => before[/** @type {keyof Person} */ (field)] !== value);
  }

  /** Returns the display name of an account if it cannot be taken for somebody else: then it may stand without the nick. @param {string} name */
  trustedName(name) {
    return this.names?.trusted(name) ?? null;
  }

  /** @param {string} name @returns {Presence} */
  presence(name) {
    const { online, away } = this.get(name);
    if (online === null) return "unknown";
    return online ? (away === null ? "online" : "away") : "offline";
  }
}

/** Returns whether the name is that of a service. @param {string} name */
export function isService(name) {
  return /serv$/i.test(name);
}

/** Replaces passwords in a message to a service. @param {string} target @param {string} text */
export function maskSecret(target, text) {
  return isService(target) ? text.replace(PASSWORD, "$1 ••••") : text;
}
