// The server's own page: name and password, an account by an invite, logging out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { joinChannel, noServer as skip, say, Scene, sees, violations } from "./support.js";

const scene = new Scene({ accounts: ["alice", "bob"], config: "[web]\nenabled = true\n" });

/** Opens the page without a login. The certificate is the server's own. */
async function open() {
  const context = await scene.browser.context({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await scene.browser.serveOwn(context, `https://127.0.0.1:${scene.server.port}`);
  await page.goto(`https://127.0.0.1:${scene.server.port}/`);
  await page.getByLabel("Account name").waitFor();
  return page;
}

/** @param {import("./support.js").Page} page @param {string} name @param {string} password */
async function logIn(page, name, password) {
  await page.getByLabel("Account name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("name and password open the chat, and a wrong one says so", { skip }, async () => {
  const [alice, bob] = [await open(), await open()];
  assert.deepEqual(await violations(alice), []);
  for (const [name, text] of /** @type {const} */ ([["alice", /^Wrong name or password/], ["alice", /^Wrong name or password/], ["al ice", /^An account name has/]])) {
    await logIn(alice, name, "wrong");
    await alice.getByRole("button", { name: "Log in" }).waitFor();
    await alice.getByRole("alert").filter({ hasText: text }).waitFor();
  }
  await logIn(alice, "alice", "alice secret");
  await alice.locator("#app").waitFor();
  await logIn(bob, "bob", "bob secret");
  await bob.locator("#app").waitFor();
  await joinChannel(alice, "#tea");
  await joinChannel(bob, "#tea");
  await say(bob, "hello from a browser");
  await sees(alice, "hello from a browser");
});

test("a tab stays logged in when it is loaded anew, until it logs out, and stores no password", { skip }, async () => {
  const page = await open();
  await logIn(page, "alice", "alice secret");
  await page.locator("#app").waitFor();
  await page.waitForFunction(() => Object.keys(sessionStorage).some((key) => key.endsWith("/login")));
  await page.reload();
  await page.locator(".self", { hasText: "online" }).or(page.locator(".self", { hasText: "admin" })).waitFor();
  const stored = await page.evaluate(async () => {
    const database = await new Promise((resolve) => { const request = indexedDB.open("parlour"); request.onsuccess = () => resolve(request.result); });
    const keys = await new Promise((resolve) => { const request = database.transaction("login-keys").objectStore("login-keys").getAll(); request.onsuccess = () => resolve(request.result); });
    return { texts: JSON.stringify([{ ...sessionStorage }, { ...localStorage }]), extractable: keys.map((/** @type {any} */ one) => one.key.extractable) };
  });
  assert.ok(!stored.texts.includes("alice secret") && !stored.texts.includes(Buffer.from("alice secret").toString("hex")));
  assert.deepEqual(stored.extractable, [false]);
  // It is found in the menu, the profile and the settings.
  await page.locator(".self .who").click();
  await page.getByRole("menuitem", { name: "Log out" }).waitFor();
  await page.getByRole("menuitem", { name: "Your profile" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Log out" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+,");
  await page.getByRole("dialog").getByRole("button", { name: "Log out" }).waitFor();
  assert.deepEqual(await violations(page), [], "settings of an account without devices");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Menu", exact: true }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
  await page.waitForFunction(() => !Object.keys(sessionStorage).some((key) => key.endsWith("/login")));
  await page.reload();
  await page.getByRole("button", { name: "Log in" }).waitFor();
});

test("an invite creates an account", { skip }, async () => {
  const page = await open();
  const link = scene.person("carol").invite();
  await page.getByRole("button", { name: "I have an invite" }).click();
  await page.getByLabel("Account name").fill("carol");
  await page.getByLabel("Password").fill("carol secret");
  await page.getByLabel(/^Invite/).fill("parlour://127.0.0.1/?token=unknown");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("alert").filter({ hasText: "does not know the invite" }).waitFor();
  await page.getByLabel("Password").fill("carol secret");
  await page.getByLabel(/^Invite/).fill(link);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.locator(".self", { hasText: "carol" }).waitFor();
});
