// What stands beside a conversation, and where one is next: the panel, the list of conversations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DESKTOP, noBrowser as skip, PHONE, picture, Scene, violations } from "./support.js";

const { browser } = new Scene();

for (const [name, viewport] of /** @type {const} */ ([["desktop", DESKTOP], ["phone", PHONE]])) {
  test(`members that are offline stand behind the others, with their number (${name})`, { skip }, async () => {
    const { page, errors } = await browser.demo({ viewport, hasTouch: name === "phone", isMobile: name === "phone" });
    if (name === "phone") await page.getByRole("button", { name: "Members" }).tap();
    const panel = page.locator(".panel");
    await panel.locator(".bar", { hasText: "6 of 8 online" }).waitFor();
    const names = () => panel.locator(".member strong, .member .line > :first-child").allTextContents();
    assert.deepEqual(await names(), ["alice", "Bob Builder", "花子", "dave", "erin", "frank", "gina", "hugo"]);
    assert.equal(await panel.locator("h3").last().textContent(), "offline – 2");
    await picture(page, `members-${name}`);
    assert.deepEqual(await violations(page), []);
    await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":dave!d@p QUIT :", ":hugo!h@p JOIN #tea", ":hugo!h@p PART #tea"));
    await panel.locator(".bar", { hasText: "5 of 7 online" }).waitFor();
    assert.deepEqual((await names()).slice(-2), ["gina", "dave"]);
    await page.getByText("dave", { exact: true }).last().click();
    await page.locator("dialog[open]").waitFor();
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

for (const width of [1099, 900, 899, 700]) {
  test(`a panel leaves the message field in sight, and Esc closes it (${width} px)`, { skip }, async () => {
    const { page, errors } = await browser.demo({ viewport: { width, height: 700 } });
    const field = page.locator(".chat textarea");
    assert.equal(await page.locator(".panel").isVisible(), false, "the members do not take the room by themselves");
    for (const open of [() => page.getByRole("button", { name: "Members" }).click(), () => page.getByRole("button", { name: "Search", exact: true }).click()]) {
      await open();
      await page.locator(".panel header").waitFor();
      await field.click();
      await page.keyboard.type("x");
      const [panel, composer] = await Promise.all([".panel", ".chat .composer"].map((part) => page.locator(part).boundingBox()));
      assert.ok(panel && composer && composer.x + composer.width <= panel.x && panel.x + panel.width <= width && composer.width > 300, JSON.stringify([panel, composer]));
      await picture(page, `panel-${width}-${await page.locator(".panel h2").textContent()}`);
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Escape");
      await page.locator(".panel").waitFor({ state: "hidden" });
      assert.equal(await page.locator(".sidebar").isVisible(), true);
    }
    assert.equal(await field.inputValue(), "xx");
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test("whoever leaves a channel is in the conversation that they had open before", { skip }, async () => {
  const leave = async (/** @type {import("./support.js").Page} */ page) => {
    await page.getByRole("button", { name: "Conversation menu" }).click();
    await page.getByRole("menuitem", { name: "Leave" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.waitForFunction(() => {
      const { fixture } = /** @type {any} */ (globalThis);
      const line = fixture.sent.find((/** @type {any} */ one) => one.command === "PART");
      if (line) fixture.answer("PART", [`:alice!alice@parlour PART ${line.params[0]}`]);
      return line !== undefined;
    });
  };
  const { page, errors } = await browser.demo();
  for (const key of ["#builds", "#بيت"]) await page.locator(`.conversation[data-key="${key}"]`).click();
  await leave(page);
  await page.locator(".chat .bar h2", { hasText: "#builds" }).waitFor();
  assert.equal(await page.locator('.conversation[data-key="#بيت"]').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
  await leave(page);
  await page.locator(".chat .bar h2", { hasText: "#tea" }).waitFor();
  // Back leads to a channel that one is not in, and it says so.
  await page.goBack();
  await page.locator(".locked", { hasText: "You are not in this channel." }).getByRole("button", { name: "Join" }).waitFor();
  assert.equal(await page.locator(".loading").isVisible(), false);
  assert.equal(await page.locator(".greeting").innerText(), "#بيت");
  await picture(page, "left-channel");
  await page.getByRole("button", { name: "Conversation menu" }).click();
  await page.getByRole("menuitem", { name: "Close conversation" }).click();
  await page.locator(".chat .bar h2", { hasText: "#tea" }).waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
  const phone = await browser.demo({ viewport: PHONE, hasTouch: true, isMobile: true });
  await leave(phone.page);
  await phone.page.locator('#app[data-pane="list"]').waitFor();
  assert.equal(await phone.page.locator('.conversation[data-key="#tea"]').count(), 0);
  assert.deepEqual(phone.errors, []);
  await phone.page.context().close();
});

test("search shows no marks, and the arrows lead to its results and back", { skip }, async () => {
  const { page, errors } = await browser.demo();
  await page.keyboard.press("Control+f");
  const field = page.locator(".panel input[type=search]");
  await field.fill("ping");
  await page.waitForFunction(() => {
    const { fixture } = /** @type {any} */ (globalThis);
    if (!fixture.sent.some((/** @type {any} */ one) => one.command === "SEARCH")) return false;
    const old = fixture.message(1, "*ping* me, `please`", "bob").replace(/time=[^;]*/, "time=2026-01-02T03:04:05.000Z");
    fixture.answer("SEARCH", [old, fixture.message(2, "_ping_ pong", "carol")], "soju.im/search");
    return true;
  });
  await page.locator(".result").nth(1).waitFor();
  assert.deepEqual(await page.locator(".result .body").allTextContents(), ["ping pong", "ping me, please"]);
  assert.deepEqual(await page.locator(".result mark").allTextContents(), ["ping", "ping"]);
  const focused = () => page.evaluate(() => document.activeElement?.closest(".result")?.querySelector(".body")?.textContent ?? document.activeElement?.tagName);
  for (const [key, where] of /** @type {const} */ ([["ArrowDown", "ping pong"], ["ArrowDown", "ping me, please"], ["ArrowDown", "ping me, please"], ["ArrowUp", "ping pong"], ["ArrowUp", "INPUT"], ["ArrowUp", "INPUT"], ["ArrowDown", "ping pong"]])) {
    await page.keyboard.press(key);
    assert.equal(await focused(), where, key);
  }
  await picture(page, "search");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".chat article.selected", { hasText: "message 0" }).waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
});
