/** Events in the timeline, and runs of rows that are folded into their last one: joins and parts, and what ignored accounts wrote. */

import { h } from "../parts/dom.js";
import { describeEvent, describeRun, signOf } from "./events.js";
import { clock, isSameDay } from "./row.js";
import { t } from "../../text/index.js";

/** @import { Entry } from "../../model/types.js" */
/** @import { TimelineView } from "./timeline.js" */

/** Limit of the rows of one run. */
const MAX_RUN = 200;

/** @param {Entry} entry */
function isMembership(entry) {
  return ["join", "part", "quit"].includes(entry.event?.type ?? "");
}

/** Returns whether a row takes no place: it is folded into the next one, or the settings hide it. @param {TimelineView} view @param {number} index @param {Entry} entry */
export function isHidden(view, index, entry) {
  if (isMembership(entry) && !view.app.store.settings().showJoins) return true;
  return isFolded(view, index) && !view.unfolded.has(runEnd(view, index));
}

/** Returns whether a row is of one kind and day with the row after it. @param {TimelineView} view @param {number} index */
function isFolded({ timeline }, index) {
  const [entry, next] = [timeline.at(index), timeline.at(index + 1)];
  if (!entry || !next || next.row === timeline.newRow || !isSameDay(entry, next)) return false;
  return isMembership(entry) && isMembership(next) || entry.isIgnored && next.isIgnored;
}

/** Returns the row at the end of the run of a row. @param {TimelineView} view @param {number} index */
function runEnd(view, index) {
  let at = index;
  while (at - index < MAX_RUN && isFolded(view, at)) at++;
  return view.timeline.at(at)?.row ?? "";
}

/** Returns the run that ends with a row; `null` if it is none. @param {TimelineView} view @param {number} index @param {Entry} entry */
export function runOf(view, index, entry) {
  if (!isMembership(entry) && !entry.isIgnored) return null;
  let start = index;
  while (index - start < MAX_RUN && isFolded(view, start - 1)) start--;
  return view.timeline.slice(start, index + 1);
}

/** Draws an event, or a run. @param {Entry} entry @param {Entry[] | null} run */
export function noteOf({ event, time }, run) {
  if (!run) return h("div", "note", { "data-sign": signOf(event) }, h("span", "", { dir: "auto" }, describeEvent(event)), clock(time));
  const label = run[0].isIgnored ? t("ignoredMessages", { count: run.length }) : describeRun(run.map((one) => one.event));
  return h("div", "note", { "data-sign": "▸" }, h("button", "unfold", { type: "button", "aria-expanded": "false" }, label));
}
