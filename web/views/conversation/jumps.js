/** The buttons over the messages: to the latest, and to the first unread one. */

import { h, icon } from "../parts/dom.js";
import { t } from "../../text/index.js";

/** @import { TimelineView } from "./timeline.js" */

/** @param {TimelineView} view */
export function drawJumps(view) {
  const { timeline, sticks, offsets, top } = view;
  view.jumps ??= makeJumps(view);
  view.jumps.latest.hidden = sticks || timeline.length === 0;
  const index = timeline.newRow === null ? -1 : timeline.indexOfRow(timeline.newRow);
  if (index >= 0 && offsets[index] >= top - 40) view.seenNewRow = true;
  view.jumps.unread.hidden = index < 0 || view.seenNewRow;
}

/** @param {TimelineView} view */
function makeJumps(view) {
  const latest = h("button", "to-latest", { type: "button", onclick: () => view.toLatest() }, icon("down"), t("toLatest"));
  const unread = h("div", "to-unread", null, h("button", "", { type: "button", onclick: () => view.app.chat?.act((actions) => actions.toUnread()) }, t("toUnread")));
  view.element.append(latest, unread);
  return { latest, unread };
}
