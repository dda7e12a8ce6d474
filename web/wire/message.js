/** Messages: one line of the protocol, parsed and written (https://modern.ircdocs.horse/#message-format). */

/**
 * @typedef {object} Message
 * @property {Map<string, string>} tags Valid keys with their unescaped values; of equal keys the last.
 * @property {string} source The source without its colon, or "".
 * @property {string} nick The part of the source before `!` or `@`.
 * @property {string} command In capitals, or three digits.
 * @property {string[]} params The last one without its colon.
 */

/** Limit of the parameters; the last one takes the rest of the line. */
const MAX_PARAMS = 15;

const TAG_KEY = /^\+?(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\/)?[A-Za-z0-9-]+$/;

/**
 * Parses a line without its line end. Returns `null` if it has no command.
 * @param {string} line
 * @returns {Message | null}
 */
export function parseMessage(line) {
  let rest = line;
  /** @type {Map<string, string>} */
  let tags = new Map();
  if (rest.startsWith("@")) {
    const end = rest.indexOf(" ");
    if (end < 0) return null;
    tags = parseTags(rest.slice(1, end));
    rest = rest.slice(end);
  }
  rest = withoutSpaces(rest);
  let source = "";
  if (rest.startsWith(":")) {
    const end = rest.indexOf(" ");
    if (end < 0) return null;
    source = rest.slice(1, end);
    rest = withoutSpaces(rest.slice(end));
  }
  const [command, behind] = cutWord(rest);
  // A command that begins with the mark of another part is refused: printed, it would be parsed as that part.
  if (command === "" || command.startsWith("@") || command.startsWith(":")) return null;
  const params = [];
  for (rest = withoutSpaces(behind); rest !== ""; rest = withoutSpaces(rest)) {
    if (rest.startsWith(":")) {
      params.push(rest.slice(1));
      break;
    }
    if (params.length === MAX_PARAMS - 1) {
      params.push(rest);
      break;
    }
    const [param, more] = cutWord(rest);
    params.push(param);
    rest = more;
  }
  return { tags, source, nick: nickOf(source), command: command.toUpperCase(), params };
}

/**
 * Returns the nick of a source `nick!user@host`.
 * @param {string} source
 */
export function nickOf(source) {
  const end = source.search(/[!@]/);
  return end < 0 ? source : source.slice(0, end);
}

/** @param {string} text */
function parseTags(text) {
  const tags = new Map();
  for (const part of text.split(";")) {
    const at = part.indexOf("=");
    const key = at < 0 ? part : part.slice(0, at);
    if (TAG_KEY.test(key)) tags.set(key, at < 0 ? "" : unescapeValue(part.slice(at + 1)));
  }
  return tags;
}

/** @param {string} text */
function withoutSpaces(text) {
  let at = 0;
  while (text.charCodeAt(at) === 32) at += 1;
  return at === 0 ? text : text.slice(at);
}

/**
 * @param {string} text
 * @returns {[string, string]}
 */
function cutWord(text) {
  const end = text.indexOf(" ");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
}

/** @type {Record<string, string>} */
const UNESCAPED = { ":": ";", s: " ", r: "\r", n: "\n" };
/** @type {Record<string, string>} */
const ESCAPED = { ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n", "\\": "\\\\" };

/**
 * Undoes the escaping of a tag value (https://ircv3.net/specs/extensions/message-tags#escaping-values).
 * @param {string} value
 */
export function unescapeValue(value) {
  return value.replace(/\\([^]?)/gu, (_, c) => UNESCAPED[c] ?? c);
}

/**
 * Escapes a tag value.
 * @param {string} value
 */
export function escapeValue(value) {
  return value.replace(/[; \r\n\\]/g, (c) => ESCAPED[c] ?? c);
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
  let line = parts.length > 0 ? `@${parts.join(";")} ${command}` : command;
  params.forEach((param, index) => {
    const needsColon = param === "" || param.startsWith(":") || param.includes(" ");
    if (!needsColon) line += ` ${param}`;
    else line += index === params.length - 1 ? ` :${param}` : " *";
  });
  return line.replace(/[\r\n\0]/g, "");
}
