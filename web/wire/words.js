/**
 * Boundaries of words beside text of any script, for mentions and links. The rule is that of src/client/text/words.rs: a word
 * ends beside a character that does not continue it. Letters and numbers of its script continue it, those of no script (digits),
 * marks and connectors; a hyphen or a bar does with such a letter behind it. So `annさん` has the word `ann`, `ann-marie` not.
 */

/** Scripts that are told apart; letters of all others count as of one script. */
const SCRIPTS = (
  "Latin Cyrillic Greek Armenian Cherokee Coptic Lisu Han Hiragana Katakana Hangul Bopomofo Thai Lao Khmer Myanmar Tibetan " +
  "Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Georgian " +
  "Ethiopic Mongolian"
).split(" ");

/** Scripts that are written without spaces between words. */
const WITHOUT_SPACES = new Set("Han Hiragana Katakana Bopomofo Thai Lao Khmer Myanmar Tibetan".split(" "));

const LETTERS = new Map(SCRIPTS.map((script) => [script, new RegExp(`\\p{Script=${script}}`, "u")]));
const EXTENDED = new Map(SCRIPTS.map((script) => [script, new RegExp(`\\p{Script_Extensions=${script}}`, "u")]));
const COMMON = /[\p{Script=Common}\p{Script=Inherited}]/u;
const COMMON_EXTENDED = /[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]/u;
const WORD_CHAR = /[\p{Alphabetic}\p{N}\p{M}]/u;
const CONNECTOR = /\p{Pc}/u;

/** Returns whether the character is a letter, a number or a combining mark. @param {string} c */
export function isWordChar(c) {
  return WORD_CHAR.test(c);
}

/** Returns the script of a character; "" for one of none, `Other` for one that is not told apart. @param {string} c */
function scriptOf(c) {
  if (/[A-Za-z]/.test(c)) return "Latin";
  if (COMMON.test(c)) return "";
  for (const [script, letters] of LETTERS) if (letters.test(c)) return script;
  return "Other";
}

/** Returns the scripts of the letters of a text, each once. @param {string} text */
export function scriptsOf(text) {
  const scripts = new Set(Array.from(text, scriptOf));
  scripts.delete("");
  return [...scripts];
}

/** @param {string} c @param {string} script */
function isPartOfWord(c, script) {
  if (CONNECTOR.test(c)) return true;
  if (!isWordChar(c)) return false;
  return COMMON_EXTENDED.test(c) || (EXTENDED.get(script)?.test(c) ?? scriptOf(c) === script);
}

/**
 * Returns whether a letter or number, or another part of a word, is next to another one of the same word. Letters of scripts
 * without spaces stand beside each word and so belong to none.
 * @param {string} one
 * @param {string} other
 */
export function areInOneWord(one, other) {
  const [first, second] = [scriptOf(one), scriptOf(other)];
  if (WITHOUT_SPACES.has(first) || WITHOUT_SPACES.has(second)) return false;
  if (first !== "") return isPartOfWord(one, first) && isPartOfWord(other, first);
  if (second !== "") return isPartOfWord(one, second);
  return isPartOfWord(one, "Common") && isPartOfWord(other, "Common");
}

/** Returns the character before an offset, "" at the start. @param {string} text @param {number} at */
export function charBefore(text, at) {
  const unit = text.charCodeAt(at - 1);
  const isLow = unit >= 0xdc00 && unit < 0xe000 && at >= 2;
  return at <= 0 ? "" : text.slice(isLow ? at - 2 : at - 1, at);
}

/** Returns the character at an offset, "" at the end. @param {string} text @param {number} at */
export function charAt(text, at) {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

/** Returns whether a Latin word that starts at an offset is the end of a longer one. @param {string} text @param {number} at */
export function startsInsideLatinWord(text, at) {
  const before = charBefore(text, at);
  return before !== "" && isPartOfWord(before, "Latin");
}

/**
 * Finds a nick, or another word, in a text as a word of its own, in any case (ASCII).
 * @param {string} text
 * @param {string} word
 * @returns {[number, number][]} Start and end of each occurrence.
 */
export function findWord(text, word) {
  /** @type {[number, number][]} */
  const found = [];
  if (word === "") return found;
  const script = scriptsOf(word).pop() ?? "Latin";
  const [hay, needle] = [asciiLower(text), asciiLower(word)];
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1)) {
    const end = at + needle.length;
    const before = charBefore(text, at);
    const after = charAt(text, end);
    const isContinued =
      continuesWord(before, charBefore(text, at - before.length), script) ||
      continuesWord(after, charAt(text, end + after.length), script);
    if (!isContinued) found.push([at, end]);
  }
  return found;
}

/** Returns whether a word goes on with these characters, the nearest first. @param {string} next @param {string} beyond @param {string} script */
function continuesWord(next, beyond, script) {
  if (next === "-" || next === "|") return beyond !== "" && isWordChar(beyond) && isPartOfWord(beyond, script);
  return next !== "" && isPartOfWord(next, script);
}

/** @param {string} text */
function asciiLower(text) {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
