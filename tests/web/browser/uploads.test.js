// Uploads that break, that are refused, and that one leaves behind.

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";

import { dropFiles, joinChannel, noServer as skip, Scene } from "./support.js";

const scene = new Scene({ accounts: ["alice"], config: "[web]\nenabled = true\n\n[files]\nenabled = true\nmax_mib = 4\nquota_mib = 6\n" });

/** @param {string} name @param {number} kib */
const file = (name, kib) => ({ name, type: "application/octet-stream", bytes: Buffer.alloc(kib * 1024, name) });

/** A way to the server that can be cut. */
class Cable {
  constructor() {
    /** @type {Set<import("node:net").Socket>} */
    this.sockets = new Set();
    this.isCut = false;
    this.listener = createServer((near) => {
      if (this.isCut) return void near.destroy();
      const far = connect(scene.server.port, "127.0.0.1");
      for (const [one, other] of [[near, far], [far, near]]) {
        this.sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => { this.sockets.delete(one); other.destroy(); });
        one.pipe(other);
      }
    });
  }

  /** @returns {Promise<number>} */
  open() {
    return new Promise((resolve) => { this.listener.listen(0, "127.0.0.1", () => resolve(/** @type {import("node:net").AddressInfo} */ (this.listener.address()).port)); });
  }

  /** @param {boolean} isCut */
  set(isCut) {
    this.isCut = isCut;
    if (isCut) for (const socket of this.sockets) socket.destroy();
  }

  close() {
    this.set(true);
    this.listener.close();
  }
}

/** Opens a page whose uploads take a while, and notes its requests for them. @param {string} channel @param {{ speed?: number, port?: number }} [options] Bytes a second; the port to the server. */
async function open(channel, { speed = 256 * 1024, port } = {}) {
  const { page, context } = await scene.logIn("alice", { port });
  await joinChannel(page, channel);
  /** @type {string[]} */
  const requests = [];
  page.on("request", (request) => {
    const offset = request.headers()["upload-offset"];
    if (request.url().includes("/upload")) requests.push(`${request.method()}${offset === undefined ? "" : offset === "0" ? " from the start" : " from where it broke"}`);
  });
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: speed });
  return { page, context, requests };
}

/** Waits until a part of the first upload is sent. @param {import("./support.js").Page} page */
async function isUnderWay(page) {
  await page.waitForFunction(() => { const bar = document.querySelector(".tray progress"); return bar instanceof HTMLProgressElement && bar.value > 100_000 && bar.value < bar.max; });
}

test("an upload goes on after the connection broke, where it broke", { skip }, async () => {
  const cable = new Cable();
  const { page, context, requests } = await open("#broken", { port: await cable.open() });
  await dropFiles(page, [file("tea.bin", 1024)]);
  await page.locator(".chat textarea").fill("a whole pot");
  await page.keyboard.press("Enter");
  await isUnderWay(page);
  cable.set(true);
  await page.locator(".upload[data-state=broken]", { hasText: "The connection broke" }).waitFor();
  cable.set(false);
  await page.locator("article:not(.pending)", { hasText: "a whole pot" }).getByRole("button", { name: "Save tea.bin" }).waitFor();
  assert.deepEqual(requests.slice(0, 2), ["POST", "PATCH from the start"]);
  assert.deepEqual(requests.slice(-2), ["HEAD", "PATCH from where it broke"]);
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save tea.bin" }).click()]);
  const stream = await saved.createReadStream();
  const parts = [];
  for await (const part of stream) parts.push(part);
  assert.ok(Buffer.concat(parts).equals(file("tea.bin", 1024).bytes));
  await context.close();
  cable.close();
});

test("an upload begins again by itself when the server was killed", { skip }, async () => {
  const { page, context, requests } = await open("#killed");
  await dropFiles(page, [file("pot.bin", 768)]);
  await page.locator(".chat textarea").fill("once more");
  await page.keyboard.press("Enter");
  await isUnderWay(page);
  await scene.server.stop("SIGKILL");
  await page.locator(".upload[data-state=broken]").waitFor();
  await scene.server.start();
  await page.locator("article:not(.pending)", { hasText: "once more" }).getByRole("button", { name: "Save pot.bin" }).waitFor({ timeout: 30_000 });
  assert.equal(requests.filter((one) => one === "POST").length, 2);
  assert.equal(requests.at(-1), "PATCH from the start");
  await context.close();
});

test("an upload can be cancelled, and the page asks before one leaves it with one under way", { skip }, async () => {
  const { page, context, requests } = await open("#cancelled");
  await dropFiles(page, [file("long.bin", 1024)]);
  await isUnderWay(page);
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.evaluate(() => { setTimeout(() => location.reload(), 0); })]);
  assert.equal(dialog.type(), "beforeunload");
  await dialog.dismiss();
  const removed = page.waitForRequest((request) => request.method() === "DELETE");
  await page.getByRole("button", { name: "Remove long.bin" }).click();
  await removed;
  assert.equal(await page.locator(".tray").count(), 0);
  assert.deepEqual(requests, ["POST", "PATCH from the start", "DELETE"]);
  await context.close();
});

test("what is refused says why, and the rest of the message goes when it is removed", { skip }, async () => {
  const { page, context } = await open("#refused", { speed: -1 });
  await dropFiles(page, [file("huge.bin", 5 * 1024), file("one.bin", 2500), file("two.bin", 2500)]);

  await page.locator(".upload[data-state=done], .upload[data-state=refused]").nth(2).waitFor();
  const texts = await page.locator(".upload[data-state=refused] [role=alert]").allInnerTexts();
  assert.match(texts.join("\n"), /at most/);
  assert.match(texts.join("\n"), /take back messages with files, or delete files that no message shares, to make room/);
  await page.locator(".chat textarea").fill("what fits");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "Not sent yet. Try the file again, or remove it." }).waitFor();
  assert.equal(await page.locator("article").count(), 0);
  for (const name of await page.locator(".upload[data-state=refused] strong").allInnerTexts()) await page.getByRole("button", { name: `Remove ${name}` }).click();
  const article = page.locator("article:not(.pending)", { hasText: "what fits" });
  await article.waitFor();
  assert.equal(await article.locator(".file-card").count(), 1);
  await context.close();
});

test("messages with files keep their order, and a text does not wait for them", { skip }, async () => {
  const { page, context } = await open("#order", { speed: 128 * 1024 });
  await dropFiles(page, [file("large.bin", 256)]);
  await page.locator(".chat textarea").fill("the large one");
  await page.keyboard.press("Enter");
  await dropFiles(page, [file("small.bin", 1)]);
  await page.locator(".chat textarea").fill("the small one");
  await page.keyboard.press("Enter");
  await page.locator(".upload[data-state=done]", { hasText: "small.bin" }).waitFor();
  await page.locator(".parcel-text", { hasText: "the large one" }).waitFor();
  await page.locator(".chat textarea").fill("words");
  await page.keyboard.press("Enter");
  await page.locator("article:not(.pending)", { hasText: "the small one" }).waitFor();
  assert.deepEqual(await page.locator("article .body").allInnerTexts(), ["words", "the large one", "the small one"]);
  await context.close();
});
