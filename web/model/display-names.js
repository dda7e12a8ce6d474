/** Display names, and which of them could be taken for somebody else's. */

import { cleanLine } from "../wire/clean.js";
import { foldName } from "../wire/names.js";

/** @import { People } from "./people.js" */

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

export class DisplayNames {
  /** @param {People} people */
  constructor(people) {
    this.people = people;
    /** Accounts by the form of their display names in which those that look alike are one. @type {Map<string, Set<string>>} */
    this.byLook = new Map();
  }

  /** Changes a display name. Returns whether it is another one now. @param {string} name @param {string | null} value */
  set(name, value) {
    const key = foldName(name);
    const old = this.people.get(name).displayName;
    if (old !== null) this.byLook.get(look(old))?.delete(key);
    const clean = value === null ? "" : cleanLine(value, 64).replace(/\s+/g, " ").trim();
    const displayName = clean === "" ? null : clean;
    if (displayName !== null) {
      const others = this.byLook.get(look(displayName)) ?? new Set();
      this.byLook.set(look(displayName), others.add(key));
    }
    return this.people.set(name, { displayName });
  }

  /** Returns the display name of an account if it cannot be taken for somebody else: then it may stand without the nick. @param {string} name */
  trusted(name) {
    const { displayName } = this.people.get(name);
    if (displayName === null) return null;
    const form = look(displayName);
    const isUnique = (this.byLook.get(form)?.size ?? 0) <= 1;
    const isFramed = /[()<>[\]{}|·↪*]/.test(displayName);
    const isOwn = form === look(name);
    const looksLikeNick = !/\s/.test(form) && /^[\x21-\x7e]+$/.test(form);
    const isClear = ONE_SCRIPT.test(displayName) || !WITH_LATIN_LIKE.test(displayName) && CLEAR.test(form);
    return isUnique && !isFramed && isClear && (isOwn || !looksLikeNick) ? displayName : null;
  }
}

/** Returns the form of a name in which those that look alike are one. @param {string} name */
function look(name) {
  let form = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\0-\x7f]/gu, (letter) => LATIN_LIKE.get(letter) ?? letter);
  for (const [letters, one] of ALIKE) form = form.replace(letters, one);
  return form;
}
