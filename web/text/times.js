/** Times in lists and sentences, in the language of the user. */

import { formats, formatTime, locale, startOfDay } from "./index.js";

/** @param {number} time */
const shortDate = (time) => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "2-digit" }).format(time);

/** Formats a time for lists: of today the time, otherwise the date. @param {number} time */
export function formatShort(time) {
  return startOfDay(time) === startOfDay(Date.now()) ? formatTime(time) : shortDate(time);
}

/** Formats a moment within a sentence: the day in words where it is near, and the time. @param {number} time */
export function formatMoment(time) {
  const days = Math.round((startOfDay(time) - startOfDay(Date.now())) / 86_400_000);
  return `${Math.abs(days) <= 1 ? formats.relative.format(days, "day") : shortDate(time)}, ${formatTime(time)}`;
}

/** Formats a duration with its largest unit. @param {number} seconds */
export function formatDuration(seconds) {
  const units = /** @type {const} */ ([["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]]);
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? units[3];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(seconds / size));
}
