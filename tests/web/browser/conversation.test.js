// People who talk: two in the browser, one in the terminal.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isComplete, joinChannel, noServer as skip, say, Scene, sees } from "./support.js";

const scene = new Scene({ accounts: ["admin"] });

test("two people join by links to the page and talk with a terminal client", { skip }, async () => {
  const alice = await scene.open("alice");
  const bob = await scene.open("bob");
  const carol = scene.person("carol");
  carol.join();
  const terminal = carol.plainChat();
  await joinChannel(alice.page, "#tea");
  await joinChannel(bob.page, "#tea");
  terminal.type("/join #tea");
  await terminal.sees(/joined/);
  await say(alice.page, "hello *everybody*");
  await sees(bob.page, "hello everybody");
  assert.equal(await bob.page.locator(".body strong", { hasText: "everybody" }).count(), 1, "formatted");
  await terminal.sees(/hello \*everybody\*/);
  terminal.type("good morning, alice");
  await sees(alice.page, "good morning, alice");
  await alice.page.locator(".message.mention", { hasText: "good morning" }).waitFor();

  // A reaction, a reply, and its quote that leads back.
  const message = bob.page.locator("article", { has: bob.page.locator(".body", { hasText: "good morning" }) });
  await message.hover();
  await message.getByRole("button", { name: "Reply" }).click();
  await say(bob.page, "and to you");
  await alice.page.locator(".quote", { hasText: "good morning" }).waitFor();
  await message.hover();
  await message.getByRole("button", { name: "React" }).click();
  await bob.page.getByRole("button", { name: "grinning", exact: true }).click();
  await alice.page.locator(".reaction", { hasText: "1" }).waitFor();

  // A message of several lines with code stays one message.
  await bob.page.locator(".chat textarea").fill("look:\n```js\nconst a = 1;\n```");
  await bob.page.locator(".chat textarea").press("Enter");
  await alice.page.locator("pre", { hasText: "const a = 1;" }).waitFor();

  // A link opens elsewhere and tells nobody where it came from.
  await say(alice.page, "see https://example.org/x?y=1");
  const link = bob.page.locator(".body a");
  await link.waitFor();
  assert.deepEqual(await link.evaluate((a) => [a.getAttribute("href"), a.getAttribute("target"), a.getAttribute("rel")]), ["https://example.org/x?y=1", "_blank", "noopener noreferrer"]);

  // Text that would be markup stays text.
  await say(bob.page, "<img src=x onerror=alert(1)><b>bold</b>");
  await sees(alice.page, "<img src=x onerror=alert(1)><b>bold</b>");
  assert.deepEqual([...alice.errors, ...bob.errors], []);
});

test("a message is taken back, or kept by undo", { skip }, async () => {
  const dave = await scene.open("dave");
  await joinChannel(dave.page, "#undo");
  await say(dave.page, "a slip");
  await dave.page.locator("article:not(.pending)", { hasText: "a slip" }).waitFor();
  await dave.page.locator(".chat textarea").press("ArrowUp");
  await dave.page.keyboard.press("d");
  await dave.page.locator(".state", { hasText: "will be taken back" }).waitFor();
  await dave.page.locator(".state button", { hasText: "Undo" }).click();
  await dave.page.locator(".state", { hasText: "will be taken back" }).waitFor({ state: "detached" });
  await sees(dave.page, "a slip");
  await dave.page.locator("article", { hasText: "a slip" }).focus();
  await dave.page.keyboard.press("d");
  await dave.page.locator(".body.gone", { hasText: "Message taken back" }).waitFor({ timeout: 20_000 });
  assert.deepEqual(dave.errors, []);
});

