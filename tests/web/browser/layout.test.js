// How the page looks and is used: screens at phone and desktop size in both themes, axe-core, keyboard, languages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DESKTOP, noBrowser as skip, PHONE, picture, Scene, violations } from "./support.js";

const { browser } = new Scene();

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe-core finds nothing on a desktop, ${colorScheme}`, { skip }, async () => {
    const { page, errors } = await browser.demo({ viewport: DESKTOP, colorScheme });
    const check = async (/** @type {string} */ name) => {
      await picture(page, `desktop-${colorScheme}-${name}`);
      assert.deepEqual(await violations(page), [], name);
    };
    await page.locator(".member").first().waitFor();
    await check("conversation");
    for (const [name, keys] of /** @type {const} */ ([["switcher", "Control+k"], ["channels", "Alt+l"], ["settings", "Control+,"], ["help", "Control+/"]])) {
      await page.keyboard.press(keys);
      await page.locator("dialog[open]").waitFor();
      await check(name);
      await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: "Emoji" }).click();
    await page.locator(".emoji-grid button").first().waitFor();
    await check("emoji");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+f");
    await page.locator(".panel input[type=search]").waitFor();
    await check("search");
    await page.keyboard.press("Escape");
    await page.locator(".topic").click();
    await check("channel");
    await page.keyboard.press("Escape");
    const message = page.locator("article", { hasText: "so do I" });
    await message.hover();
    await message.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Take back" }).waitFor();
    await check("menu");
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  test(`axe-core finds nothing on a phone, ${colorScheme}`, { skip }, async () => {
    const { page, errors } = await browser.demo({ viewport: PHONE, colorScheme, hasTouch: true, isMobile: true });
    await picture(page, `phone-${colorScheme}-conversation`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the page");
    assert.deepEqual(await violations(page), []);
    const composer = await page.locator(".chat textarea").evaluate((area) => [area.clientHeight, area.scrollHeight]);
    assert.equal(composer[0], composer[1], "the whole field is in sight");
    await page.getByRole("button", { name: "Members" }).tap();
    await picture(page, `phone-${colorScheme}-members`);
    assert.deepEqual(await violations(page), []);
    assert.equal(await page.locator(".chat").isVisible(), false, "one pane at a time");
    await page.goBack();
    await page.getByRole("button", { name: "Back to the list" }).tap();
    await page.locator(".lists").waitFor();
    await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":bob!b@parlour PRIVMSG #tea :while the list is shown"));
    await page.locator('.conversation[data-key="#tea"] .badge', { hasText: "1" }).waitFor();
    await picture(page, `phone-${colorScheme}-list`);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test("everything is reached by keys alone", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const focused = () => page.evaluate(() => document.activeElement?.tagName);
  assert.equal(await focused(), "TEXTAREA", "the composer has the focus");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "ARTICLE", "Up selects a message");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("r");
  assert.equal(await focused(), "TEXTAREA");
  await page.locator(".context", { hasText: "Reply to" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".context").waitFor({ state: "hidden" });
  for (let n = 0; n < 3; n++) await page.keyboard.press("ArrowUp");
  await page.keyboard.press("e");
  await page.locator("dialog.emoji-picker").waitFor();
  await page.keyboard.type("tada");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "TEXTAREA", "Esc leads back");
  // Completion.
  await page.keyboard.type("@bo");
  await page.locator(".suggest .option").first().waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.locator(".chat textarea").inputValue(), "bob: ");
  await page.keyboard.type(":tada:");
  await page.waitForFunction(() => document.querySelector("textarea")?.value === "bob: 🎉");
  await page.keyboard.press("Shift+Enter");
  assert.match(await page.locator(".chat textarea").inputValue(), /\n$/);
  // Regions and the switcher.
  await page.locator(".member").first().waitFor();
  const region = () => page.evaluate(() => document.activeElement?.closest(".pane:not(.pane .pane)")?.className.split(" ")[1]);
  assert.equal(await region(), "chat");
  for (const [key, name] of [["F6", "panel"], ["F6", "sidebar"], ["F6", "chat"], ["Shift+F6", "sidebar"], ["Shift+F6", "panel"], ["Shift+F6", "chat"]]) {
    await page.keyboard.press(key);
    assert.equal(await region(), name, key);
  }
  await page.keyboard.press("Shift+F6");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-key")), "#tea", "the open conversation has the focus");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-key")), "#بيت", "the arrows go on from there");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("builds");
  await page.keyboard.press("Enter");
  await page.locator(".chat .bar h2", { hasText: "#builds" }).waitFor();
  await page.locator(".state.failed", { hasText: "Not sent" }).waitFor();
  await page.keyboard.press("Alt+ArrowDown");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a short message stands in one line, and a lone emoji is large", { skip }, async () => {
  const { page } = await browser.demo();
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":bob!b@parlour PRIVMSG #tea :🎉"));
  const height = (/** @type {string} */ text) => page.locator(".body", { hasText: text }).last().evaluate((element) => element.clientHeight);
  assert.ok(await height("so do I") < 30);
  assert.ok(await height("🎉") > 35);
  await page.context().close();
});

test("quotes and topics have no marks, and a quote has the display name", { skip }, async () => {
  const { page } = await browser.demo();
  assert.equal(await page.locator(".bar .topic").textContent(), "Tea, biscuits and everything else: https://example.org/tea");
  assert.equal(await page.locator(".quote strong").first().textContent(), "Bob Builder");
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive("@+draft/reply=0000000000000004 :carol!c@parlour PRIVMSG #tea :on my way"));
  await page.locator(".quote", { hasText: "can you look at part 3, please? Thanks" }).waitFor();
  await page.locator("article", { has: page.locator(".body", { hasText: "can you look at part 59" }) }).hover();
  await page.locator("article:hover").getByRole("button", { name: "Reply" }).click();
  assert.match(await page.locator(".context").innerText(), /can you look at part 59, please\? Thanks/);
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":bob!b@parlour TOPIC #tea :Now *only* `tea`"));
  await page.locator(".note", { hasText: "bob set the topic: Now only tea" }).waitFor();
  await page.context().close();
});

test("what is typed with the focus elsewhere goes into the message field", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const field = page.locator(".chat textarea");
  const types = async (/** @type {string} */ text) => {
    await page.keyboard.type(text);
    assert.equal(await field.inputValue(), text);
    await field.fill("");
  };
  // Letters that are commands for a message that was selected by keys are none for one that was clicked.
  await page.locator("article", { hasText: "so do I" }).locator(".body").click();
  await types("do reply to this");
  assert.equal(await page.locator(".context").isVisible(), false);
  await page.locator(".scroller").evaluate((scroller) => scroller.focus());
  await types("hello there");
  await page.getByRole("button", { name: "Emoji" }).click();
  await page.locator("dialog.emoji-picker").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await types("behind the picker");
  // Keys of buttons and of a selected message stay theirs: here of the third from the end, because the second was taken back.
  await field.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("r");
  await page.locator(".context", { hasText: "Reply to" }).waitFor();
  assert.equal(await field.inputValue(), "");
  await page.locator(".topic").focus();
  await page.keyboard.press("Space");
  await page.locator("dialog[open]").waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("many conversations: the open one is in sight, and unread ones out of sight are one click away", { skip }, async () => {
  const { page, errors } = await browser.demo();
  await page.evaluate(() => {
    const { fixture } = /** @type {any} */ (globalThis);
    for (let n = 1; n <= 120; n++) fixture.receive(`:alice!alice@parlour JOIN #room-${n}`);
    fixture.receive(":bob!b@parlour PRIVMSG #room-70 :just so", ":bob!b@parlour PRIVMSG #room-110 :alice: look", ":carol!c@parlour PRIVMSG alice :psst");
  });
  const names = await page.locator(".conversation .name").allTextContents();
  assert.ok(names.indexOf("room-2") < names.indexOf("room-10"), "numbers are in their order");
  const isInSight = (/** @type {string} */ key) => page.waitForFunction((wanted) => {
    const lists = document.querySelector(".lists")?.getBoundingClientRect();
    const row = document.querySelector(`.conversation[data-key="${wanted}"]`)?.getBoundingClientRect();
    return lists && row && row.top >= lists.top - 1 && row.bottom <= lists.bottom + 1;
  }, key);
  // Mentions come first.
  const below = page.locator(".more-unread.below.mention");
  await below.click();
  await isInSight("#room-110");
  await page.locator(".more-unread.above").click();
  await isInSight("#room-70");
  await page.locator('.conversation[data-key="#room-70"]').click();
  await page.keyboard.press("Alt+a");
  await page.locator(".chat .bar h2", { hasText: "#room-110" }).waitFor();
  await isInSight("#room-110");
  // A folded list has what is open or unread.
  await page.getByRole("button", { name: "Channels", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll(".lists ul:first-of-type .conversation").length < 4);
  await isInSight("#room-110");
  await page.locator('.conversation[data-key="carol"]').waitFor();
  assert.equal(await page.locator(".more-unread:visible").count(), 0);
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Channels", exact: true }).click();
  await page.locator('.conversation[data-key="#room-3"]').waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a conversation begins with its day, also behind joins that are not shown", { skip }, async () => {
  const { page } = await browser.demo();
  await page.evaluate(() => {
    const { fixture } = /** @type {any} */ (globalThis);
    fixture.receive(":alice!alice@parlour JOIN #new", ":bob!b@parlour JOIN #new", ":bob!b@parlour PRIVMSG #new :first words", ":bob!b@parlour PRIVMSG #new :and more");
  });
  await page.locator('.conversation[data-key="#new"]').click();
  await page.locator(".row", { hasText: "first words" }).locator(".day", { hasText: "Today" }).waitFor();
  assert.equal(await page.locator(".day:not(.new)").count(), 1);
  await page.context().close();
});

