// Reads of files: the token that they share, what is asked again, and what is kept in memory.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { FileCache, FileGone, ownPath } from "../../../web/connection/files.js";

/** @typedef {import("../../../web/model/types.js").Store} Store */

const MIB = 1024 * 1024;
const { fetch: realFetch } = globalThis;

/** Addresses that elements of the document have. @type {Set<string>} */
const onScreen = new Set();
/** @type {{ path: string, proof: string }[]} */
let asked = [];
/** @type {(path: string, proof: string) => Response} */
let answer = () => new Response("tea");

/** @param {string} letter @param {number} [size] @param {string} [type] */
const file = (letter, size = 3, type = "image/png") => ({ id: letter.repeat(22), name: `${letter}.png`, type, size, width: 0, height: 0 });

/** Returns a store that gives tokens of this many seconds. @param {number} seconds @param {"local" | "server"} [mode] */
function makeStore(seconds, mode = "server") {
  let count = 0;
  const store = { count: () => count, session: () => ({ mode, server: "my server/1" }), actions: { fileToken: async () => ({ token: `token ${++count}`, seconds }) } };
  return /** @type {Store & { count: () => number }} */ (/** @type {unknown} */ (store));
}

beforeEach(() => {
  onScreen.clear();
  asked = [];
  answer = () => new Response("tea");
  globalThis.fetch = async (path, options) => {
    const proof = String(new Headers(options?.headers).get("authorization"));
    asked.push({ path: String(path), proof });
    assert.deepEqual([options?.cache, options?.credentials], ["no-store", "omit"]);
    return answer(String(path), proof);
  };
  Object.assign(globalThis, { document: { querySelector: (/** @type {string} */ selector) => [...onScreen].some((url) => selector.includes(url)) ? {} : null } });
});

afterEach(() => {
  globalThis.fetch = realFetch;
  Reflect.deleteProperty(globalThis, "document");
});

test("the local page names its server in the path", () => {
  assert.equal(ownPath(makeStore(600), "/f/ID/a.png"), "/f/ID/a.png");
  assert.equal(ownPath(makeStore(600, "local"), "/upload"), "/files/my%20server%2F1/upload");
});

test("reads share one token, and a file is read once", async () => {
  const store = makeStore(600);
  const cache = new FileCache(store);
  const [one, again] = await Promise.all([cache.read(file("a")), cache.read(file("a")), cache.read(file("b"))]);
  assert.equal(one, again);
  assert.equal(await one.content.text(), "tea");
  assert.equal(await cache.read(file("a")), one);
  assert.deepEqual(asked.map(({ path }) => path), [`/f/${"a".repeat(22)}/a.png`, `/f/${"b".repeat(22)}/b.png`]);
  assert.deepEqual([...new Set(asked.map(({ proof }) => proof))], ["Bearer token 1"]);
});

test("a token is renewed before it ends, and when the session that it was of has ended", async () => {
  const short = makeStore(30);
  const cache = new FileCache(short);
  await cache.read(file("a"));
  await cache.read(file("b"));
  assert.equal(short.count(), 2);
  const store = makeStore(600);
  const other = new FileCache(store);
  await other.read(file("a"));
  answer = (_, proof) => proof === "Bearer token 1" ? new Response("", { status: 401 }) : new Response("tea");
  await other.read(file("b"));
  assert.equal(store.count(), 2);
  answer = () => new Response("No.", { status: 401 });
  await assert.rejects(other.read(file("c")), /No\./);
});

test("a token that could not be had is asked for again", async () => {
  const store = makeStore(600);
  const { fileToken } = store.actions;
  store.actions.fileToken = () => Promise.reject(new Error("offline"));
  const cache = new FileCache(store);
  await assert.rejects(cache.read(file("a")), /offline/);
  store.actions.fileToken = fileToken;
  await cache.read(file("a"));
});

test("what is not shown in place has the type of no document", async () => {
  const cache = new FileCache(makeStore(600));
  const type = async (/** @type {string} */ letter, /** @type {string} */ stated) => (await cache.read(file(letter, 3, stated))).content.type;
  assert.deepEqual([await type("a", "image/png"), await type("b", "text/html"), await type("c", "image/svg+xml"), await type("d", "application/pdf")], ["image/png", "application/octet-stream", "application/octet-stream", "application/octet-stream"]);
});

test("a file that is gone says so, and is asked for again the next time", async () => {
  const cache = new FileCache(makeStore(600));
  answer = () => new Response("There is no such file.", { status: 404 });
  await assert.rejects(cache.read(file("a")), FileGone);
  answer = () => new Response("tea");
  await cache.read(file("a"));
});

test("64 MiB are kept, of those used last, and what is on the screen", async () => {
  const cache = new FileCache(makeStore(600));
  answer = () => new Response(new Uint8Array(20 * MIB));
  const first = await cache.read(file("a", 20 * MIB));
  for (const letter of "bc") await cache.read(file(letter, 20 * MIB));
  assert.ok(cache.known(file("a")), "used again");
  await cache.read(file("d", 20 * MIB));
  assert.deepEqual(["a", "b", "c", "d"].map((letter) => cache.known(file(letter)) !== undefined), [true, false, true, true]);
  onScreen.add(first.url);
  for (const letter of "efgh") await cache.read(file(letter, 20 * MIB));
  assert.deepEqual(["a", "e", "f", "g", "h"].map((letter) => cache.known(file(letter)) !== undefined), [true, false, false, true, true]);
  cache.forget(file("a").id);
  assert.equal(cache.known(file("a")), undefined);
});
