// How files stand in messages: sizes, types, what runs and what does not. With the demo store; a route answers for the files.

import assert from "node:assert/strict";
import { test } from "node:test";

import { gif, png, wav } from "../pictures.js";
import { attach, DESKTOP, giveFiles, noBrowser as skip, PHONE, picture, Scene, violations } from "./support.js";

const { browser } = new Scene();

const ids = ["AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCCCCCCCC", "DDDDDDDDDDDDDDDDDDDDDD"];

/** @param {string} id @param {string} name */
const address = (id, name) => `https://chat.example:6697/f/${id}/${encodeURIComponent(name)}`;

/**
 * Receives a message from bob.
 * @param {import("./support.js").Page} page @param {string} text @param {string} tag
 */
async function receive(page, text, tag) {
  await page.evaluate(({ words, files }) => {
    const { fixture } = /** @type {any} */ (globalThis);
    const n = (fixture.lastFile = (fixture.lastFile ?? 500) + 1);
    // In a tag, a semicolon is `\:`.
    fixture.receive(fixture.message(n, words, "bob", `;parlour/files=${files.replaceAll(";", "\\:")}`));
  }, { words: text, files: tag });
}

/** Answers with a file. @param {Record<string, { body: Buffer | string, type: string, status?: number }>} files By their ids. */
function serve(files) {
  /** @type {string[]} */
  const asked = [];
  return {
    asked,
    files: async (/** @type {import("playwright-core").Route} */ route) => {
      const request = route.request();
      const id = /\/f\/([\w-]+)\//.exec(request.url())?.[1] ?? "";
      asked.push(id);
      const found = files[id];
      if (request.headers().authorization !== "Bearer sesame" || !found) return route.fulfill({ status: found ? 401 : 404, body: "There is no such file." });
      return route.fulfill({ status: found.status ?? 200, body: found.body, headers: { "content-type": found.type } });
    },
  };
}

test("a picture takes its place before it is loaded, so nothing moves when it comes", { skip }, async (context) => {
  let release = () => {};
  const held = new Promise((/** @type {(value: void) => void} */ resolve) => { release = resolve; });
  const { files } = serve({ [ids[0]]: { body: png(1200, 800), type: "image/png" } });
  const { page, errors } = await browser.demo({ reducedMotion: "no-preference", files: async (route) => { await held; await files(route); } });
  await receive(page, `the garden ${address(ids[0], "garden in May.png")}`, `${ids[0]};image/png;5000;1200x800`);
  const box = page.locator(".picture");
  await box.waitFor();
  const before = await box.boundingBox();
  assert.deepEqual([before?.width, before?.height].map((side) => Math.round(side ?? 0)), [480, 320]);
  await page.evaluate(() => {
    /** @type {number[]} */
    const shifts = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) shifts.push(/** @type {any} */ (entry).value); }).observe({ type: "layout-shift", buffered: false });
  });
  release();
  const image = page.getByAltText("garden in May.png");
  await image.waitFor();
  await page.waitForFunction(() => { const found = document.querySelector(".picture img"); return found instanceof HTMLImageElement && found.complete && found.naturalWidth === 1200; });
  // A shift is told of with the frame after it.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  assert.deepEqual(await box.boundingBox(), before);
  assert.deepEqual(await page.evaluate(() => /** @type {typeof window & { shifts: number[] }} */ (window).shifts), []);
  assert.equal(await page.locator("article", { has: image }).locator(".body").innerText(), "the garden");
  assert.deepEqual(errors, []);
  context.diagnostic(`${before?.width} by ${before?.height}`);
  await page.context().close();
});

