/** Accounts as others see them: presence, away messages, display names. */

import { cleanLine } from "../wire/clean.js";
import { foldName } from "../wire/names.js";

/** @import { Person, Presence } from "./types.js" */

/** Metadata keys that the model subscribes to. */
export const PINNED = "parlour/pinned-messages";
export const BOOKMARKS = "parlour/bookmarks";
export const MUTED = "soju.im/muted";
export const BLOCKED = "soju.im/blocked";
export const DISPLAY_NAME = "display-name";

/** Limit of the accounts that are kept; only a hostile server names more. */
const MAX_PEOPLE = 50_000;

/** Letters that look like Latin ones (https://www.unicode.org/reports/tr39/#Confusable_Detection), each before that one. */
const LATIN_LIKE = new Map(
  "аa еe оo рp сc уy хx іi ӏi јj ѕs ԁd һh ԛq ԝw вb ьb кk мm нh тt гr пn αa βb εe ηn ιi κk μu νv οo ρp σo τt υu χx γy ωw ıi łi øo đd ðd ħh þp ßb".split(" ").map(([letter = "", latin = ""]) => [letter, latin]),
);

/** Letters that some fonts show alike, reduced to one. */
const ALIKE = /** @type {const} */ ([
  [/[il1|]/g, "i"],
  [/0/g, "o"],
  [/rn/g, "m"],
  [/vv/g, "w"],
]);

/**
 * Names whose letters are all known to this file, in the form that `look` returns: Latin ones, and those of scripts none of whose
 * letters can be taken for Latin ones. Letters of scripts that have such ones stand among their own alone.
 */
const CLEAR =
  /^[a-zæœ\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Devanagari}\p{Script=Thai}\p{N}\p{M}\s.'’-]+$/u;
const WITH_LATIN_LIKE = /[\p{Script=Cyrillic}\p{Script=Greek}]/u;
const ONE_SCRIPT = /^(?:[\p{Script=Cyrillic}\p{N}\p{M}\s.'’-]+|[\p{Script=Greek}\p{N}\p{M}\s.'’-]+)$/u;

/** Words in messages to services behind which a password may stand. */
const PASSWORD = /\b(auth|confirm|ghost|id|identify|login|oper|pass|passwd|password|recover|regain|register|release|setpass|verify)\s+(.*)$/is;

export class People {
  constructor() {
    /** @type {Map<string, Person>} */
    this.all = new Map();
    /** Accounts by the form of their display names in which those that look alike are one. @type {Map<string, Set<string>>} */
    this.byLook = new Map();
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

  /** @param {string} name @param {string | null} value */
  setDisplayName(name, value) {
    const key = foldName(name);
    const old = this.get(name).displayName;
    if (old !== null) this.byLook.get(look(old))?.delete(key);
    const clean = value === null ? "" : cleanLine(value, 64).replace(/\s+/g, " ").trim();
    const displayName = clean === "" ? null : clean;
    if (displayName !== null) {
      const others = this.byLook.get(look(displayName)) ?? new Set();
      this.byLook.set(look(displayName), others.add(key));
    }
    return this.set(name, { displayName });
  }

  /** Returns the display name of an account if it cannot be taken for somebody else: then it may stand without the nick. @param {string} name */
  trustedName(name) {
    const { displayName } = this.get(name);
    if (displayName === null) return null;
    const form = look(displayName);
    const isUnique = (this.byLook.get(form)?.size ?? 0) <= 1;
    const isFramed = /[()<>[\]{}|·↪*]/.test(displayName);
    const isOwn = form === look(name);
    const looksLikeNick = !/\s/.test(form) && /^[\x21-\x7e]+$/.test(form);
    const isClear = ONE_SCRIPT.test(displayName) || !WITH_LATIN_LIKE.test(displayName) && CLEAR.test(form);
    return isUnique && !isFramed && isClear && (isOwn || !looksLikeNick) ? displayName : null;
  }

  /** @param {string} name @returns {Presence} */
  presence(name) {
    const { online, away } = this.get(name);
    if (online === null) return "unknown";
    return online ? (away === null ? "online" : "away") : "offline";
  }
}

/** Returns the form of a name in which those that look alike are one. @param {string} name */
function look(name) {
  let form = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\0-\x7f]/gu, (letter) => LATIN_LIKE.get(letter) ?? letter);
  for (const [letters, one] of ALIKE) form = form.replace(letters, one);
  return form;
}

/** Returns whether the name is that of a service. @param {string} name */
export function isService(name) {
  return /serv$/i.test(name);
}

/** Replaces passwords in a message to a service. @param {string} target @param {string} text */
export function maskSecret(target, text) {
  return isService(target) ? text.replace(PASSWORD, "$1 ••••") : text;
}
