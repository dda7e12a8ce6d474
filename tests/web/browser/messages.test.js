// What one does with messages: reactions, answers, threads.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DESKTOP, noBrowser as skip, PHONE, picture, Scene, violations } from "./support.js";

/** @typedef {import("./support.js").Page} Page */

const { browser } = new Scene();

/** Returns the lines that the page sent, since the last time. @param {Page} page @param {string} command */
async function sent(page, command) {
  return page.evaluate((name) => {
    const { fixture } = /** @type {any} */ (globalThis);
    const lines = fixture.sent.filter((/** @type {any} */ line) => line.command === name).map((/** @type {any} */ { tags, params }) => ({ tags: Object.fromEntries(tags), params }));
    fixture.sent = fixture.sent.filter((/** @type {any} */ line) => line.command !== name);
    return lines;
  }, command);
}

/** Returns the emoji with which the page reacted. @param {Page} page */
async function reactions(page) {
  const lines = await sent(page, "TAGMSG");
  return lines.map((/** @type {any} */ { tags }) => tags["+draft/react"] ?? (tags["+draft/unreact"] && `no ${tags["+draft/unreact"]}`)).filter(Boolean);
}

test("the usual reactions are at hand beside a message, those used lately first", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const message = page.locator("article", { has: page.locator("pre", { hasText: "const tea" }) });
  const quick = message.locator(".tools .quick");
  await message.hover();
  await quick.first().waitFor();
  assert.deepEqual(await quick.allTextContents(), ["👍", "❤️", "😂", "🎉", "👀", "✅"]);
  assert.deepEqual(await quick.evaluateAll((all) => all.map((one) => one.getAttribute("aria-pressed"))), ["true", "false", "false", "false", "false", "false"]);
  await picture(page, "quick-reactions");
  assert.deepEqual(await violations(page), []);
  await quick.nth(1).click();
  await quick.nth(0).click();
  assert.deepEqual(await reactions(page), ["❤️", "no 👍"]);
  // One from the picker is first the next time; those at hand keep their order.
  await message.hover();
  await message.getByRole("button", { name: "React", exact: true }).click();
  await page.locator("dialog.emoji-picker").waitFor();
  await page.keyboard.type("rocket");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.deepEqual(await reactions(page), ["🚀"]);
  await message.hover();
  await message.locator(".quick", { hasText: "🚀" }).waitFor();
  assert.deepEqual(await quick.allTextContents(), ["🚀", "👍", "❤️", "😂", "🎉", "👀"]);
  // By keys, in the menu of the selected message.
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.locator(".menu-row").waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  for (const [key, text] of [["ArrowRight", "👍"], ["ArrowDown", "React"], ["ArrowDown", "Reply"], ["ArrowUp", "React"], ["ArrowUp", "👀"], ["ArrowLeft", "🎉"]]) {
    await page.keyboard.press(key);
    assert.equal(await focused(), text, key);
  }
  await page.keyboard.press("Enter");
  assert.deepEqual(await reactions(page), ["🎉"]);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the reactions of a phone are in a sheet", { skip }, async () => {
  const { page, errors } = await browser.demo({ viewport: PHONE, hasTouch: true, isMobile: true });
  const message = page.locator("article", { hasText: "so do I" });
  await message.locator(".body").tap();
  await message.getByRole("button", { name: "More actions" }).tap();
  const box = await page.locator(".menu").boundingBox();
  assert.deepEqual([box?.x, box?.width, Math.round((box?.y ?? 0) + (box?.height ?? 0))], [0, PHONE.width, PHONE.height]);
  await picture(page, "sheet-actions");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("menuitemcheckbox", { name: "tada" }).tap();
  assert.deepEqual(await reactions(page), ["🎉"]);
  await message.getByRole("button", { name: "React", exact: true }).tap();
  const sheet = await page.locator(".emoji-picker").boundingBox();
  assert.deepEqual([sheet?.x, sheet?.width, Math.round((sheet?.y ?? 0) + (sheet?.height ?? 0))], [0, PHONE.width, PHONE.height]);
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "INPUT", "the keyboard stays away");
  await picture(page, "sheet-emoji");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "grinning", exact: true }).tap();
  assert.deepEqual(await reactions(page), ["😀"]);
  assert.equal(await message.locator(".tools").isVisible(), true);
  await message.locator(".body").tap();
  await message.locator(".tools").waitFor({ state: "hidden" });
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the emoji picker stands beside the message, and marks what Enter takes", { skip }, async () => {
  const { page, errors } = await browser.demo({ viewport: DESKTOP });
  for (const text of ["message 56 of", "const tea", "so do I"]) {
    const message = page.locator("article", { has: page.locator(".body", { hasText: text }) });
    await message.hover();
    await message.locator("[data-do=react]").click();
    const picker = page.locator(".emoji-picker");
    await picker.waitFor();
    const [one, other] = await Promise.all([picker.boundingBox(), message.boundingBox()]);
    assert.ok(one && other && (one.y + one.height <= other.y || one.y >= other.y + other.height), `${text}: ${JSON.stringify([one, other])}`);
    assert.ok(one.y >= 0 && one.y + one.height <= DESKTOP.height && one.height >= 260);
    assert.equal(await picker.evaluate((dialog) => getComputedStyle(dialog, "::backdrop").backgroundColor), "rgba(0, 0, 0, 0)", "nothing is dimmed");
    await page.keyboard.type("tea");
    await page.waitForFunction(() => document.querySelectorAll(".emoji-grid button").length < 20);
    assert.equal(await picker.locator(".hit").count(), 1);
    const name = await picker.locator(".hit").getAttribute("title");
    assert.equal(await picker.locator(".emoji-foot").textContent(), `↵ ${name}`);
    await picture(page, `picker-${text.slice(0, 4)}`);
    assert.deepEqual(await violations(page), []);
    const emoji = await picker.locator(".hit").textContent();
    await page.keyboard.press("Enter");
    assert.deepEqual(await reactions(page), [emoji]);
  }
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("answers to one message that follow each other show its quote once", { skip }, async () => {
  const { page, errors } = await browser.demo();
  await page.evaluate(() => {
    const { fixture } = /** @type {any} */ (globalThis);
    let time = Date.now() - 60_000;
    const say = (/** @type {string} */ from, /** @type {string} */ text, to = "") =>
      fixture.receive(`@time=${new Date(time += 1000).toISOString()};msgid=${text.replaceAll(" ", "-")}${to && `;+draft/reply=${to}`} :${from}!u@parlour PRIVMSG #tea :${text}`);
    say("bob", "who comes along");
    say("dave", "not me", "who-comes-along");
    say("dave", "sadly", "who-comes-along");
    say("erin", "I do", "who-comes-along");
    say("erin", "another matter");
    say("erin", "yes I do", "who-comes-along");
    say("frank", "and I", "sadly");
  });
  const row = (/** @type {string} */ text) => page.locator("article", { has: page.locator(".body", { hasText: new RegExp(`^${text}$`) }) });
  const shape = async (/** @type {string} */ text) => [await row(text).locator(".quote").count(), await row(text).locator(".head").count(), await row(text).locator(".again").count()];
  await row("and I").waitFor();
  assert.deepEqual({
    "not me": await shape("not me"), sadly: await shape("sadly"), "I do": await shape("I do"), "another matter": await shape("another matter"), "yes I do": await shape("yes I do"), "and I": await shape("and I"),
  }, { "not me": [1, 1, 0], sadly: [0, 0, 0], "I do": [0, 1, 1], "another matter": [0, 1, 0], "yes I do": [1, 1, 0], "and I": [1, 1, 0] });
  await picture(page, "quote-once");
  assert.deepEqual(await violations(page), []);
  await row("I do").getByRole("button", { name: "In reply to Bob Builder" }).click();
  await page.locator("article.selected", { hasText: "who comes along" }).waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
});

