/** Settings of the user, drafts and messages on their way, in the browser's storage. */

/** @import { Settings, Storage } from "./types.js" */

/** Beginning of the keys in the storage of the browser. */
const PREFIX = "parlour/";

/** @type {Settings} */
const DEFAULTS = {
  theme: "system",
  language: "auto",
  hour12: "auto",
  showMembers: true,
  foldedSections: [],
  showJoins: false,
  rawText: false,
  sendTyping: true,
  sendReadMarks: true,
  notifications: false,
  sound: false,
  levels: { channels: "mentions", direct: "all", conversations: {} },
  highlights: [],
  recentEmoji: [],
  doNotDisturbUntil: 0,
  reducedMotion: "system",
};

/** Reads the settings. A value of another type than its default is left out. @param {Storage} storage @returns {Settings} */
export function readSettings(storage) {
  const read = parseObject(storage.get("settings"));
  /** @type {Record<string, unknown>} */
  const settings = { ...structuredClone(DEFAULTS) };
  for (const [key, value] of Object.entries(DEFAULTS)) {
    const is = (/** @type {unknown} */ one) => `${typeof one}${Array.isArray(one)}`;
    if (is(read[key]) === is(value) && read[key] !== null) settings[key] = read[key];
  }
  const result = /** @type {Settings} */ (/** @type {unknown} */ (settings));
  result.levels = { ...DEFAULTS.levels, ...result.levels };
  for (const key of /** @type {const} */ (["highlights", "recentEmoji"])) result[key] = result[key].filter((word) => typeof word === "string");
  return result;
}

/** @param {Storage} storage @param {Settings} settings */
export function writeSettings(storage, settings) {
  storage.set("settings", JSON.stringify(settings));
}

/** Parses a stored object; an empty one for anything else. @param {string | null} text @returns {Record<string, unknown>} */
export function parseObject(text) {
  try {
    const value = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Returns storage in a browser's. A browser may refuse to store: then it lasts as long as the page, as it does with `null`. @param {globalThis.Storage | null} backing @returns {Storage} */
export function browserStorage(backing) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  return {
    get: (key) => {
      try {
        return memory.get(key) ?? backing?.getItem(PREFIX + key) ?? null;
      } catch {
        return null;
      }
    },
    set: (key, value) => {
      memory.delete(key);
      try {
        if (value === null) backing?.removeItem(PREFIX + key);
        else if (backing === null) memory.set(key, value);
        else backing.setItem(PREFIX + key, value);
      } catch {
        if (value !== null) memory.set(key, value);
      }
    },
    keys: (start) => {
      const all = [...memory.keys()];
      try {
        for (const key of Object.keys(backing ?? {})) if (key.startsWith(PREFIX)) all.push(key.slice(PREFIX.length));
      } catch {
        // The browser refuses storage.
      }
      return all.filter((key) => key.startsWith(start));
    },
  };
}
