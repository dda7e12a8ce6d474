// What stands beside a conversation, and where one is next: the panel, the list of conversations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { noBrowser as skip, PHONE, picture, Scene } from "./support.js";

const { browser } = new Scene();

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
