/** Sizes of files, in the language of the user. */

import { locale } from "./index.js";

const UNITS = /** @type {const} */ ([["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]]);

/** Formats a size with its largest unit. @param {number} bytes */
export function formatSize(bytes) {
  const [unit, size] = UNITS.find(([, least]) => bytes >= least) ?? UNITS[3];
  const maximumFractionDigits = bytes / size < 10 && size > 1e3 ? 1 : 0;
  // The short form of bytes has no plural.
  const unitDisplay = unit === "byte" ? "long" : "short";
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay, maximumFractionDigits }).format(bytes / size);
}
