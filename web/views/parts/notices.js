/** Short messages at the lower edge, which leave by themselves. */

import { h, iconButton } from "./dom.js";
import { t } from "../../text/index.js";

/** Time that a message stays, in milliseconds; longer with more words. */
const LEAST_TIME = 5000;
const MAX_NOTICES = 3;

const place = h("div", "toasts", { popover: "manual", role: "status", "aria-live": "polite" });

/**
 * Shows a message.
 * @param {string} text
 * @param {{ label: string, run: () => void }} [action]
 * @param {number} [time] Milliseconds that it stays.
 * @param {boolean} [isRefusal] Whether it is outdated as soon as a message is accepted.
 * @returns {() => void} Function that removes it.
 */
export function showNotice(text, action, time = Math.max(LEAST_TIME, text.length * 90), isRefusal = false) {
  for (const same of place.querySelectorAll(".toast")) if (same.getAttribute("data-text") === text) same.remove();
  const notice = h("div", `toast ${isRefusal ? "refusal" : ""}`, { "data-text": text, onoutdated: () => remove() }, h("span", "", { dir: "auto" }, text.charAt(0).toUpperCase() + text.slice(1)),
    action ? h("button", "", { type: "button", onclick: () => { remove(); action.run(); } }, action.label) : null,
    iconButton("close", t("close"), () => remove()));
  if (!place.isConnected) document.body.append(place);
  place.append(notice);
  while (place.childElementCount > MAX_NOTICES) place.firstElementChild?.remove();
  // On the top layer, above a dialog that is open.
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  let timer = setTimeout(remove, time);
  notice.addEventListener("pointerenter", () => clearTimeout(timer));
  notice.addEventListener("pointerleave", () => { timer = setTimeout(remove, LEAST_TIME); });
  return remove;

  function remove() {
    clearTimeout(timer);
    notice.remove();
    if (!place.childElementCount && place.matches(":popover-open")) place.hidePopover();
  }
}
