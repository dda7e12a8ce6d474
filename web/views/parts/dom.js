/** Elements. All text becomes text nodes: nothing here parses HTML. */

import { iconPaths } from "./icons.js";

/** @import { IconName } from "../types.js" */

/** @typedef {Node | string | null | undefined | false} Child */

const properties = new Set(["value", "checked", "selected", "disabled", "tabIndex", "open", "readOnly"]);

/**
 * Makes an element. `props` has listeners (`onclick`), a few properties, and attributes: `true` sets an empty one, `false`,
 * `null` and `undefined` none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className Classes, separated by blanks; may be empty.
 * @param {Record<string, unknown> | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, className, props, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (properties.has(name)) Reflect.set(element, name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

/** Appends children; strings become text nodes. @param {Element} parent @param {(Child | Child[])[]} children */
export function append(parent, children) {
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) parent.append(child);
}

/** Replaces the children of an element. @param {Element} parent @param {...(Child | Child[])} children */
export function fillWith(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/** Makes an icon, which screen readers do not see. @param {IconName} name */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", /** @type {Record<IconName, string>} */ (iconPaths)[name]);
  svg.append(path);
  return svg;
}

/**
 * Makes a button that shows an icon only, with its name as label and tooltip.
 * @param {IconName} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {string} [className]
 * @param {Record<string, unknown>} [props]
 */
export function iconButton(name, label, onclick, className = "", props = {}) {
  return h("button", `icon ${className}`, { type: "button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

/** Replaces the items of a list and keeps the focus on the item with the same `data-key`. @param {Element} list @param {Child[]} children */
export function replaceItems(list, children) {
  const active = document.activeElement;
  const key = active && list.contains(active) ? active.getAttribute("data-key") : null;
  fillWith(list, children);
  if (key !== null) {
    const again = list.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }
}

/** Whether the page has the layout of one pane at a time. */
export function isNarrow() {
  return matchMedia("(max-width: 699px)").matches;
}

/** Whether the main pointer is a finger. */
export function isTouch() {
  return matchMedia("(pointer: coarse)").matches;
}
