// Files in the page, with a real server: attached, dropped, pasted; who sees them, and when they are gone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { png } from "../pictures.js";
import { attach, dropFiles, isComplete, joinChannel, noServer as skip, Scene, sees, violations } from "./support.js";

const scene = new Scene({ accounts: ["alice", "bob", "carol"], config: "[web]\nenabled = true\n\n[files]\nenabled = true\n" });

test("a picture that is attached is in the tray until it is sent with the text of the field", { skip }, async () => {
  const { page, errors, context } = await scene.logIn("alice");
  await joinChannel(page, "#tea");
  await page.locator(".chat textarea").fill("look at this");
  await attach(page, [{ name: "tea pot.png", mimeType: "image/png", buffer: png(640, 400) }]);
  const upload = page.locator(".tray .upload", { hasText: "tea pot.png" });
  await upload.and(page.locator("[data-state=done]")).waitFor();
  await upload.locator(".thumb canvas").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await sees(page, "look at this");
  assert.equal(await page.locator(".tray").count(), 0);
  assert.equal(await page.locator(".chat textarea").inputValue(), "");
  assert.deepEqual(errors, []);
  await context.close();
});

test("several files that are dropped become one message, those that are removed left out", { skip }, async () => {
  const { page, errors, context } = await scene.logIn("alice");
  await joinChannel(page, "#drop");
  await isComplete(page);
  await dropFiles(page, [{ name: "one.txt", type: "text/plain", bytes: "one" }, { name: "two.txt", type: "text/plain", bytes: "two" }, { name: "three.txt", type: "text/plain", bytes: "three" }]);
  await page.locator(".tray .upload[data-state=done]").nth(2).waitFor();
  await page.getByRole("button", { name: "Remove two.txt" }).click();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("article:not(.pending)", { hasText: "three.txt" }).waitFor();
  assert.equal(await page.locator("article", { hasText: "one.txt" }).count(), 1);
  assert.equal(await page.getByText("two.txt").count(), 0);
  assert.equal(await page.locator("article").count(), 1);
  assert.deepEqual(errors, []);
  await context.close();
});
