/** Requests about files: where they go, the token that proves the account, and a cache in memory of what was read. */

import { filePath, showingOf } from "../wire/files.js";

/** @import { FileInfo, HttpAnswer, HttpRequest, Store } from "../model/types.js" */

/** @typedef {{ content: Blob, url: string }} ReadFile A file in memory, with its `blob:` address. */

/** Limit of the cache, in bytes, beside what is on the screen. */
const MAX_CACHE = 64 * 1024 * 1024;
/** Time before the end of a token at which another one is fetched, in ms. */
const ALLOWANCE = 60_000;

/** Returns the path that the page asks its own host for: `parlour web` passes it on to the server that it names. @param {Store} store @param {string} path */
export function ownPath(store, path) {
  const { mode, server } = store.session();
  return mode === "local" && server !== null ? `/files/${encodeURIComponent(server)}${path}` : path;
}

/** Sends a request, and tells of the bytes that were sent. Rejects where there was no answer. @param {HttpRequest} request @returns {Promise<HttpAnswer>} */
export function request({ method, path, headers, body, signal, progress }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, path);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => progress(loaded);
    xhr.onload = () => resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), text: xhr.responseText });
    xhr.onerror = xhr.onabort = () => reject(new Error("no answer"));
    signal.addEventListener("abort", () => xhr.abort());
    xhr.send(body);
  });
}

/** A file that is not there, or that the account may not read (any more). */
export class FileGone extends Error {}

export class FileCache {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    /** @type {{ value: Promise<{ token: string, seconds: number }>, end: number } | null} */
    this.token = null;
    /** What was read, the latest use last. @type {Map<string, ReadFile>} */
    this.cache = new Map();
    /** @type {Map<string, Promise<ReadFile>>} */
    this.open = new Map();
  }

  /** Returns a file that was read already. @param {FileInfo} file */
  known({ id }) {
    const found = this.cache.get(id);
    if (!found) return undefined;
    this.cache.delete(id);
    this.cache.set(id, found);
    return found;
  }

  /**
   * Reads a file. What is not shown in place has the type of no document, so that nothing in it ever runs.
   * @param {FileInfo} file
   * @param {(share: number) => void} [progress]
   */
  read(file, progress) {
    const known = this.known(file);
    if (known !== undefined) return Promise.resolve(known);
    const open = this.open.get(file.id) ?? this.load(file, progress).finally(() => this.open.delete(file.id));
    this.open.set(file.id, open);
    return open;
  }

  /** @param {FileInfo} file @param {((share: number) => void) | undefined} progress */
  async load(file, progress) {
    const type = showingOf(file.type) === "other" ? "application/octet-stream" : file.type;
    return this.keep(file.id, new Blob(await this.bytes(file, progress), { type }));
  }

  /** Keeps the content of a file, such as a picture that was sent from here. @param {string} id @param {Blob} content @returns {ReadFile} */
  keep(id, content) {
    const read = { content, url: URL.createObjectURL(content) };
    this.cache.set(id, read);
    this.trim();
    return read;
  }

  /** @param {FileInfo} file @param {((share: number) => void) | undefined} progress */
  async bytes(file, progress) {
    let response = await this.get(file);
    if (response.status === 401) {
      // The session that the token was of has ended.
      this.token = null;
      response = await this.get(file);
    }
    if (response.status === 404) throw new FileGone();
    if (!response.ok || !response.body) throw new Error((await response.text()).trim().slice(0, 500) || `HTTP ${response.status}`);
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const parts = [];
    let size = 0;
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return parts;
      parts.push(value);
      size += value.length;
      progress?.(Math.min(size / Math.max(file.size, 1), 1));
    }
  }

  /** Nothing of a file stays in the cache of the browser. @param {FileInfo} file */
  async get(file) {
    const headers = { Authorization: `Bearer ${await this.proof()}` };
    return fetch(ownPath(this.store, filePath(file)), { headers, cache: "no-store", credentials: "omit", redirect: "error" });
  }

  /** Returns the token that all reads share. */
  async proof() {
    if (this.token === null || Date.now() > this.token.end) {
      const mine = this.token = { value: this.store.actions.fileToken(), end: Infinity };
      mine.value.then(({ seconds }) => { mine.end = Date.now() + seconds * 1000 - ALLOWANCE; }, () => { if (this.token === mine) this.token = null; });
    }
    return (await this.token.value).token;
  }

  /** Drops what was used longest ago and is not on the screen, until the rest is within the limit. */
  trim() {
    let size = [...this.cache.values()].reduce((sum, one) => sum + one.content.size, 0);
    const latest = [...this.cache.keys()].at(-1);
    for (const [id, one] of this.cache) {
      if (size <= MAX_CACHE) return;
      if (id === latest || document.querySelector(`[src="${one.url}"]`)) continue;
      size -= one.content.size;
      this.forget(id);
    }
  }

  /** @param {string} id */
  forget(id) {
    const known = this.cache.get(id);
    if (known) URL.revokeObjectURL(known.url);
    this.cache.delete(id);
  }
}

/** @type {WeakMap<Store, FileCache>} */
const caches = new WeakMap();

/** Returns the one cache of a store. @param {Store} store */
export function fileCache(store) {
  const known = caches.get(store) ?? new FileCache(store);
  caches.set(store, known);
  return known;
}
