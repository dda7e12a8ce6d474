/** Buttons with a text. */

import { h } from "./dom.js";

/**
 * Makes a button with a text.
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {string} [className]
 * @param {Record<string, unknown>} [props]
 */
export function button(label, onclick, className = "", props = {}) {
  return h("button", `button ${className}`, { type: "button", onclick, ...props }, label);
}