for (const [name, viewport] of /** @type {const} */ ([["desktop", DESKTOP], ["phone", PHONE]])) {
  test(`a long message is folded, and its actions are in sight wherever one reads it (${name})`, { skip }, async () => {
    const { page, errors } = await browser.demo({ viewport, hasTouch: name === "phone", isMobile: name === "phone" });
    await page.evaluate(() => {
      const { fixture } = /** @type {any} */ (globalThis);
      fixture.receive("@msgid=00000000000fffff :srv BATCH +b draft/multiline #tea".replace(":srv", ":bob!b@parlour"));
      for (let n = 0; n < 90; n++) fixture.receive(`@batch=b :bob!b@parlour PRIVMSG #tea :line ${n}`);
      fixture.receive(":srv BATCH -b");
    });
    const article = page.locator("article", { hasText: "line 89" });
    const height = () => article.evaluate((element) => element.getBoundingClientRect().height);
    const more = article.getByRole("button", { name: "Show more" });
    await more.waitFor();
    assert.ok(await height() < viewport.height);
    await picture(page, `${name}-folded`);
    await more.click();
    await article.getByRole("button", { name: "Show less" }).waitFor();
    assert.ok(await height() > 90 * 15);
    // In the middle of it.
    await page.locator(".scroller").evaluate((scroller) => {
      const article = [...scroller.querySelectorAll("article")].find((one) => one.textContent?.includes("line 89"));
      scroller.scrollTop += (article?.getBoundingClientRect().top ?? 0) + 600;
    });
    const { left, top } = await page.locator(".scroller").evaluate((scroller) => scroller.getBoundingClientRect());
    if (name === "phone") await page.touchscreen.tap(left + 120, top + 300);
    else await page.mouse.move(left + 200, top + 300);
    const reply = article.getByRole("button", { name: "Reply" });
    await reply.waitFor();
    const box = await reply.boundingBox();
    assert.ok(box && box.y >= top && box.y < top + 60, `the actions are at ${box?.y}, the list begins at ${top}`);
    await picture(page, `${name}-unfolded`);
    await reply.click();
    await page.locator(".context", { hasText: "Reply to" }).waitFor();
    await article.getByRole("button", { name: "Show less" }).click();
    await more.waitFor();
    await page.waitForFunction(() => {
      const list = document.querySelector(".scroller")?.getBoundingClientRect();
      const found = [...document.querySelectorAll("article")].find((one) => one.textContent?.includes("line 89"))?.getBoundingClientRect();
      return list && found && found.bottom > list.top && found.top < list.bottom;
    });
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test("a refusal stands above the message field, once, until a message is accepted", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const field = page.locator(".chat textarea");
  // What is typed or pasted by the browser's driver takes it a second for each hundred lines.
  const put = (/** @type {string} */ text) => field.evaluate((area, value) => { /** @type {HTMLTextAreaElement} */ (area).value = value; }, text);
  for (let n = 0; n < 2; n++) {
    await put("x\n".repeat(2000));
    await field.press("Enter");
    await page.locator(".toast", { hasText: "too long" }).waitFor();
    // The text is not lost. The second time the notice of the first one may still be there.
    await page.waitForFunction(() => document.querySelector("textarea")?.value.startsWith("x"));
  }
  assert.equal(await page.locator(".toast").count(), 1);
  const [toast, head] = await Promise.all([page.locator(".toast").boundingBox(), page.locator(".chat .bar").boundingBox()]);
  assert.ok(toast && head && toast.y > 400 && toast.y > head.y + head.height, `it is at ${toast?.y}`);
  await field.fill("short");
  await field.press("Enter");
  await page.locator(".toast").waitFor({ state: "detached" });
  // Many messages are sent after a question; no is no loss.
  await put("y\n".repeat(450));
  await field.press("Enter");
  await page.locator("dialog", { hasText: "5 messages" }).waitFor();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelector("textarea")?.value.startsWith("y"));
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("new messages of others are read out, and only these", { skip }, async () => {
  const { page } = await browser.demo();
  const log = page.locator("[role=log]");
  const before = await log.locator("p").count();
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":bob!b@parlour PRIVMSG #tea :something new"));
  await log.locator("p", { hasText: "something new" }).waitFor();
  assert.equal(await log.locator("p").count(), before + 1);
  await page.context().close();
});

test("the page speaks the language of the browser or of the setting", { skip }, async () => {
  const { page } = await browser.demo({ locale: "de-AT" });
  assert.equal(await page.getByRole("heading", { name: "Kanäle" }).count(), 1);
  assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
  await page.keyboard.press("Control+,");
  await page.locator("label", { hasText: /^Sprache/ }).locator("select").selectOption("fr");
  await page.getByRole("heading", { name: "Salons" }).waitFor();
  await page.context().close();
});

test("the settings stay open in the language that is chosen in them", { skip }, async () => {
  const { page, errors } = await browser.demo();
  await page.keyboard.press("Control+,");
  await page.locator("select[name=language]").selectOption("fr");
  await page.getByRole("dialog").getByRole("heading", { name: "Paramètres" }).waitFor();
  await page.locator("select[name=language]:focus").waitFor();
  assert.equal(await page.locator("dialog").count(), 1);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a long name is cut with an ellipsis, and the items of a menu are aligned", { skip }, async () => {
  const { page } = await browser.demo();
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(`:srv METADATA dave display-name * :Supercalifragilistic ${"expialidocious ".repeat(3)}`));
  const name = page.locator(".member .truncate", { hasText: "Supercali" });
  await name.waitFor();
  const [isCut, isInside] = await name.evaluate((element) => [element.scrollWidth > element.clientWidth, element.getBoundingClientRect().right <= innerWidth]);
  assert.deepEqual([isCut, isInside, await name.evaluate((element) => getComputedStyle(element).textOverflow)], [true, true, "ellipsis"]);
  for (const button of ["Format", "Conversation menu"]) {
    await page.getByRole("button", { name: button }).click();
    await page.locator(".menu").waitFor();
    const starts = await page.locator(".menu button > span:last-child").evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().left)));
    assert.equal(new Set(starts).size, 1, button);
    await page.keyboard.press("Escape");
  }
  await page.context().close();
});