for (const [name, viewport] of /** @type {const} */ ([["desktop", DESKTOP], ["phone", PHONE]])) {
  test(`the field of a thread can do what the main one can, and leaves that alone (${name})`, { skip }, async () => {
    const { page, errors } = await browser.demo({ viewport, hasTouch: name === "phone", isMobile: name === "phone" });
    await page.locator(".chat textarea").fill("half a thought");
    await page.locator(".thread-link").last().click();
    const panel = page.locator(".panel");
    const field = panel.locator("textarea");
    await panel.locator("li", { hasText: "so do I" }).waitFor();
    await field.click();
    await page.keyboard.type("@bo");
    await panel.locator(".suggest .option").first().waitFor();
    const box = await panel.locator(".composer").boundingBox();
    assert.ok(box && box.y + box.height > viewport.height - 30, "the field stands at the lower edge");
    await picture(page, `thread-${name}`);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Tab");
    await page.keyboard.type("fine :tada:");
    await page.waitForFunction(() => document.querySelector(".panel textarea")?.matches("*") && /** @type {HTMLTextAreaElement} */ (document.querySelector(".panel textarea")).value === "bob: fine 🎉");
    await page.keyboard.press("Shift+Home");
    await panel.getByRole("button", { name: "Format" }).click();
    await page.getByRole("menuitem", { name: "Bold" }).click();
    assert.equal(await field.inputValue(), "*bob: fine 🎉*");
    await field.evaluate((area) => /** @type {HTMLTextAreaElement} */ (area).setSelectionRange(99, 99));
    await panel.getByRole("button", { name: "Emoji" }).click();
    await page.getByRole("button", { name: "grinning", exact: true }).click();
    assert.equal(await field.inputValue(), "*bob: fine 🎉*😀");
    await panel.getByRole("button", { name: "Emoji" }).click();
    await page.locator("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.equal(await field.evaluate((area) => /** @type {HTMLTextAreaElement} */ (area).selectionEnd), 16, "the cursor stays");
    // What was begun is there when the thread is opened again.
    await page.keyboard.press("Escape");
    await panel.locator("textarea").waitFor({ state: "hidden" });
    await page.locator(".thread-link").last().click();
    await panel.locator("li", { hasText: "so do I" }).waitFor();
    assert.equal(await field.inputValue(), "*bob: fine 🎉*😀");
    await field.click();
    await panel.getByRole("button", { name: "Send" }).click();
    await page.waitForFunction(() => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.command === "PRIVMSG" && line.params[1].startsWith("*bob")));
    const lines = await sent(page, "PRIVMSG");
    const line = lines.find((/** @type {any} */ { params }) => params[1] === "*bob: fine 🎉*😀");
    // The first message of the thread is Bob's.
    assert.equal(line.tags["+draft/reply"], "0000000000000046");
    assert.equal(await field.inputValue(), "");
    await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive("@msgid=00000000000000ff;+draft/reply=0000000000000046 :dave!d@p PRIVMSG #tea :in the thread"));
    await panel.locator("li", { hasText: "in the thread" }).waitFor();
    if (name === "phone") await page.goBack();
    assert.equal(await page.locator(".chat textarea").inputValue(), "half a thought");
    assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).fixture.store.draft("#tea").text), "half a thought");
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test("a field that was left keeps no draft of what another one has sent since", { skip }, async () => {
  const { page, errors } = await browser.demo();
  // The delays after which drafts are kept end when the test says so.
  await page.evaluate(() => {
    const { setTimeout, clearTimeout } = globalThis;
    const held = new Map();
    let next = 1e9;
    Object.assign(globalThis, {
      setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => ms === 400 ? (held.set(++next, run), next) : setTimeout(run, ms),
      clearTimeout: (/** @type {number} */ id) => { if (!held.delete(id)) clearTimeout(id); },
      endDelays: () => { for (const [id, run] of held) { held.delete(id); run(); } },
    });
  });
  const panel = page.locator(".panel");
  const open = async () => {
    await page.locator(".thread-link").last().click();
    await panel.locator("li", { hasText: "so do I" }).waitFor();
  };
  const isSent = (/** @type {string} */ text) => page.waitForFunction((wanted) => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.command === "PRIVMSG" && line.params[1] === wanted), text);
  await open();
  await panel.locator("textarea").fill("from the thread");
  await panel.locator("textarea").press("Escape");
  await panel.locator("textarea").waitFor({ state: "detached" });
  await open();
  await panel.locator("textarea").press("Enter");
  await isSent("from the thread");
  await page.evaluate(() => /** @type {any} */ (globalThis).endDelays());
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive("@msgid=00000000000000ff;+draft/reply=0000000000000046 :dave!d@p PRIVMSG #tea :in the thread"));
  await panel.locator("li", { hasText: "in the thread" }).waitFor();
  assert.equal(await panel.locator("textarea").inputValue(), "");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the up key begins at the latest message, whatever was selected before", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const field = page.getByRole("textbox", { name: "Message" });
  const selected = () => page.locator("article.selected").textContent();
  await field.focus();
  await page.keyboard.press("ArrowUp");
  const latest = await selected();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.notEqual(await selected(), latest);
  await field.click();
  await page.keyboard.press("ArrowUp");
  assert.equal(await selected(), latest);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a command that is written completely is not replaced by a longer one", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const field = page.getByRole("textbox", { name: "Message" });
  for (const command of ["/pin", "/mute", "/who", "/set", "/bookmark"]) {
    await field.fill("");
    await field.pressSequentially(command);
    await page.waitForFunction((typed) => document.querySelector(".suggest .option span")?.textContent.split(" ")[0] === typed, command);
  }
  assert.deepEqual(errors, []);
  await page.context().close();
});
