// Chromium, driven by Playwright, with pages of real servers, or with the demo store and no server.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { binary, Server } from "../server.js";

export { binary, Server };

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContextOptions} Options */

const root = fileURLToPath(new URL("../../../", import.meta.url));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Reason why tests in the browser are skipped, or false. */
export const noBrowser = existsSync(executablePath) ? false : `no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM`;
/** Reason why tests with a server in the browser are skipped, or false. */
export const noServer = noBrowser || (binary === null ? "no binary of parlour: cargo build, or set PARLOUR" : false);

const types = /** @type {Record<string, string>} */ ({ ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" });
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export class Browser {
  async start() {
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-precise-memory-info"];
    // To Chromium, files that a test serves come from nowhere, which may not connect to this machine.
    if (process.env.PARLOUR_PAGE) args.push("--disable-features=LocalNetworkAccessChecks");
    this.browser = await chromium.launch({ executablePath, args });
  }

  async stop() {
    await this.browser?.close();
  }

  /**
   * Opens a context whose errors fail the test that looks at `errors`.
   * @param {Options} options
   */
  async context(options) {
    const context = await /** @type {import("playwright-core").Browser} */ (this.browser).newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(10_000);
    return context;
  }

  /**
   * Opens the page with the demo store, without any server.
   * @param {Options & { messages?: number, files?: (route: import("playwright-core").Route) => Promise<void> }} [options]
   */
  async demo({ messages = 60, files, ...options } = {}) {
    const context = await this.context(options);
    await context.route("http://demo.localhost/**", (route) => {
      const path = normalize(new URL(route.request().url()).pathname);
      const file = path === "/web/connection/start.js" ? "tests/web/browser/start-demo.js" : path.slice(1);
      if (!existsSync(join(root, file))) return route.fulfill({ status: 404 });
      return route.fulfill({ body: readFileSync(join(root, file)), headers: { "content-type": types[extname(file)] ?? "text/plain", "content-security-policy": csp } });
    });
    // In place of the server's files; a test answers for them.
    if (files) await context.route("http://demo.localhost/files/home/**", files);
    const page = await context.newPage();
    const errors = watchErrors(page);
    await page.goto(`http://demo.localhost/web/index.html?messages=${messages}`);
    // A narrow page begins with the list.
    const item = page.locator('.conversation[data-key="#tea"]');
    await item.waitFor();
    if (!(await page.locator(".message").first().isVisible())) await item.click();
    await page.waitForSelector(".message");
    await isComplete(page);
    return { context, page, errors };
  }

  /**
   * Takes the page's files from PARLOUR_PAGE, if that is set.
   * @param {import("playwright-core").BrowserContext} context @param {string} origin
   */
  async serveOwn(context, origin) {
    if (process.env.PARLOUR_PAGE) await serveFrom(context, origin, process.env.PARLOUR_PAGE);
  }

  /**
   * Opens the page of `parlour web` at its address.
   * @param {string} url
   * @param {Options} [options]
   */
  async open(url, options = {}) {
    const context = await this.context(options);
    await this.serveOwn(context, new URL(url).origin);
    const page = await context.newPage();
    const errors = watchErrors(page);
    await page.goto(url);
    await page.waitForSelector("#app").catch(async (error) => {
      throw new Error(`${error}\n${await page.locator("body").innerText()}\n${errors.join("\n")}`);
    });
    return { context, page, errors };
  }
}

/**
 * Serves the files of the page from a folder in place of those in the binary, for work on the page.
 * @param {import("playwright-core").BrowserContext} context @param {string} origin @param {string} folder
 */
async function serveFrom(context, origin, folder) {
  await context.route(`${origin}/**`, (route) => {
    const path = normalize(new URL(route.request().url()).pathname);
    const file = join(folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return route.continue();
    return route.fulfill({ body: readFileSync(file), headers: { "content-type": types[extname(file)] ?? "text/plain", "content-security-policy": csp.replace("connect-src 'self'", `connect-src 'self' ${origin.replace("http", "ws")}`) } });
  });
}

/** Waits until the page has loaded what it leaves out at the start, so that it reacts to each key at once. @param {Page} page */
export async function isComplete(page) {
  await page.locator(":root[data-complete]").waitFor({ state: "attached" });
}

/** @param {Page} page */
function watchErrors(page) {
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error.stack)));
  page.on("console", (message) => { if (message.type() === "error" && !/WebSocket connection|ERR_CONNECTION/.test(message.text())) errors.push(message.text()); });
  return errors;
}

