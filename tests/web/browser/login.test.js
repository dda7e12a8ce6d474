// The server's own page: name and password, an account by an invite, logging out.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Browser, joinChannel, noServer as skip, Person, say, sees, Server, violations } from "./support.js";

/** @type {Server} */
let server;
const browser = new Browser();

/** Opens the page without a login. The certificate is the server's own. */
async function open() {
  const context = await browser.context({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await browser.serveOwn(context, `https://127.0.0.1:${server.port}`);
  await page.goto(`https://127.0.0.1:${server.port}/`);
  await page.getByLabel("Account name").waitFor();
  return page;
}

/** @param {import("./support.js").Page} page @param {string} name @param {string} password */
async function logIn(page, name, password) {
  await page.getByLabel("Account name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

before(async () => {
  if (skip) return;
  server = new Server(["alice", "bob"]);
  writeFileSync(join(server.folder, "parlour.toml"), "[web]\nenabled = true\n");
  await server.start();
  await browser.start();
});

after(async () => {
  await browser.stop();
  await server?.remove();
});

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
  const link = new Person(server, "carol").invite();
  await page.getByRole("button", { name: "I have an invite" }).click();
  await page.getByLabel("Account name").fill("carol");
  await page.getByLabel("Password").fill("carol secret");
  await page.getByLabel(/^Invite/).fill(link);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.locator(".self", { hasText: "carol" }).waitFor();
});