test("the members leave when the page becomes too narrow for them", { skip }, async () => {
  const { page } = await browser.demo();
  await page.locator(".panel .member").first().waitFor();
  await page.setViewportSize({ width: 900, height: 600 });
  await page.locator(".panel").waitFor({ state: "hidden" });
  await page.setViewportSize(DESKTOP);
  await page.locator(".panel .member").first().waitFor();
  await page.setViewportSize(PHONE);
  await page.locator(".panel").waitFor({ state: "hidden" });
  assert.equal((await page.locator(".chat").boundingBox())?.width, PHONE.width);
  await page.context().close();
});

test("another panel has the page to itself when it becomes narrow, and leads back to the conversation", async () => {
  const { page } = await browser.demo();
  await page.locator(".chat").getByRole("button", { name: "Search" }).click();
  await page.locator(".panel input").first().waitFor();
  await page.setViewportSize(PHONE);
  await page.locator(".chat").waitFor({ state: "hidden" });
  assert.equal((await page.locator(".panel").boundingBox())?.width, PHONE.width);
  await page.locator(".panel").getByRole("button", { name: "Back" }).click();
  await page.locator(".chat textarea").waitFor();
  assert.equal((await page.locator(".chat").boundingBox())?.width, PHONE.width);
  await page.context().close();
});

