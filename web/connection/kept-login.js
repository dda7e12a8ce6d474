/**
 * The login that a tab keeps over a reload, on the server's own page. The password is stored encrypted alone: what is stored ends
 * with the tab, and its key is one that the browser uses for this page and gives out to nobody, not to the page either.
 */

import { parseObject } from "../model/settings.js";

/** @import { LoginStore, Storage } from "../model/types.js" */

const DATABASE = "parlour";
const KEYS = "login-keys";
/** Age after which the key of a tab that was closed is removed, in ms: what it had encrypted is gone with the tab. */
const MAX_AGE = 30 * 86_400_000;

/** @param {Storage} secrets Storage that ends with the tab. @returns {LoginStore} */
export function tabLogins(secrets) {
  /** @type {(run: () => ReturnType<LoginStore["load"]>) => ReturnType<LoginStore["load"]>} */
  const attempt = async (run) => {
    // A browser that refuses to store keeps no login: then a reload asks for the password.
    try {
      return await run();
    } catch {
      secrets.set("login", null);
      return null;
    }
  };
  return {
    load: () => attempt(async () => {
      const { id, iv, data } = parseObject(secrets.get("login"));
      if (typeof id !== "string") return null;
      const { key } = /** @type {{ key?: CryptoKey }} */ (await inKeys("readonly", (keys) => keys.get(id)) ?? {});
      if (key === undefined) return null;
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: fromHex(iv) }, key, fromHex(data));
      const { account, password } = parseObject(new TextDecoder().decode(plain));
      return typeof account === "string" && typeof password === "string" ? { account, password } : null;
    }),
    keep: async ({ account, password }) => void await attempt(async () => {
      await forget(secrets);
      const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify({ account, password })));
      const id = crypto.randomUUID();
      await inKeys("readwrite", (keys) => keys.put({ key, time: Date.now() }, id));
      secrets.set("login", JSON.stringify({ id, iv: toHex(iv), data: toHex(new Uint8Array(data)) }));
      await removeOldKeys();
      return null;
    }),
    forget: async () => void await attempt(async () => {
      await forget(secrets);
      return null;
    }),
  };
}

/** @param {Storage} secrets */
async function forget(secrets) {
  const { id } = parseObject(secrets.get("login"));
  secrets.set("login", null);
  if (typeof id === "string") await inKeys("readwrite", (keys) => keys.delete(id));
}

async function removeOldKeys() {
  const ids = await inKeys("readonly", (keys) => keys.getAllKeys());
  for (const id of ids) {
    const { time = 0 } = /** @type {{ time?: number }} */ (await inKeys("readonly", (keys) => keys.get(id)) ?? {});
    if (Date.now() - time > MAX_AGE) await inKeys("readwrite", (keys) => keys.delete(id));
  }
}

/**
 * Runs a request on the keys of all tabs.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(keys: IDBObjectStore) => IDBRequest<T>} run
 * @returns {Promise<T>}
 */
async function inKeys(mode, run) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(KEYS);
  const database = await settled(opening);
  try {
    return await settled(run(database.transaction(KEYS, mode).objectStore(KEYS)));
  } finally {
    database.close();
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {unknown} text */
function fromHex(text) {
  return Uint8Array.from(String(text).match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