for (const [name, options] of /** @type {const} */ ([["light", { viewport: DESKTOP }], ["dark", { viewport: DESKTOP, colorScheme: "dark" }], ["phone", { viewport: PHONE, hasTouch: true, isMobile: true }]])) {
  test(`pictures, sound and other files are shown, and can be reached by anybody (${name})`, { skip }, async () => {
    const { files, asked } = serve({ [ids[0]]: { body: png(900, 1400, [60, 140, 90]), type: "image/png" }, [ids[1]]: { body: png(400, 300, [60, 90, 180]), type: "image/png" } });
    const { page, errors } = await browser.demo({ ...options, files });
    await receive(page, `two of them: ${address(ids[0], "tower.png")} ${address(ids[1], "lake.png")}`, `${ids[0]};image/png;5000;900x1400,${ids[1]};image/png;700;400x300`);
    await receive(page, address(ids[2], "minutes of the meeting, with a name that is longer than there is room.pdf"), `${ids[2]};application/pdf;2400000`);
    await receive(page, address(ids[3], "birds.mp3"), `${ids[3]};audio/mpeg;812000`);
    await page.getByAltText("lake.png").waitFor();
    await page.getByRole("button", { name: /^Save minutes of the meeting/ }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.ok(!asked.includes(ids[2]) && !asked.includes(ids[3]), "what is not a picture is not loaded unasked");
    await picture(page, `files-${name}`);
    await page.getByAltText("lake.png").click();
    const viewer = page.locator("dialog.viewer");
    await viewer.getByAltText("lake.png").waitFor();
    await page.keyboard.press("ArrowLeft");
    await viewer.getByAltText("tower.png").waitFor();
    assert.deepEqual(await violations(page), []);
    await picture(page, `viewer-${name}`);
    const width = () => viewer.getByAltText("tower.png").evaluate((image) => image.getBoundingClientRect().width);
    assert.ok(await width() < 900);
    await viewer.getByRole("button", { name: "Actual size" }).click();
    assert.equal(await width(), 900);
    assert.deepEqual(await violations(page), []);
    await viewer.getByAltText("tower.png").click();
    assert.ok(await width() < 900);
    await page.keyboard.press("Escape");
    await viewer.waitFor({ state: "detached" });
    await page.getByAltText("lake.png").click();
    const [saved] = await Promise.all([page.waitForEvent("download"), viewer.getByRole("button", { name: "Save" }).click()]);
    assert.equal(saved.suggestedFilename(), "lake.png");
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test("a page or a script that poses as a picture is saved, and runs nothing", { skip }, async () => {
  const evil = "<svg xmlns='http://www.w3.org/2000/svg' onload='window.ran=1'><script>window.ran=1</script></svg>";
  const { files, asked } = serve({ [ids[0]]: { body: evil, type: "text/plain" }, [ids[1]]: { body: "\x89PNG\r\n\x1a\n<script>window.ran=1</script>", type: "image/png" },
    [ids[3]]: { body: Buffer.concat([png(8, 8), Buffer.from("<html><script>window.ran=1</script>")]), type: "image/png" } });
  const { page, errors } = await browser.demo({ files });
  // The server states what it found in the content.
  await receive(page, address(ids[0], "cat.png"), `${ids[0]};text/plain;120`);
  const save = page.getByRole("button", { name: "Save cat.png" });
  await save.waitFor();
  assert.equal(await page.locator(".picture").count(), 0);
  assert.deepEqual(asked, []);
  const [saved] = await Promise.all([page.waitForEvent("download"), save.click()]);
  assert.equal(saved.suggestedFilename(), "cat.png");
  // A picture that is broken, and a type that is not on the list.
  await receive(page, address(ids[1], "polyglot.png"), `${ids[1]};image/png;90;8x8`);
  await page.locator(".picture", { hasText: "Cannot be shown" }).waitFor();
  await receive(page, address(ids[3], "both.png.html"), `${ids[3]};image/png;90;8x8`);
  await page.getByAltText("both.png.html").waitFor();
  await receive(page, address(ids[2], "drawing.svg"), `${ids[2]};image/svg+xml;90;8x8`);
  await page.getByRole("button", { name: "Save drawing.svg" }).waitFor();
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).ran), undefined);
  assert.equal(page.context().pages().length, 1);
  assert.deepEqual(errors, []);
  await page.context().close();
});

for (const reducedMotion of /** @type {const} */ (["reduce", "no-preference"])) {
  test(`a picture that moves does so only where motion is wanted (${reducedMotion})`, { skip }, async () => {
    const { files } = serve({ [ids[0]]: { body: gif(), type: "image/gif" } });
    const { page, errors } = await browser.demo({ reducedMotion, files });
    await receive(page, address(ids[0], "wave.gif"), `${ids[0]};image/gif;90;1x1`);
    await page.getByRole("img", { name: "wave.gif" }).waitFor();
    assert.equal(await page.locator(".picture canvas").count(), reducedMotion === "reduce" ? 1 : 0);
    if (reducedMotion === "reduce") assert.deepEqual(await page.locator(".picture canvas").evaluate((canvas) => [.../** @type {HTMLCanvasElement} */ (canvas).getContext("2d")?.getImageData(0, 0, 1, 1).data ?? []]), [255, 0, 0, 255]);
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test("sound is loaded when it is played, with controls in its place", { skip }, async () => {
  const { files, asked } = serve({ [ids[0]]: { body: wav(), type: "audio/x-wav" } });
  const { page, errors } = await browser.demo({ files });
  await receive(page, address(ids[0], "bell.wav"), `${ids[0]};audio/x-wav;8044`);
  const play = page.getByRole("button", { name: "Play bell.wav" });
  await play.waitFor();
  const before = await page.locator(".player").boundingBox();
  assert.deepEqual(asked, []);
  await play.click();
  await page.waitForFunction(() => { const audio = document.querySelector("audio"); return audio && audio.controls && audio.readyState > 0 && audio.duration === 1; });
  assert.deepEqual(await page.locator(".player").boundingBox(), before);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the text of a message is copied with the address of its file", { skip }, async () => {
  const { files } = serve({});
  const { page } = await browser.demo({ files, permissions: ["clipboard-read", "clipboard-write"] });
  await receive(page, `see ${address(ids[0], "notes.txt")}`, `${ids[0]};text/plain;8`);
  const article = page.locator("article", { has: page.locator(".file-card") });
  await article.focus();
  await page.keyboard.press("y");
  await page.locator(".toast", { hasText: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `see ${address(ids[0], "notes.txt")}`);
  // An answer to it and the field name the file instead.
  await page.keyboard.press("r");
  await page.locator(".context", { hasText: "see 📎 notes.txt" }).waitFor();
  await page.context().close();
});

test("a phone offers its camera, and the place for files is to be seen while they are dragged", { skip }, async () => {
  const offer = (/** @type {import("./support.js").Page} */ page) => page.evaluate(() => /** @type {any} */ (globalThis).fixture.receive(":srv 005 alice draft/FILEHOST=https://chat.example:6697/upload :are supported"));
  const phone = await browser.demo({ viewport: PHONE, hasTouch: true, isMobile: true });
  await offer(phone.page);
  await phone.page.locator(".chat .attach").click();
  const [chooser] = await Promise.all([phone.page.waitForEvent("filechooser"), phone.page.getByRole("menuitem", { name: "Take a photo" }).click()]);
  assert.equal(chooser.isMultiple(), false);
  assert.deepEqual(await phone.page.locator("input[type=file]").evaluate((input) => [input.getAttribute("accept"), input.getAttribute("capture")]), ["image/*", "environment"]);
  await chooser.setFiles([{ name: "photo.png", mimeType: "image/png", buffer: png(30, 40) }]);
  await phone.page.locator(".tray .upload", { hasText: "photo.png" }).waitFor();
  await picture(phone.page, "tray-phone");
  await phone.page.context().close();
  const { page, errors } = await browser.demo({ colorScheme: "dark" });
  await offer(page);
  assert.equal(await giveFiles(page, "dragover", [{ name: "a.txt", type: "text/plain", bytes: "a" }]), false);
  await page.locator(".drop-here", { hasText: "Drop files here to send them to #tea" }).waitFor();
  await picture(page, "drop-dark");
  await page.locator(".chat textarea").dispatchEvent("dragleave");
  await page.locator(".drop-here").waitFor({ state: "detached" });
  await attach(page, [{ name: "a very long name of a file that has no end and no room.txt", mimeType: "text/plain", buffer: Buffer.alloc(3_000_000) }, { name: "photo.png", mimeType: "image/png", buffer: png(300, 400) }]);
  await page.locator(".tray .thumb canvas").waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, "tray-dark");
  assert.deepEqual(errors.filter((one) => !one.includes("404")), []);
  await page.context().close();
});

test("a typed /upload lets the user choose files, where the server takes some", { skip }, async () => {
  const { page, errors } = await browser.demo({
    // The upload is still under way at the end.
    files: () => Promise.resolve(),
  });
  const field = page.locator(".chat textarea");
  await field.fill("/upload");
  await field.press("Enter");
  await page.locator(".toast", { hasText: "takes no files" }).waitFor();
  await page.evaluate((url) => /** @type {any} */ (globalThis).fixture.receive(`:srv 005 alice draft/FILEHOST=${url} :are supported`), "https://chat.example:6697/upload");
  await field.fill("/upload");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), field.press("Enter")]);
  await chooser.setFiles([{ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("tea") }]);
  await page.locator(".tray .upload", { hasText: "notes.txt" }).waitFor();
  assert.equal(await field.inputValue(), "");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the gallery has the files of the conversation, the latest first, and goes back in time", { skip }, async () => {
  const { files } = serve(Object.fromEntries(ids.map((id, n) => [id, { body: png(300, 200, [60 * n, 90, 180]), type: "image/png" }])));
  const { page, errors } = await browser.demo({ files });
  await page.evaluate((url) => /** @type {any} */ (globalThis).fixture.receive(`:srv 005 alice draft/FILEHOST=${url} :are supported`), "https://chat.example:6697/upload");
  await page.getByRole("button", { name: "Conversation menu" }).click();
  await page.getByRole("menuitem", { name: "Files" }).click();
  const panel = page.locator(".panel", { hasText: "Files" });
  const found = (/** @type {[number, string, string][]} */ ...all) => page.evaluate(({ lines }) => {
    const { fixture } = /** @type {any} */ (globalThis);
    fixture.answer("CHATHISTORY", lines.map(([n, text, tag]) => fixture.message(n, text, "bob", tag && `;parlour/files=${tag.replaceAll(";", "\\:")}`)), "chathistory #tea", "#tea");
  }, { lines: all });
  // A server that does not know the list has the history.
  await page.waitForFunction(() => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.command === "FILES" && line.params[0] === "LIST"));
  await page.evaluate(() => /** @type {any} */ (globalThis).fixture.answer("FILES", [":srv 421 alice FILES :Unknown command"]));
  await page.waitForFunction(() => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.command === "CHATHISTORY" && line.params[1] === "#tea"));
  await found([40, "no file", ""], [41, address(ids[0], "old.png"), `${ids[0]};image/png;9;300x200`], [42, `both ${address(ids[1], "new.png")} ${address(ids[2], "notes.pdf")}`, `${ids[1]};image/png;9;300x200,${ids[2]};application/pdf;2000`]);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.params[0] === "BEFORE"));
  await found([3, `last ${address(ids[3], "first.png")}`, `${ids[3]};image/png;9;300x200`]);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.params[0] === "BEFORE"));
  await found();
  await panel.getByAltText("first.png").waitFor();
  assert.deepEqual(await panel.locator(".grid img").evaluateAll((all) => all.map((one) => one.getAttribute("alt"))), ["new.png", "old.png", "first.png"]);
  await panel.getByRole("button", { name: "Save notes.pdf" }).waitFor();
  assert.equal(await panel.getByRole("button", { name: "Show older ones" }).count(), 0);
  assert.deepEqual(await violations(page), []);
  await picture(page, "gallery");
  await panel.getByAltText("old.png").click();
  await page.locator("dialog.viewer").getByAltText("old.png").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.locator("dialog.viewer").getByAltText("new.png").waitFor();
  await page.keyboard.press("Escape");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the gallery lists what the server knows to be shared, with what is not loaded", { skip }, async () => {
  const { files } = serve(Object.fromEntries(ids.map((id) => [id, { body: png(300, 200), type: "image/png" }])));
  const { page, errors } = await browser.demo({ files });
  await page.evaluate((url) => /** @type {any} */ (globalThis).fixture.receive(`:srv 005 alice draft/FILEHOST=${url} :are supported`), "https://chat.example:6697/upload");
  await page.getByRole("button", { name: "Conversation menu" }).click();
  await page.getByRole("menuitem", { name: "Files" }).click();
  const panel = page.locator(".panel", { hasText: "Files" });
  /** Waits for the request, and answers it. @type {(request: string, entries: [string, string, string][], next: string) => Promise<void>} */
  const answer = async (request, entries, next) => {
    const lines = entries.map(([msgid, file, name]) => `:srv NOTE FILES SHARED #tea ${msgid} 2026-01-02T03:04:05.000Z bob ${file} :${name}`);
    await page.waitForFunction((wanted) => /** @type {any} */ (globalThis).fixture.sent.some((/** @type {any} */ line) => line.command === "FILES" && line.params.join(" ") === wanted), request);
    await page.evaluate((all) => /** @type {any} */ (globalThis).fixture.answer("FILES", all), [...lines, `:srv NOTE FILES SHARED_LIST #tea ${next} :files`]);
  };
  await answer("LIST #tea", [["b2", `${ids[0]};image/png;9;300x200`, "Käse (2).png"], ["b2", `${ids[1]};application/pdf;2000`, "no tes.pdf"], ["b1", "wrong", "x"]], "b1");
  await panel.getByAltText("Käse (2).png").waitFor();
  await panel.getByRole("button", { name: "Save no tes.pdf" }).waitFor();
  await panel.getByRole("button", { name: "Show older ones" }).click();
  await answer("LIST #tea msgid=b1", [["a1", `${ids[2]};image/png;9`, "old.png"], ["a0", `${ids[0]};image/png;9;300x200`, "again.png"]], "*");
  await panel.getByAltText("old.png").waitFor();
  assert.deepEqual(await panel.locator(".grid img").evaluateAll((all) => all.map((one) => one.getAttribute("alt"))), ["Käse (2).png", "old.png"]);
  assert.equal(await panel.getByRole("button", { name: "Show older ones" }).count(), 0);
  assert.equal(await panel.locator("button.source").count(), 3);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("what cannot be read any more says so, and addresses without a tag are links", { skip }, async () => {
  const { files } = serve({});
  const { page } = await browser.demo({ files });
  await receive(page, address(ids[0], "gone.png"), `${ids[0]};image/png;5000;300x200`);
  await page.locator(".picture", { hasText: "No longer there" }).waitFor();
  await receive(page, address(ids[1], "gone.zip"), `${ids[1]};application/zip;5000`);
  await page.getByRole("button", { name: "Save gone.zip" }).click();
  await page.locator(".file-card", { hasText: "No longer there" }).waitFor();
  await receive(page, `elsewhere: ${address(ids[2], "other.png")}`, `${ids[3]};image/png;5000;300x200`);
  await page.locator(".body a", { hasText: "other.png" }).waitFor();
  await page.context().close();
});