test("a file that is pasted or dropped is refused in words where the server takes none, and the page stays", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const give = (/** @type {string} */ type, text = "") => page.locator(".chat textarea").evaluate((element, [kind, words]) => {
    const data = new DataTransfer();
    data.items.add(new File(["x"], "tea.png", { type: "image/png" }));
    if (words) data.setData("text/plain", words);
    const options = { bubbles: true, cancelable: true };
    return element.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", { ...options, clipboardData: data }) : new DragEvent(kind, { ...options, dataTransfer: data }));
  }, [type, text]);
  assert.equal(await give("paste", "cells as text"), true, "a text with a picture of it is a text");
  for (const type of ["dragover", "drop", "paste"]) assert.equal(await give(type), false, type);
  await page.locator(".toast", { hasText: "This server takes no files" }).first().waitFor();
  assert.equal(await page.locator(".toast").count(), 1, "the same words stand once");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("texts that run from right to left stand on the right", { skip }, async () => {
  const { page } = await browser.demo();
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":bob!b@parlour PRIVMSG #tea :مرحبا بالجميع"));
  const body = page.locator(".body", { hasText: "مرحبا" });
  await body.waitFor();
  assert.equal(await body.evaluate((element) => getComputedStyle(element).direction), "rtl");
  await page.context().close();
});

