// Resumable uploads against a stand-in for the server, which breaks where a test says so.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Upload } from "../../../web/connection/upload.js";

/** @typedef {import("../../../web/model/types.js").HttpRequest} HttpRequest */
/** @typedef {import("../../../web/model/types.js").HttpAnswer} HttpAnswer */

const file = "/f/AAAAAAAAAAAAAAAAAAAAAA/tea%20pot.png";

/** The server, and a clock that runs ahead to whatever waits. */
class World {
  constructor() {
    /** Bytes of each upload, by its path. @type {Map<string, { length: number, got: string }>} */
    this.uploads = new Map();
    /** @type {string[]} */
    this.log = [];
    this.tokens = 0;
    /** What happens to a request before it is answered as usual. @type {((request: HttpRequest) => Promise<HttpAnswer | void> | HttpAnswer | void)[]} */
    this.next = [];
    /** @type {number[]} */
    this.waits = [];
    /** @type {string[]} */
    this.states = [];
  }

  /** @param {string} text @param {string} [name] */
  upload(text, name = "tea pot.png") {
    const one = new Upload(new Blob([text]), name, {
      token: async () => `token ${++this.tokens}`,
      request: (request) => this.request(request),
      later: (ms, run) => {
        // A connection that stalls is not waited for here.
        if (ms >= 60_000) return () => {};
        this.waits.push(ms);
        const timer = setTimeout(run, 0);
        return () => clearTimeout(timer);
      },
      random: () => 0,
      changed: () => { if (this.states.at(-1) !== one.state) this.states.push(one.state); },
    });
    return one;
  }

  /** @param {HttpRequest} request @returns {Promise<HttpAnswer>} */
  async request(request) {
    const { method, path, headers, body, signal, progress } = request;
    this.log.push(`${method} ${path.replace(/\d+$/, "KEY")}${headers["Upload-Offset"] ? ` from ${headers["Upload-Offset"]}` : ""}`);
    assert.equal(headers["Tus-Resumable"], "1.0.0");
    const early = await this.next.shift()?.(request);
    if (signal.aborted) throw new Error("aborted");
    if (early) return early;
    const text = await body?.text() ?? "";
    progress(text.length);
    if (method === "POST") {
      assert.match(headers.Authorization, /^Bearer token \d+$/);
      const key = `/upload/${this.uploads.size + 1}`;
      this.uploads.set(key, { length: Number(headers["Upload-Length"]), got: "" });
      return answer(201, { location: `https://chat.example:6697${key}` });
    }
    const upload = this.uploads.get(path);
    if (!upload) return answer(404, {}, "There is no such upload.\n");
    if (method === "PATCH" && Number(headers["Upload-Offset"]) !== upload.got.length) return answer(409, {}, "Another offset.\n");
    if (method === "PATCH") upload.got += text;
    if (method === "DELETE") this.uploads.delete(path);
    const isComplete = upload.got.length === upload.length;
    return answer(method === "HEAD" ? 200 : 204, { "upload-offset": String(upload.got.length), ...(isComplete && { "content-location": `https://chat.example:6697${file}` }) });
  }

  /** Lets a request break after the server got a part of its body. @param {number} bytes */
  breakAfter(bytes) {
    this.next.push(async ({ path, body, progress }) => {
      const upload = this.uploads.get(path);
      if (upload) upload.got += (await body?.text() ?? "").slice(0, bytes);
      progress(bytes);
      throw new Error("no answer");
    });
  }
}

/** @param {number} status @param {Record<string, string>} [headers] @param {string} [text] @returns {HttpAnswer} */
function answer(status, headers = {}, text = "") {
  return { status, header: (name) => headers[name.toLowerCase()] ?? null, text };
}

/** Lets the next request pass. */
const pass = () => {};

test("a file is sent in one piece, and its path is that of the answer", async () => {
  const world = new World();
  const upload = world.upload("a pot of tea");
  await upload.run();
  assert.deepEqual(world.log, ["POST /upload", "PATCH /upload/KEY from 0"]);
  assert.deepEqual([upload.state, upload.path, upload.sent], ["done", file, 12]);
  assert.deepEqual(world.states, ["sending", "done"]);
});

