// What the page weighs, and how soon something is to be seen.

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { isComplete, noServer as skip, say, Scene, sees } from "./support.js";

/** Limit of what is loaded until one can read and write in a conversation, in any language, uncompressed, in KiB. */
const MAX_START = 200;
/** Limit of all files that are served, in KiB: files take 60 of them, all of it loaded after the start. */
const MAX_ALL = 690;

const web = fileURLToPath(new URL("../../../web/", import.meta.url));
const files = readdirSync(web, { recursive: true, encoding: "utf8" }).filter((file) => /\.(?:js|css|html|svg)$/.test(file));
const scene = new Scene({ accounts: ["root"] });
/** @type {Promise<string> | undefined} */
let address;

/** @param {string[]} paths */
const sizeOf = (paths) => paths.reduce((sum, path) => sum + statSync(join(web, path)).size, 0);

/** Returns the address of a page whose account has a channel with messages. */
async function prepare() {
  const { page, context, url } = await scene.open("alice");
  for (const text of ["hello, *alice*: https://example.org", "a second `message` 🙂"]) await say(page, text);
  await page.locator("article:not(.pending)", { hasText: "second" }).waitFor();
  await context.close();
  return url;
}

test("all files are small", (context) => {
  const bytes = sizeOf(files);
  context.diagnostic(`${(bytes / 1024).toFixed(1)} KiB in ${files.length} files`);
  assert.ok(bytes < MAX_ALL * 1024);
});

for (const language of ["en", "de", "fr", "es"]) {
  test(`only what is needed to read and write is loaded at the start (${language})`, { skip }, async (context) => {
    const { page, errors, context: tab } = await scene.browser.open(await (address ??= prepare()), { locale: language });
    await sees(page, "a second");
    await isComplete(page);
    const loaded = await page.evaluate(() => {
      const entries = performance.getEntriesByType("resource").filter(({ name }) => /\.(?:js|css|svg)$/.test(name));
      return entries.sort((a, b) => a.startTime - b.startTime).map(({ name }) => new URL(name).pathname.slice(1));
    });
    // Then the rest follows, except for the other languages.
    const start = [...new Set(["index.html", ...loaded.slice(0, loaded.indexOf("views/soon.js"))])];
    context.diagnostic(`${(sizeOf(start) / 1024).toFixed(1)} KiB in ${start.length} files`);
    assert.ok(sizeOf(start) < MAX_START * 1024);
    assert.ok(start.includes(`text/${language}.js`) && start.includes("views/panels/members.js"), "the conversation is complete");
    const others = files.filter((file) => ![...start, ...loaded].includes(file));
    assert.deepEqual(others.filter((file) => !/^(?:text\/(?:more\/)?(?:en|de|fr|es)\.js|icon\.svg)$/.test(file)), [], "nothing is left to load");
    assert.deepEqual(errors, []);
    await tab.close();
  });
}

test("the first paint waits for no script", { skip }, async (context) => {
  const { page, context: tab } = await scene.browser.open(await (address ??= prepare()));
  const paint = () => page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null);
  context.diagnostic(`first paint after ${Math.round(await paint() ?? NaN)} ms with all scripts`);
  let held = 0;
  /** @type {() => void} */
  let release = () => {};
  /** @type {Promise<void>} */
  const released = new Promise((resolve) => { release = resolve; });
  await page.route(/\.js$/, async (route) => {
    held += 1;
    await released;
    await route.continue();
  });
  await page.reload({ waitUntil: "commit" });
  await page.getByText("Parlour", { exact: true }).waitFor();
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  assert.ok(held > 0, "the scripts are held back");
  release();
  await isComplete(page);
  await tab.close();
});

test("the latest message stays in its place while formats and the rest follow", { skip }, async (context) => {
  const { page, errors, context: tab } = await scene.browser.open(await (address ??= prepare()));
  await page.addInitScript(() => {
    /** @type {string[]} */
    const places = [];
    Object.assign(window, { places });
    const look = () => {
      const body = [...document.querySelectorAll(".rows .body")].at(-1);
      const end = document.querySelector(".scroller")?.getBoundingClientRect().bottom ?? 0;
      if (body) places.push(`${Math.round(end - body.getBoundingClientRect().bottom)} ${body.querySelector("code") ? "with formats" : "plain"}`);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.reload();
  await isComplete(page);
  await page.locator(".body code", { hasText: "message" }).waitFor();
  const places = [...new Set(await page.evaluate(() => /** @type {typeof window & { places: string[] }} */ (window).places))];
  context.diagnostic(`from the end, in pixels: ${places.join(", ")}`);
  assert.equal(new Set(places.map((place) => place.split(" ")[0])).size, 1);
  assert.deepEqual(errors, []);
  await tab.close();
});