test("drafts stay with their conversation, and unread counts with theirs", { skip }, async () => {
  const erin = await scene.open("erin");
  const frank = await scene.open("frank");
  for (const page of [erin.page, frank.page]) { await joinChannel(page, "#one"); await joinChannel(page, "#two"); }
  await erin.page.locator(".chat textarea").fill("unfinished");
  await erin.page.locator('.conversation[data-key="#one"]').click();
  assert.equal(await erin.page.locator(".chat textarea").inputValue(), "");
  await erin.page.locator('.conversation[data-key="#two"] .draft').waitFor();
  await say(frank.page, "erin: are you there?");
  await erin.page.locator('.conversation[data-key="#two"] .badge.mention', { hasText: "1" }).waitFor();
  assert.match(await erin.page.title(), /^\(1\)/);
  await erin.page.keyboard.press("Alt+a");
  await sees(erin.page, "are you there?");
  await erin.page.locator(".day.new").waitFor();
  assert.equal(await erin.page.locator(".chat textarea").inputValue(), "unfinished");
  await erin.page.locator('.conversation[data-key="#two"] .badge').waitFor({ state: "detached" });
  // The draft outlives the page.
  await erin.page.reload();
  await erin.page.locator('.conversation[data-key="#two"]').click();
  assert.equal(await erin.page.locator(".chat textarea").inputValue(), "unfinished");
  assert.deepEqual([...erin.errors, ...frank.errors], []);
});

test("settings and drafts are there in the next run, in another browser too", { skip }, async () => {
  const ivy = scene.person("ivy");
  const first = await scene.browser.open(await ivy.joinToPage());
  await say(first.page, "/theme dark");
  await first.page.locator(":root[data-theme=dark]").waitFor({ state: "attached" });
  await first.page.locator(".chat textarea").fill("half a thought");
  // The program has it once it gives it to a page that is loaded anew.
  const has = () => first.page.evaluate(() => document.querySelector("textarea")?.value === "half a thought");
  for (let tries = 0; tries === 0 || !(await has()) && tries < 20; tries++) {
    await isComplete(first.page);
    await first.page.reload();
    await first.page.locator(".chat textarea").waitFor();
  }
  assert.equal(await has(), true);
  assert.equal(await first.page.evaluate(() => localStorage.length), 0, "the browser keeps nothing");
  await isComplete(first.page);
  await ivy.end("SIGINT");
  const second = await scene.browser.open(await ivy.address(["web", "--no-open", "--keep"], ""));
  assert.notEqual(new URL(second.page.url()).origin, new URL(first.page.url()).origin);
  assert.equal(await second.page.locator(".chat textarea").inputValue(), "half a thought");
  assert.equal(await second.page.evaluate(() => document.documentElement.dataset.theme), "dark");
  assert.deepEqual([...first.errors, ...second.errors], []);
});

test("a server that is killed and comes back loses and doubles nothing", { skip }, async () => {
  const gina = await scene.open("gina");
  const hugo = await scene.open("hugo");
  for (const { page } of [gina, hugo]) await joinChannel(page, "#storm");
  for (let n = 0; n < 5; n++) await say(gina.page, `before ${n};`);
  await scene.server.stop("SIGKILL");
  await gina.page.locator(".banner", { hasText: "Not connected" }).waitFor();
  for (let n = 0; n < 5; n++) { await say(gina.page, `gina meanwhile ${n};`); await say(hugo.page, `hugo meanwhile ${n};`); }
  await gina.page.locator(".state", { hasText: "waits for the connection" }).first().waitFor();
  assert.equal(await gina.page.locator(".to-latest").isVisible(), false, "the end is in sight");
  await scene.server.start();
  for (const { page } of [gina, hugo]) {
    await page.getByRole("button", { name: "Try now" }).click({ timeout: 3000 }).catch(() => {});
    await sees(page, "gina meanwhile 4;");
    await sees(page, "hugo meanwhile 4;");
    await page.waitForFunction(() => document.querySelector(".state[data-state=pending]") === null);
    for (const text of [0, 1, 2, 3, 4].flatMap((n) => [`before ${n};`, `gina meanwhile ${n};`, `hugo meanwhile ${n};`])) {
      assert.equal(await page.locator(".chat .body", { hasText: text }).count(), 1, text);
    }
    assert.equal(await page.locator(".banner").isVisible(), false);
  }
  assert.deepEqual([...gina.errors, ...hugo.errors], []);
});