test("an upload goes on where the connection broke", async () => {
  const world = new World();
  world.next.push(pass);
  world.breakAfter(5);
  world.next.push(pass);
  world.breakAfter(3);
  const upload = world.upload("a pot of tea");
  await upload.run();
  assert.deepEqual(world.log, ["POST /upload", "PATCH /upload/KEY from 0", "HEAD /upload/KEY", "PATCH /upload/KEY from 5", "HEAD /upload/KEY", "PATCH /upload/KEY from 8"]);
  assert.equal(world.uploads.get("/upload/1")?.got, "a pot of tea");
  assert.equal(upload.state, "done");
  assert.equal(world.tokens, 1);
});

test("an answer that is lost is asked for again", async () => {
  const world = new World();
  world.next.push(pass);
  world.breakAfter(12);
  const upload = world.upload("a pot of tea");
  await upload.run();
  assert.deepEqual(world.log, ["POST /upload", "PATCH /upload/KEY from 0", "HEAD /upload/KEY"]);
  assert.deepEqual([upload.state, upload.path], ["done", file]);
});

test("an upload that the server has forgotten begins again, with another token", async () => {
  const world = new World();
  world.next.push(pass);
  world.breakAfter(5);
  world.next.push(() => world.uploads.delete("/upload/1") ? undefined : undefined);
  const upload = world.upload("a pot of tea");
  await upload.run();
  assert.deepEqual(world.log, ["POST /upload", "PATCH /upload/KEY from 0", "HEAD /upload/KEY", "POST /upload", "PATCH /upload/KEY from 0"]);
  assert.equal(upload.state, "done");
  assert.equal(world.tokens, 2);
});

test("without an answer it waits longer each time", async () => {
  const world = new World();
  for (let n = 0; n < 8; n += 1) world.next.push(() => { throw new Error("no answer"); });
  const upload = world.upload("tea");
  await upload.run();
  assert.deepEqual(world.waits, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(upload.state, "done");
});

test("what the server refuses ends with its sentence, at the first byte or the last", async () => {
  for (const passed of [0, 1]) {
    const world = new World();
    for (let n = 0; n < passed; n += 1) world.next.push(pass);
    world.next.push(() => answer(507, {}, "The account has room for 1 KiB more.\n"));
    const upload = world.upload("tea");
    await upload.run();
    assert.deepEqual([upload.state, upload.reason], ["refused", "The account has room for 1 KiB more."]);
    assert.equal(world.log.length, passed + 1);
  }
});

test("a server that is busy is asked again, but not for ever", async () => {
  const busy = () => answer(429, {}, "4 uploads of the account are in progress.\n");
  const world = new World();
  world.next.push(busy, busy);
  const one = world.upload("tea");
  await one.run();
  assert.equal(one.state, "done");
  world.next.push(...Array.from({ length: 20 }, () => busy));
  const other = world.upload("tea");
  await other.run();
  assert.deepEqual([other.state, other.reason], ["refused", "4 uploads of the account are in progress."]);
});

test("an upload that is cancelled is removed from the server", async () => {
  const world = new World();
  world.next.push(pass, ({ signal }) => new Promise((_, reject) => { signal.addEventListener("abort", () => reject(new Error("aborted"))); }));
  const upload = world.upload("a pot of tea");
  const done = upload.run();
  while (world.log.length < 2) await new Promise((resolve) => { setTimeout(resolve, 0); });
  upload.cancel();
  await done;
  assert.equal(upload.state, "cancelled");
  assert.deepEqual(world.log.slice(2), ["DELETE /upload/KEY"]);
});

test("a file that is there and not wanted any more is removed from the server", async () => {
  const world = new World();
  const upload = world.upload("tea");
  await upload.run();
  assert.equal(upload.state, "done");
  const before = world.log.length;
  upload.cancel();
  upload.cancel();
  assert.deepEqual(world.log.slice(before), ["DELETE /upload/KEY"]);
});

test("an empty file and a name in any script are sent", async () => {
  const world = new World();
  let metadata = "";
  world.next.push(({ headers }) => { metadata = headers["Upload-Metadata"]; });
  const upload = world.upload("", "茶.txt");
  await upload.run();
  assert.equal(upload.state, "done");
  assert.equal(Buffer.from(metadata.replace(/^filename /, ""), "base64").toString(), "茶.txt");
});

test("an answer without a sense does not loop", async () => {
  const world = new World();
  world.next.push(() => answer(201, { location: "https://elsewhere.example/" }));
  const upload = world.upload("tea");
  await upload.run();
  assert.deepEqual([upload.state, upload.reason], ["refused", ""]);
});
