/** An answer of the server in several lines. */

import { h } from "../parts/dom.js";
import { openDialog } from "../parts/dialog.js";

/** @param {string} title @param {string[]} lines */
export function openLines(title, lines) {
  const { body } = openDialog(title);
  body.tabIndex = 0;
  body.append(h("div", "", null, lines.map((line) => h("p", "", { dir: "auto" }, line || "\u00a0"))));
}
