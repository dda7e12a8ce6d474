/** The part of the page's address that names a conversation: `#/tea` for the channel #tea, `#/@bob` for messages with bob. */

import { isChannel, nameProblem } from "./names.js";

/** @param {string | null} name */
export function formatAddress(name) {
  if (name === null) return "";
  // What is no character has no encoding.
  const own = (isChannel(name) ? name.slice(1) : name).replace(/\p{Cs}/gu, "");
  return `#/${isChannel(name) ? "" : "@"}${encodeURIComponent(own)}`;
}

/** Returns the conversation that an address names; `null` for none. @param {string} hash */
export function parseAddress(hash) {
  const [, sign, own = ""] = /^#\/(@?)([^@].*)$/u.exec(hash) ?? [];
  if (sign === undefined) return null;
  try {
    const name = (sign === "@" ? "" : "#") + decodeURIComponent(own);
    return isChannel(name) === (sign === "") && nameProblem(name) === null ? name : null;
  } catch {
    return null;
  }
}
