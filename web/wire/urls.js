/**
 * URLs in messages, by the rules of src/client/screen/text/urls.rs: `http` and `https` only, beside and in text of any script, and
 * no host that poses as another one.
 */

import { scriptsOf, startsInsideLatinWord } from "./words.js";

/** Limit of a linked URL, in UTF-16 units. */
const MAX_URL = 2048;

const URL_CHARS = /^(?:[!#-;=?-[\]_a-z~]|(?![\0-\x7f])[\p{Alphabetic}\p{N}\p{M}])*/u;

const LOOKS_LIKE_LATIN = new Set("Cyrillic Greek Coptic Armenian Cherokee Lisu".split(" "));
const EAST_ASIAN = new Set("Han Hiragana Katakana Hangul Bopomofo".split(" "));

/** Finds the URLs in a text. @param {string} text @returns {[number, number][]} Start and end of each. */
export function findUrls(text) {
  /** @type {[number, number][]} */
  const found = [];
  let from = 0;
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", from)) {
    const scheme = /https?$/i.exec(text.slice(Math.max(from, at - 5), at))?.[0];
    const tail = text.slice(at + 3, at + 3 + MAX_URL + 1);
    const rest = URL_CHARS.exec(tail)?.[0] ?? "";
    const url = trimEnd(withoutTextBehindHost(rest));
    from = at + 3 + url.length;
    if (scheme === undefined || url === "") continue;
    const start = at - scheme.length;
    const isWhole = !startsInsideLatinWord(text, start) && from - start <= MAX_URL;
    if (isWhole && isHonestHost(hostOf(url))) found.push([start, from]);
  }
  return found;
}

/** Returns the target of a URL as written: what is not ASCII is percent-encoded as UTF-8 (RFC 3987, section 3.1). @param {string} url */
export function linkTarget(url) {
  return url.replace(/[^\0-\x7f]+/g, (part) => encodeURIComponent(part));
}

/** Returns the host, and a port, of what follows `://`. @param {string} rest */
function hostOf(rest) {
  const end = rest.search(/[/?#]/);
  return end < 0 ? rest : rest.slice(0, end);
}

/**
 * Returns the URL without text of another script that follows a Latin host without a space, as in `https://example.orgを見て`: no
 * top-level domain mixes scripts.
 * @param {string} rest
 */
function withoutTextBehindHost(rest) {
  const host = hostOf(rest);
  const last = host.lastIndexOf(".") + 1;
  const latin = host.slice(last).search(/[^\0-\x7f]/);
  if (latin <= 0) return rest;
  const [script] = scriptsOf(host.slice(last + latin));
  return script !== undefined && EAST_ASIAN.has(script) ? rest.slice(0, last + latin) : rest;
}

/** Returns whether no label of a host can pose as one of another script. @param {string} host */
function isHonestHost(host) {
  if (/^[\0-\x7f]*$/.test(host)) return true;
  const labels = host.split(".");
  const [last, ...others] = scriptsOf(labels[labels.length - 1] ?? "");
  return labels.every((label) => {
    const scripts = scriptsOf(label);
    if (scripts.length > 1) return scripts.every((script) => script === "Latin" || EAST_ASIAN.has(script));
    const [script] = scripts;
    return script === undefined || !LOOKS_LIKE_LATIN.has(script) || (script === last && others.length === 0);
  });
}

/** Returns a URL without punctuation that ends a sentence, and without a closing bracket that was opened before it. @param {string} url */
function trimEnd(url) {
  let end = url.length;
  /** @param {string} c */
  const count = (c) => url.slice(0, end).split(c).length;
  for (; end > 0; end -= 1) {
    const last = url.charAt(end - 1);
    const isOpen = (last === ")" && count(")") > count("(")) || (last === "]" && count("]") > count("["));
    if (!".,;:!?'*_~".includes(last) && !isOpen) break;
  }
  return url.slice(0, end);
}
