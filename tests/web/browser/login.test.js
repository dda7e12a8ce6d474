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
  await logIn(alice, "alice", "wrong");
  await alice.getByRole("alert").waitFor();
  await logIn(alice, "alice", "alice secret");
  await alice.locator("#app").waitFor();
  await logIn(bob, "bob", "bob secret");
  await bob.locator("#app").waitFor();
  await joinChannel(alice, "#tea");
  await joinChannel(bob, "#tea");
  await say(bob, "hello from a browser");
  await sees(alice, "hello from a browser");
  // The tab stays logged in when it is loaded anew, until it logs out.
  await alice.getByRole("button", { name: /Your account|alice/ }).first().click();
  await alice.getByRole("menuitem", { name: "Log out" }).click();
  await alice.getByRole("button", { name: /Log in|Reload/ }).waitFor();
});

test("an invite creates an account", { skip }, async () => {
  const page = await open();
  const link = scene.person("carol").invite();
  await page.getByRole("button", { name: "I have an invite" }).click();
  await page.getByLabel("Account name").fill("carol");
  await page.getByLabel("Password").fill("carol secret");
  await page.getByLabel(/^Invite/).fill(link);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.locator(".self", { hasText: "carol" }).waitFor();
});
