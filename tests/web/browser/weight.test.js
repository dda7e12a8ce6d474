// What the page weighs, and how soon something is to be seen.

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Browser, noBrowser, noServer, Person, Server } from "./support.js";

/** Limit of what is loaded until one can write, uncompressed, in KiB. Dialogs, panels and other languages come when they are used. */
const MAX_START = 360;
/** Limit of all files that are served, in KiB. */
const MAX_ALL = 560;
/** Limit of the time to the first paint from loopback, in ms. */
const MAX_PAINT = 300;

const web = fileURLToPath(new URL("../../../web/", import.meta.url));
const browser = new Browser();

before(async () => {
  if (!noBrowser) await browser.start();
});
after(() => browser.stop());

test("all files are small", (context) => {
  const files = readdirSync(web, { recursive: true, encoding: "utf8" }).filter((file) => /\.(?:js|css|html|svg)$/.test(file));
  const bytes = files.reduce((sum, file) => sum + statSync(join(web, file)).size, 0);
  context.diagnostic(`${Math.round(bytes / 1024)} KiB in ${files.length} files`);
  assert.ok(bytes < MAX_ALL * 1024);
});

test("only what is used is loaded", { skip: noBrowser }, async (context) => {
  const { page } = await browser.demo();
  const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname).filter((path) => path.startsWith("/web/") && !path.endsWith("start.js")));
  const bytes = loaded.reduce((sum, path) => sum + statSync(join(web, "..", path)).size, 0);
  context.diagnostic(`${Math.round(bytes / 1024)} KiB in ${loaded.length} files`);
  assert.ok(bytes < MAX_START * 1024);
  assert.deepEqual(loaded.filter((path) => /dialogs\/|emoji|qr\.js|text\/(?:de|fr|es)/.test(path)), []);
});

test("the first paint comes at once", { skip: noServer }, async (context) => {
  const server = new Server(["admin"]);
  await server.start();
  const person = new Person(server, "alice");
  try {
    const url = await person.joinToPage();
    const times = [];
    // The best of three: the machine does other things, too.
    for (let round = 0; round < 3; round++) {
      const { page, context: tab } = await browser.open(url);
      times.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity));
      await tab.close();
    }
    context.diagnostic(`first paint after ${times.map(Math.round).join(", ")} ms`);
    assert.ok(Math.min(...times) < MAX_PAINT);
  } finally {
    await person.end();
    await server.remove();
  }
});