test("the first message of a page waits for the connection like any other", { skip }, async () => {
  const { page, context, errors } = await scene.open("karla");
  await joinChannel(page, "#first");
  // As long as the page is not complete, what cannot be sent waits until it is.
  await context.route("**/more.js", (route) => route.abort());
  await page.reload();
  await page.locator(".chat .bar h2", { hasText: "#first" }).waitFor();
  await say(page, "too early");
  await page.locator("article.pending", { hasText: "too early" }).waitFor();
  await say(page, "/me is in time");
  await page.locator(".toast", { hasText: "not loaded yet" }).waitFor();
  assert.equal(await page.locator(".chat textarea").inputValue(), "/me is in time", "a command stays in the field");
  await page.locator(".chat textarea").fill("");
  await context.unroute("**/more.js");
  await page.locator("article:not(.pending)", { hasText: "too early" }).waitFor();
  await isComplete(page);
  assert.equal(await page.locator(".chat .body", { hasText: "too early" }).count(), 1);
  // From then on nothing has to be loaded.
  await context.route("**/*.js", (route) => route.abort());
  await scene.server.stop("SIGKILL");
  await page.locator(".banner", { hasText: "Not connected" }).waitFor();
  await say(page, "first words");
  await page.locator("article.pending", { hasText: "first words" }).waitFor();
  await scene.server.start();
  await page.getByRole("button", { name: "Try now" }).click({ timeout: 3000 }).catch(() => {});
  await page.locator("article:not(.pending)", { hasText: "first words" }).waitFor();
  assert.deepEqual(errors.filter((error) => error !== "" && !/net::ERR_FAILED/.test(error)), []);
});

test("when parlour web has ended, the page says so, and warns before it loses what was written", { skip }, async () => {
  const leo = scene.person("leo");
  const { page } = await scene.browser.open(await leo.joinToPage());
  await joinChannel(page, "#gone");
  await isComplete(page);
  await leo.end();
  await page.locator(".banner", { hasText: "If parlour web has ended, run it again" }).waitFor();
  await say(page, "written too late");
  await page.locator(".state", { hasText: "waits for the connection" }).waitFor();
  const question = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  const dialog = await question;
  assert.equal(dialog.type(), "beforeunload");
  await dialog.accept();
});

test("a page that is loaded anew has its own conversation and draft, also when the server comes back later", { skip }, async () => {
  const irma = await scene.open("irma");
  await joinChannel(irma.page, "#attic");
  await joinChannel(irma.page, "#cellar");
  const token = await irma.page.evaluate(() => sessionStorage.getItem("parlour/token"));
  const other = await scene.browser.open(`${new URL(irma.page.url()).origin}/#${token}`);
  await other.page.locator('.conversation[data-key="#attic"]').click();
  for (const { page } of [irma, other]) assert.ok(!page.url().includes(String(token)), "the token is not in the address");
  await irma.page.locator(".chat textarea").fill("in the cellar");
  await other.page.locator(".chat textarea").fill("in the attic");
  await scene.server.stop("SIGKILL");
  await irma.page.locator(".banner", { hasText: "Not connected" }).waitFor();
  for (const { page } of [irma, other]) await page.reload();
  await scene.server.start();
  for (const [{ page }, name, draft] of /** @type {const} */ ([[irma, "#cellar", "in the cellar"], [other, "#attic", "in the attic"]])) {
    await page.getByRole("button", { name: "Try now" }).click({ timeout: 3000 }).catch(() => {});
    await page.locator(".chat .bar h2", { hasText: name }).waitFor();
    assert.equal(await page.locator(".chat textarea").inputValue(), draft);
  }
  assert.deepEqual([...irma.errors, ...other.errors], []);
});
