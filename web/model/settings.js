/** Settings of the user, drafts and messages on their way, in the browser's storage. */

/** @typedef {import("./types.js").Settings} Settings */

/** @type {Settings} */
const DEFAULTS = {
  theme: "system",
  language: "auto",
  hour12: "auto",
  showMembers: true,
  showJoins: false,
  compact: false,
  rawText: false,
  sendTyping: true,
  sendReadMarks: true,
  notifications: false,
  sound: false,
  levels: { channels: "mentions", direct: "all", conversations: {} },
  highlights: [],
  doNotDisturbUntil: 0,
  reducedMotion: "system",
};

/**
 * @typedef {object} Storage Texts by their keys. Nothing of it may throw.
 * @property {(key: string) => string | null} get
 * @property {(key: string, value: string | null) => void} set Removes for `null`.
 * @property {(prefix: string) => string[]} keys
 */

/**
 * Reads the settings. A value of another type than its default is left out.
 * @param {Storage} storage
 * @returns {Settings}
 */
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
  result.highlights = result.highlights.filter((word) => typeof word === "string");
  return result;
}

/**
 * @param {Storage} storage
 * @param {Settings} settings
 */
export function writeSettings(storage, settings) {
  storage.set("settings", JSON.stringify(settings));
}

/**
 * Parses a stored object; an empty one for anything else.
 * @param {string | null} text
 * @returns {Record<string, unknown>}
 */
export function parseObject(text) {
  try {
    const value = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * Returns storage with keys of its own; the settings are shared. A browser may refuse to store: then it lasts as long as the page.
 * @param {globalThis.Storage | null} backing
 * @param {string} [name] Name of the server.
 * @returns {Storage}
 */
export function browserStorage(backing, name = "") {
  /** @type {Map<string, string>} */
  const memory = new Map();
  const prefix = `parlour/${name}/`;
  const full = (/** @type {string} */ key) => (key === "settings" ? "parlour/settings" : prefix + key);
  return {
    get: (key) => {
      try {
        return memory.get(full(key)) ?? backing?.getItem(full(key)) ?? null;
      } catch {
        return null;
      }
    },
    set: (key, value) => {
      memory.delete(full(key));
      try {
        if (value === null) backing?.removeItem(full(key));
        else if (backing === null) memory.set(full(key), value);
        else backing.setItem(full(key), value);
      } catch {
        if (value !== null) memory.set(full(key), value);
      }
    },
    keys: (start) => {
      const all = [...memory.keys()];
      try {
        all.push(...Object.keys(backing ?? {}));
      } catch {
        // The browser refuses storage.
      }
      return all.flatMap((key) => (key.startsWith(prefix + start) ? [key.slice(prefix.length)] : []));
    },
  };
}
