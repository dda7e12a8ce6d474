/** Texts in the language of the user: sentences from one module a language, dates, numbers and lists by Intl. */

/** @typedef {keyof typeof import("./en.js").default | keyof typeof import("./more/en.js").default} TextKey */
/** @typedef {Record<string, string | number>} Values */

/** Languages with their own names. */
export const languages = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };

/** @type {Record<string, string | { one: string, other: string }>} */
let texts = {};
/** Set once something of what is loaded later is there. */
let hasMore = false;
let name = "en";
let locale = "en";
/** @type {"auto" | "12" | "24"} */
let clock = "auto";
let formats = makeFormats();
export { formats, locale };

/**
 * Loads the texts of a language and sets the formats of dates and numbers. Returns the tag of the texts.
 * @param {string} setting Tag of a language, or `auto` for the browser's.
 * @param {"auto" | "12" | "24"} hour12
 */
export async function useLanguage(setting, hour12) {
  const wanted = setting === "auto" ? navigator.languages : [setting];
  const found = wanted.find((tag) => tag.split("-")[0] in languages) ?? "en";
  const chosen = found.split("-")[0];
  const own = (await import(`./${chosen}.js`)).default;
  [name, texts] = [chosen, own];
  if (hasMore) await useMoreTexts();
  locale = found;
  clock = hour12;
  formats = makeFormats();
  return name;
}

/** Loads the texts of what is loaded later, too. */
export async function useMoreTexts() {
  hasMore = true;
  const wanted = name;
  const more = (await import(`./more/${wanted}.js`)).default;
  if (name === wanted) texts = { ...texts, ...more };
}

/** Returns a text with its values. `{count}` also chooses between the singular and the plural. @param {TextKey} key @param {Values} [values] */
export function t(key, values) {
  return fill(key, values) ?? key;
}

/** Returns a text by a key that the model named, or `other` where there is none. @param {string} key @param {Values | undefined} values @param {string} other */
export function lookup(key, values, other) {
  return fill(key, values) ?? other;
}

/** @param {number} time */
export const formatTime = (time) => formats.time.format(time);
/** @param {number} time */
export const formatDateTime = (time) => formats.dateTime.format(time);
/** @param {number} value */
export const formatNumber = (value) => formats.number.format(value);
/** @param {string[]} names */
export const formatList = (names) => formats.list.format(names);

/** Formats a day: today, yesterday, the day of the week within six days, or the date. @param {number} time */
export function formatDay(time) {
  const age = Math.round((startOfDay(Date.now()) - startOfDay(time)) / 86_400_000);
  if (age === 0 || age === 1) return capital(formats.relative.format(-age, "day"));
  return new Date(time).getFullYear() === new Date().getFullYear() ? formats.day.format(time) : formats.dayAndYear.format(time);
}

/** @param {number} time */
export function startOfDay(time) {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** @param {string} name @param {Values} [values] */
function fill(name, values) {
  const found = Object.hasOwn(texts, name) ? texts[name] : undefined;
  if (found === undefined) return undefined;
  const pattern = typeof found === "string" ? found : found[formats.plural.select(Number(values?.count)) === "one" ? "one" : "other"];
  return pattern.replace(/\{(\w+)\}/g, (whole, key) => {
    const value = values?.[key];
    return value === undefined ? whole : typeof value === "number" ? formatNumber(value) : value;
  });
}

function makeFormats() {
  const hour12 = clock === "auto" ? undefined : clock === "12";
  // With AM or PM, hours have no zero in front.
  const hour = new Intl.DateTimeFormat(locale, { hour: "numeric", hour12 }).resolvedOptions().hour12 ? "numeric" : "2-digit";
  return {
    time: new Intl.DateTimeFormat(locale, { hour, minute: "2-digit", hour12 }),
    dateTime: new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium", hour12 }),
    day: new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" }),
    dayAndYear: new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" }),
    relative: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
    number: new Intl.NumberFormat(locale),
    list: new Intl.ListFormat(locale),
    plural: new Intl.PluralRules(locale),
  };
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