test("Back and Forward lead through the conversations, and close what stands over the page first", { skip }, async () => {
  const { page, errors } = await browser.demo();
  const at = async (/** @type {string} */ name) => {
    await page.locator(".chat .bar h2", { hasText: name }).waitFor();
    assert.equal(decodeURIComponent(new URL(page.url()).hash), `#/${name.replace(/^#/, "")}`);
  };
  await at("#tea");
  await page.locator('.conversation[data-key="#builds"]').click();
  await at("#builds");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("bob");
  await page.keyboard.press("Enter");
  await page.locator(".chat .bar h2", { hasText: "Bob Builder" }).waitFor();
  assert.equal(new URL(page.url()).hash, "#/@bob");
  assert.equal(await page.locator(".chat textarea").inputValue(), "", "the key that chose is not written into the field");
  await page.goBack();
  await at("#builds");
  await page.goBack();
  await at("#tea");
  await page.goForward();
  await at("#builds");
  // What was closed by other means is passed over.
  await page.keyboard.press("Control+,");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.goBack();
  await at("#tea");
  await page.keyboard.press("Control+/");
  await page.locator("dialog[open]").waitFor();
  await page.goBack();
  await page.locator("dialog").waitFor({ state: "detached" });
  await at("#tea");
  // An address that is typed.
  await page.evaluate(() => { location.hash = "#/builds"; });
  await at("#builds");
  await page.evaluate(() => { location.hash = "#/%"; });
  await page.goBack();
  await at("#builds");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("Back on a phone closes a dialog, then the panel, then the conversation", { skip }, async () => {
  const { page, errors } = await browser.demo({ viewport: PHONE, hasTouch: true, isMobile: true });
  const pane = (/** @type {string} */ name) => page.locator(`#app[data-pane="${name}"]`).waitFor();
  await pane("chat");
  await page.getByRole("button", { name: "Members" }).tap();
  await pane("panel");
  await page.locator(".member", { hasText: "Bob Builder" }).tap();
  await page.locator("dialog[open]").waitFor();
  await page.goBack();
  await page.locator("dialog").waitFor({ state: "detached" });
  await pane("panel");
  await page.goBack();
  await pane("chat");
  await page.locator(".chat .bar h2", { hasText: "#tea" }).waitFor();
  await page.getByRole("button", { name: "Conversation menu" }).tap();
  await page.locator(".menu").waitFor();
  await page.goBack();
  await page.locator(".menu").waitFor({ state: "detached" });
  await pane("chat");
  await page.goBack();
  await pane("list");
  await page.locator('.conversation[data-key="#builds"]').tap();
  await pane("chat");
  await page.getByRole("button", { name: "Back to the list" }).tap();
  await pane("list");
  await page.goForward();
  await page.locator(".chat .bar h2", { hasText: "#builds" }).waitFor();
  assert.deepEqual(errors, []);
  await page.context().close();
});
