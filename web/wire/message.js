/** Messages: one line of the protocol, parsed and written (https://modern.ircdocs.horse/#message-format). */

/** @import { Message } from "../model/types.js" */

/** Limit of the parameters; the last one takes the rest of the line. */
const MAX_PARAMS = 15;

const TAG_KEY = /^\+?(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\/)?[A-Za-z0-9-]+$/;

/** Parses a line without its line end. Returns `null` if it has no command. @param {string} line @returns {Message | null} */
export function parseMessage(line) {
  let rest = line;
  /** Takes the first word, without the mark of its kind. */
  const take = (mark = "") => {
    const end = rest.indexOf(" ");
    const word = rest.slice(mark.length, end < 0 ? undefined : end);
    rest = end < 0 ? "" : rest.slice(end).replace(/^ +/, "");
    return word;
  };
  const tags = rest.startsWith("@") ? parseTags(take("@")) : new Map();
  rest = rest.replace(/^ +/, "");
  const source = rest.startsWith(":") ? take(":") : "";
  // A command that begins with the mark of another part is refused: printed, it would be parsed as that part.
  if (rest === "" || rest.startsWith("@") || rest.startsWith(":")) return null;
  const command = take().toUpperCase();
  const params = [];
  while (rest !== "") {
    if (rest.startsWith(":") || params.length === MAX_PARAMS - 1) {
      params.push(rest.replace(/^:/, ""));
      break;
    }
    params.push(take());
  }
  return { tags, source, nick: nickOf(source), command, params };
}

/** Returns the nick of a source `nick!user@host`. @param {string} source */
export function nickOf(source) {
  return source.replace(/[!@].*$/s, "");
}

/** @param {string} text */
function parseTags(text) {
  /** @type {Map<string, string>} */
  const tags = new Map();
  for (const part of text.split(";")) {
    const [key, ...value] = part.split("=");
    if (TAG_KEY.test(key)) tags.set(key, unescapeValue(value.join("=")));
  }
  return tags;
}

/** @type {Record<string, string>} */
const UNESCAPED = { ":": ";", s: " ", r: "\r", n: "\n" };
/** @type {Record<string, string>} */
const ESCAPED = { ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n", "\\": "\\\\" };

/** Undoes the escaping of a tag value (https://ircv3.net/specs/extensions/message-tags#escaping-values). @param {string} value */
export function unescapeValue(value) {
  return value.replace(/\\([^]?)/gu, (_, c) => UNESCAPED[c] ?? c);
}

/** Escapes a tag value. @param {string} value */
export function escapeValue(value) {
  return value.replace(/[; \r\n\\]/g, (c) => ESCAPED[c]);
}

/**
 * Writes a line without its line end. CR, LF and NUL are removed everywhere, so that a text can never become a command of
 * its own. The last parameter gets a colon where it needs one; others that are not one word become `*`.
 * @param {string} command
 * @param {readonly string[]} params
 * @param {Readonly<Record<string, string>>} [tags]
 */
export function formatMessage(command, params, tags = {}) {
  const parts = Object.entries(tags).map(([key, value]) => (value === "" ? key : `${key}=${escapeValue(value)}`));
  const words = params.map((param, index) => {
    const isWord = param !== "" && !param.startsWith(":") && !param.includes(" ");
    return isWord ? param : index === params.length - 1 ? `:${param}` : "*";
  });
  return [...(parts.length > 0 ? [`@${parts.join(";")}`] : []), command, ...words].join(" ").replace(/[\r\n\0]/g, "");
}
