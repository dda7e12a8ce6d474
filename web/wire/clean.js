/** Cleaning of received texts: no control characters, nothing invisible, no piles of marks. */

/** Letters and symbols with an empty glyph, and the replacement for a picture; as BLANK in src/wire/chars.rs. */
const BLANK = "\\u{2800}|\\u{1d159}|\\u{13441}|\\u{13442}|\\u{16fe4}|\\u{2d7f}|\\u{1107f}|\\u{fffc}";

/** Formatting codes with their arguments (https://modern.ircdocs.horse/formatting). */
const CODE = "\\x03(?:\\d{1,2}(?:,\\d{1,2})?)?|\\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?|[\\x02\\x0f\\x11\\x16\\x1d-\\x1f]";

const CODES = new RegExp(CODE, "gu");

/** Escape sequences, and everything that is not seen or that reorders other text. Joiners and selectors stay. */
const UNSEEN = new RegExp(
  "(?:\\x1b\\[|\\x9b)[ -?]*[@-~]?" +
    "|(?:\\x1b[PX\\]^_]|[\\x90\\x98\\x9d-\\x9f])[^]*?(?:\\x07|\\x9c|\\x1b\\\\?|$)" +
    "|\\x1b[ -/]*[0-~]?" +
    `|(?![\\x02-\\x04\\x0f\\x11\\x16\\x1d-\\x1f\\t\\n])\\p{Cc}|${BLANK}|\\p{Co}` +
    "|(?!\\u200c|\\u200d|[\\ufe00-\\ufe0f]|\\u200e|\\u200f|\\u061c)[\\p{Default_Ignorable_Code_Point}\\p{Bidi_Control}\\ufff9-\\ufffb]",
  "gu",
);

/** More than three combining marks on one letter; the languages with the most use two accents and a sign. */
const PILE = /(?<=\p{Mn}{3})(?:(?!\u200d|[\ufe00-\ufe0f])\p{Mn})+/gu;

const PLAIN = /^[\x20-\x7e\n]*$/;

/**
 * Cleans a text. Keeps line ends and formatting codes; a tab becomes four spaces, other separators a space. Cuts it off
 * behind `max` UTF-16 units.
 * @param {string} text
 * @param {number} [max]
 */
export function clean(text, max = 16384) {
  let out = text.length > max * 4 ? text.slice(0, max * 4) : text;
  if (!PLAIN.test(out)) {
    out = out.replace(/\t/g, "    ").replace(/[\r\u2028\u2029]/g, " ");
    out = out.replace(UNSEEN, "").replace(PILE, "");
  }
  return out.length > max ? `${out.slice(0, max)}…` : out;
}

/** Cleans a text to one line without formatting codes. @param {string} text @param {number} [max] */
export function cleanLine(text, max = 1000) {
  const line = withoutCodes(clean(text, max)).replace(/\n/g, " ");
  return line.length > max ? `${line.slice(0, max)}…` : line;
}

/** Removes formatting codes. @param {string} text */
export function withoutCodes(text) {
  return PLAIN.test(text) ? text : text.replace(CODES, "");
}

/** Splits a text into its parts without formatting codes and the codes between them: text, code, text, … text. @param {string} text */
export function splitCodes(text) {
  return text.split(new RegExp(`(${CODE})`, "u"));
}
