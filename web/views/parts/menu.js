/** Menus: a list of actions beside the button that opened it. */

import { h, icon, isNarrow } from "./dom.js";
import "./more-icons.js";
import { cover } from "./places.js";

/** @import { IconName } from "../types.js" */

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {IconName} [icon]
 * @property {() => void} action
 * @property {boolean} [danger]
 * @property {boolean} [checked] Set for an item that is on or off.
 * @property {string} [text] What is shown in place of the label.
 *
 * @typedef {{ label: string, row: Item[] }} Row Items beside each other.
 */

/** @type {(() => void) | null} */
let closeOpen = null;

/** Opens a menu; `null` stands for a line between items. @param {Element} opener @param {string} label @param {(Item | Row | null | false)[]} items */
export function openMenu(opener, label, items) {
  closeOpen?.();
  const before = document.activeElement;
  const rows = items.filter((item) => item !== false).map((item) => item === null ? h("hr", "", { role: "separator" })
    : "row" in item ? h("div", "menu-row", { role: "group", "aria-label": item.label }, item.row.map((one) => menuItem(one, close))) : menuItem(item, close));
  const menu = h("div", `menu ${isNarrow() ? "sheet" : ""}`, { role: "menu", "aria-label": label, onkeydown }, rows);
  // Within an open dialog, so that the dialog does not cover it.
  (opener.closest("dialog") ?? document.getElementById("app") ?? document.body).append(menu);
  if (!isNarrow()) place(menu, opener.getBoundingClientRect());
  opener.setAttribute("aria-expanded", "true");
  const outside = (/** @type {Event} */ event) => {
    if (event.target instanceof Node && !menu.contains(event.target) && !opener.contains(event.target)) close();
  };
  document.addEventListener("pointerdown", outside, true);
  window.addEventListener("resize", close);
  const buttons = [...menu.querySelectorAll("button")];
  buttons[0]?.focus();
  closeOpen = close;
  cover(() => closeOpen === close, close);

  function close() {
    if (closeOpen !== close) return;
    closeOpen = null;
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", close);
    opener.removeAttribute("aria-expanded");
    const focused = menu.contains(document.activeElement);
    menu.remove();
    if (focused && before instanceof HTMLElement && before.isConnected) before.focus();
  }

  /** @param {KeyboardEvent} event */
  function onkeydown(event) {
    const at = buttons.findIndex((button) => button === document.activeElement);
    // Up and Down leave a row.
    const row = buttons[at]?.closest(".menu-row");
    const first = row ? buttons.findIndex((button) => row.contains(button)) : at;
    const last = row ? first + row.childElementCount - 1 : at;
    const targets = { ArrowDown: last + 1, ArrowUp: first - 1, ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    if (event.key in targets) {
      buttons.at(targets[/** @type {keyof typeof targets} */ (event.key)] % buttons.length)?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      close();
    } else if (event.key.length === 1 && event.key !== " ") {
      const next = [...buttons.slice(at + 1), ...buttons].find((button) => button.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()));
      next?.focus();
      return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/** @param {Item} item @param {() => void} close */
function menuItem(item, close) {
  const role = item.checked === undefined ? "menuitem" : "menuitemcheckbox";
  const onclick = () => { close(); item.action(); };
  return h("button", item.danger ? "danger" : "", { type: "button", role, tabIndex: -1, "aria-checked": item.checked === undefined ? null : String(item.checked), "aria-label": item.text && item.label, title: item.text && item.label, onclick },
    item.text ?? [item.checked ? icon("check") : item.icon ? icon(item.icon) : h("span", "no-icon", null), h("span", "", null, item.label)]);
}

/** @param {HTMLElement} menu @param {DOMRect} anchor */
function place(menu, anchor) {
  const { width, height } = menu.getBoundingClientRect();
  const rtl = getComputedStyle(menu).direction === "rtl";
  const left = rtl ? anchor.left : anchor.right - width;
  const below = anchor.bottom + 4;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${below + height + 8 < innerHeight ? below : Math.max(8, anchor.top - height - 4)}px`;
}
