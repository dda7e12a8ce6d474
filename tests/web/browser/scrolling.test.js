// A long history: a window of rows, a position that stays, memory.

import assert from "node:assert/strict";
import { test } from "node:test";

import { noBrowser as skip, Scene } from "./support.js";

const MESSAGES = 100_000;
const { browser } = new Scene();

test("a hundred thousand messages scroll without gaps, in bounded memory", { skip, timeout: 180_000 }, async (context) => {
  const { page, errors } = await browser.demo({ messages: MESSAGES });
  const rows = () => page.locator(".row").count();
  assert.ok(await rows() < 200, "a window of rows only");
  const result = await page.evaluate(async () => {
    const scroller = /** @type {HTMLElement} */ (document.querySelector(".scroller"));
    const box = scroller.getBoundingClientRect();
    let gaps = 0;
    let made = 0;
    const watch = new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (node instanceof Element && node.matches(".row")) made++;
    });
    watch.observe(scroller, { childList: true, subtree: true });
    const from = scroller.scrollTop;
    for (let step = 0; step < 200; step++) {
      scroller.scrollTop -= 700;
      await new Promise(requestAnimationFrame);
      for (const part of [0.1, 0.5, 0.9]) if (!document.elementFromPoint(box.left + 200, box.top + box.height * part)?.closest(".row")) gaps++;
    }
    watch.disconnect();
    return { made, scrolled: from - scroller.scrollTop, gaps, memory: Reflect.get(performance, "memory")?.usedJSHeapSize / 1048576, loaded: /** @type {any} */ (globalThis).fixture.store.timeline("#tea").length };
  });
  const inWindow = await rows();
  context.diagnostic(JSON.stringify({ ...result, inWindow }));
  assert.ok(result.loaded >= MESSAGES);
  assert.equal(result.gaps, 0);
  // A step makes the rows that come into the window, however long the history is, and keeps the others.
  assert.ok(result.made > 0 && result.made < 200 * inWindow * 0.75, `${result.made} rows were made in 200 steps, with ${inWindow} in the window`);
  assert.ok(result.memory < 200, `${result.memory} MiB`);
  // Far away, and back.
  await page.evaluate(() => { const scroller = /** @type {HTMLElement} */ (document.querySelector(".scroller")); scroller.scrollTop = scroller.scrollHeight / 3; });
  await page.locator(".row").first().waitFor();
  assert.ok(await rows() < 200);
  await page.getByRole("button", { name: "To the latest" }).click();
  await page.locator(".body", { hasText: "this one is on its way" }).waitFor();
  assert.deepEqual(errors, []);
});

test("the position stays where it is when rows come in above and below", { skip }, async () => {
  const { page } = await browser.demo({ messages: 400 });
  const visible = () => page.evaluate(() => {
    const scroller = /** @type {HTMLElement} */ (document.querySelector(".scroller"));
    const { left, top } = scroller.getBoundingClientRect();
    const row = document.elementFromPoint(left + 200, top + 150)?.closest(".row");
    return [row?.getAttribute("data-row"), Math.round(row?.getBoundingClientRect().top ?? 0)];
  });
  await page.evaluate(() => { const scroller = /** @type {HTMLElement} */ (document.querySelector(".scroller")); scroller.scrollTop -= 4000; });
  await page.locator(".to-latest:visible").waitFor();
  const before = await visible();
  await page.evaluate(() => {
    const { fixture } = /** @type {any} */ (globalThis);
    for (let n = 0; n < 30; n++) fixture.receive(`:bob!b@parlour PRIVMSG #tea :below ${n}`);
  });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  assert.deepEqual(await visible(), before);
  // At the end the page follows new messages.
  await page.getByRole("button", { name: "To the latest" }).click();
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":bob!b@parlour PRIVMSG #tea :the very last"));
  await page.waitForFunction(() => {
    const scroller = /** @type {HTMLElement} */ (document.querySelector(".scroller"));
    return [...document.querySelectorAll(".body")].some((body) => body.textContent === "the very last") && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
  });
});

test("the page goes on following the end, whatever changes its size or the connection", { skip }, async () => {
  const { page, errors } = await browser.demo({ messages: 400 });
  /** @param {string} text */
  const follows = (text) => page.waitForFunction((last) => {
    const scroller = /** @type {HTMLElement} */ (document.querySelector(".scroller"));
    const [body] = [...document.querySelectorAll(".scroller .body")].slice(-1);
    return body?.textContent === last && body.getBoundingClientRect().bottom <= scroller.getBoundingClientRect().bottom
      && scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2 && document.querySelector(".to-latest:not([hidden])") === null;
  }, text);
  const pending = "this one is on its way";
  for (const size of [{ width: 900, height: 600 }, { width: 390, height: 844 }, { width: 1280, height: 800 }]) {
    await page.setViewportSize(size);
    await follows(pending);
  }
  // A field of many lines.
  await page.locator(".chat textarea").fill("a\nb\nc\nd\ne\nf\ng\nh");
  await follows(pending);
  await page.locator(".chat textarea").fill("");
  // The banner takes place from the messages, and the end of what is loaded is not the end of the history.
  await page.evaluate(() => {
    const { fixture } = /** @type {any} */ (globalThis);
    fixture.state = { phase: "waiting", reason: "", retryAt: Date.now() + 60_000 };
    fixture.model.disconnected();
    fixture.sent = [];
  });
  await page.locator(".banner:visible").waitFor();
  await follows(pending);
  await page.locator(".chat textarea").fill("written meanwhile");
  await page.keyboard.press("Enter");
  await follows("written meanwhile");
  await page.evaluate(async () => {
    const { fixture } = /** @type {any} */ (globalThis);
    await fixture.login(":alice!alice@parlour JOIN #tea");
    fixture.receive(":bob!b@parlour PRIVMSG #tea :live again");
  });
  await page.locator(".banner").waitFor({ state: "hidden" });
  await page.evaluate(async () => {
    const { fixture } = /** @type {any} */ (globalThis);
    fixture.answer("CHATHISTORY", Array.from({ length: 120 }, (_, n) => fixture.message(1000 + n)), "chathistory #tea", "AFTER");
    await fixture.settle();
    fixture.receive(":bob!b@parlour PRIVMSG #tea :the very last");
  });
  await page.locator(".body", { hasText: "the very last" }).waitFor();
  await follows("written meanwhile");
  await page.locator('.conversation[data-key="#tea"] .badge').waitFor({ state: "detached" });
  assert.deepEqual(errors, []);
});
