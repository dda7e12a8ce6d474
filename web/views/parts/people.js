/** How accounts are shown: avatars, names, presence. */

import { h } from "./dom.js";
import { t } from "../../text/index.js";

/** @import { Presence } from "../../model/types.js" */

/** Returns the number of the colour of an account, from 0 to 11. @param {string} name */
export function hueOf(name) {
  let hash = 7;
  for (const char of name.toLowerCase()) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % 12;
}

/** Returns one or two initials of a name. @param {string} name */
export function initials(name) {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = (/** @type {string | undefined} */ word) => word?.match(/[\p{L}\p{N}]/u)?.[0] ?? "";
  const letters = words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
  return letters.toUpperCase() || "?";
}

/**
 * Makes the avatar of an account, which screen readers do not see: the name stands beside it.
 * @param {string} name
 * @param {string | null} displayName
 * @param {string} [className]
 * @param {Presence | null} [presence]
 */
export function avatar(name, displayName, className = "", presence = null) {
  const status = presence && presence !== "unknown" ? `presence ${presence}` : "";
  return h("span", `avatar hue-${hueOf(name)} ${className} ${status}`, { "aria-hidden": "true" }, initials(displayName ?? name));
}

/** @param {Presence} presence */
export function presenceText(presence) {
  return presence === "online" ? t("online") : presence === "away" ? t("away") : presence === "offline" ? t("offline") : "";
}