/** A person with a home of their own: joins a server by an invite, and runs the page or the plain chat. */
export class Person {
  /** @param {Server} server @param {string} name */
  constructor(server, name) {
    this.name = name;
    this.server = server;
    this.home = join(server.folder, `home-${name}`);
    mkdirSync(this.home, { recursive: true });
    /** @type {import("node:child_process").ChildProcess[]} */
    this.processes = [];
  }

  env() {
    const env = { ...process.env, HOME: this.home, LC_ALL: "C.UTF-8" };
    for (const key of Object.keys(env)) if (key.startsWith("XDG_") || key === "DBUS_SESSION_BUS_ADDRESS") delete (/** @type {Record<string, unknown>} */ (env))[key];
    return env;
  }

  /** @param {string[]} options Of `parlour invite create`. */
  invite(...options) {
    const { stdout, stderr, status } = spawnSync(binary ?? "", ["invite", "create", ...options, ...this.server.folders()], { cwd: this.server.folder, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim().split("\n").at(-1) ?? "";
  }

  /**
   * Joins by a new invite and opens the page, as `parlour join LINK --web` does. Returns its address.
   * @param {string[]} options Of `parlour invite create`.
   */
  async joinToPage(...options) {
    return this.address(["join", this.invite(...options), "--name", this.name, "--password-stdin", "--web", "--no-open", "--keep"], `${this.name} secret\n`);
  }

  /** @param {string[]} options */
  join(...options) {
    const { status, stderr } = spawnSync(binary ?? "", ["join", this.invite(...options), "--name", this.name, "--password-stdin"], { cwd: this.home, env: this.env(), input: `${this.name} secret\n`, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }

  /** Runs a command that serves the page. Returns the page's address. @param {string[]} args @param {string} input */
  async address(args, input) {
    const child = spawn(binary ?? "", args, { cwd: this.home, env: this.env(), stdio: ["pipe", "pipe", "pipe"] });
    this.processes.push(child);
    child.stdin.end(input);
    let complaint = "";
    child.stderr.on("data", (data) => { complaint += data; });
    for await (const line of createInterface({ input: child.stdout })) if (/^http:\/\/\S+#\w+$/.test(line)) return line;
    throw new Error(`${args[0]} ended: ${complaint}`);
  }

  /** Runs `parlour chat --plain`. */
  plainChat() {
    const child = spawn(binary ?? "", ["chat", "--plain"], { cwd: this.home, env: this.env(), stdio: ["pipe", "pipe", "inherit"] });
    this.processes.push(child);
    let seen = "";
    const waiting = new Set();
    child.stdout.on("data", (data) => {
      seen += data;
      for (const check of waiting) check();
    });
    return {
      type: (/** @type {string} */ line) => void child.stdin.write(`${line}\n`),
      /** @param {RegExp} pattern */
      sees: (pattern) => new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
        const deadline = setTimeout(() => reject(new Error(`the plain chat never showed ${pattern}:\n${seen}`)), 20_000);
        const check = () => {
          if (!pattern.test(seen)) return;
          clearTimeout(deadline);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    };
  }

  /** Ends what runs; by SIGINT as Ctrl-C does. @param {NodeJS.Signals} signal */
  async end(signal = "SIGKILL") {
    await Promise.all(this.processes.splice(0).map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve(undefined);
      child.once("exit", resolve);
      child.kill(signal);
    })));
  }
}

/** The browser, a server, and people: what the tests of one file share. It starts before them and ends after them. */
export class Scene {
  /** @param {{ accounts?: string[], config?: string }} [options] Accounts of the server, the first of them an admin; without any there is no server. Text of its `parlour.toml`. */
  constructor({ accounts = [], config = "" } = {}) {
    this.browser = new Browser();
    /** @type {Server | null} */
    this.running = null;
    /** @type {Person[]} */
    this.people = [];
    before(async () => {
      if (accounts.length > 0 ? noServer : noBrowser) return;
      await this.browser.start();
      if (accounts.length === 0) return;
      this.running = new Server(accounts);
      if (config) writeFileSync(join(this.running.folder, "parlour.toml"), config);
      await this.running.start();
    });
    after(async () => {
      await this.browser.stop();
      for (const one of this.people) await one.end();
      await this.running?.remove();
    });
  }

  get server() {
    return /** @type {Server} */ (this.running);
  }

  /** @param {string} name */
  person(name) {
    const one = new Person(this.server, name);
    this.people.push(one);
    return one;
  }

  /**
   * Lets a new person join and opens their page.
   * @param {string} name
   * @param {Options & { invite?: string[] }} [options] Options of the browser, and of `parlour invite create`.
   */
  async open(name, { invite = [], ...options } = {}) {
    const url = await this.person(name).joinToPage(...invite);
    return { ...(await this.browser.open(url, options)), url };
  }

  /**
   * Opens the server's own page and logs in there. The certificate is the server's own.
   * @param {string} name
   * @param {Options & { port?: number }} [options] Port that leads to the server.
   */
  async logIn(name, { port = this.server.port, ...options } = {}) {
    const context = await this.browser.context({ ignoreHTTPSErrors: true, ...options });
    const page = await context.newPage();
    const errors = watchErrors(page);
    const origin = `https://127.0.0.1:${port}`;
    await this.browser.serveOwn(context, origin);
    await page.goto(`${origin}/`);
    await page.getByLabel("Account name").fill(name);
    await page.getByLabel("Password").fill(`${name} secret`);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("#app").waitFor();
    await isComplete(page);
    return { context, page, errors };
  }
}

/**
 * Returns what axe-core finds on a page, as texts.
 * @param {Page} page
 */
export async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations: found } = await /** @type {any} */ (window).axe.run({ resultTypes: ["violations"] });
    return found.map((/** @type {any} */ one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((/** @type {any} */ node) => `${node.html.slice(0, 200)} (${(node.any[0] ?? node.all[0] ?? node.none[0])?.message})`).join(" | ")}`);
  });
}

/** Leaves a picture of the page in the folder that PICTURES names, if it is set. @param {Page} page @param {string} name */
export async function picture(page, name) {
  const { PICTURES: folder } = process.env;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/**
 * Writes a message into the composer and sends it.
 * @param {Page} page @param {string} text
 */
export async function say(page, text) {
  await page.locator(".chat textarea").fill(text);
  await page.locator(".chat textarea").press("Enter");
}

/**
 * Waits for a message with this text.
 * @param {Page} page @param {string} text
 */
export async function sees(page, text) {
  await page.locator(".chat .body", { hasText: text }).first().waitFor();
}

/**
 * Joins a channel, or makes it, in the channel browser.
 * @param {Page} page @param {string} name
 */
export async function joinChannel(page, name) {
  await page.keyboard.press("Alt+l");
  await page.locator("dialog input").fill(name);
  await page.locator("dialog input").press("Enter");
  await page.locator(".chat .bar h2", { hasText: name }).waitFor();
}

/**
 * Attaches files by the button beside the message field.
 * @param {Page} page @param {{ name: string, mimeType: string, buffer: Buffer }[]} files
 */
export async function attach(page, files) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.locator(".chat .attach").click()]);
  await chooser.setFiles(files);
}

/**
 * Gives files to the page as an event of the pointer or the clipboard does. Returns whether the page left it to the browser.
 * @param {Page} page @param {"paste" | "dragover" | "drop"} type @param {{ name: string, type: string, bytes: string | Buffer }[]} files
 */
export async function giveFiles(page, type, files) {
  const sent = files.map((file) => ({ ...file, bytes: Buffer.from(file.bytes).toString("base64") }));
  return page.locator(".chat textarea").evaluate((element, { kind, all }) => {
    const data = new DataTransfer();
    for (const one of all) data.items.add(new File([Uint8Array.from(atob(one.bytes), (char) => char.charCodeAt(0))], one.name, { type: one.type }));
    const options = { bubbles: true, cancelable: true };
    return element.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", { ...options, clipboardData: data }) : new DragEvent(kind, { ...options, dataTransfer: data }));
  }, { kind: type, all: sent });
}

/** Drops files onto the conversation. @param {Page} page @param {{ name: string, type: string, bytes: string | Buffer }[]} files */
export async function dropFiles(page, files) {
  await giveFiles(page, "dragover", files);
  await page.locator(".drop-here").waitFor();
  await giveFiles(page, "drop", files);
}
