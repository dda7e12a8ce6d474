/** Buttons at the edges of the list of conversations, which lead to unread ones out of sight. */

import { h, icon } from "./parts/dom.js";
import { t } from "../text/index.js";

const SIDES = /** @type {const} */ (["above", "below"]);

export class UnreadHints {
  /** @param {HTMLElement} lists @param {HTMLElement} place */
  constructor(lists, place) {
    this.lists = lists;
    this.buttons = SIDES.map((side) => h("button", `more-unread ${side}`, { type: "button", hidden: true, onclick: () => this.find()[side]?.scrollIntoView({ block: "center" }) }, icon("down"), t("moreUnread")));
    place.prepend(this.buttons[0]);
    place.append(this.buttons[1]);
    lists.addEventListener("scroll", () => this.draw());
  }

  /** Returns the nearest unread conversations out of sight, mentions first. */
  find() {
    /** @type {{ above?: Element, below?: Element }} */
    const found = {};
    const { top, bottom } = this.lists.getBoundingClientRect();
    for (const row of this.lists.querySelectorAll(".conversation.unread")) {
      const box = row.getBoundingClientRect();
      if (box.top < top && isLoud(row) >= isLoud(found.above)) found.above = row;
      else if (box.bottom > bottom && (!found.below || isLoud(row) > isLoud(found.below))) found.below = row;
    }
    return found;
  }

  draw() {
    const found = this.find();
    SIDES.forEach((side, index) => {
      this.buttons[index].hidden = !found[side];
      this.buttons[index].classList.toggle("mention", isLoud(found[side]) === 1);
    });
  }
}

/** @param {Element | undefined} row */
function isLoud(row) {
  return row?.querySelector(".badge.mention") ? 1 : 0;
}
