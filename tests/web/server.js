// A real server in a folder of its own, and pages without a browser that are connected to it by TLS.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";

import { Link } from "../../web/connection/link.js";
import { Model } from "../../web/model/model.js";
import { createStore } from "../../web/model/store.js";
import { memoryStorage } from "./fixture.js";

/** The binary: that of the environment, or the debug build; `null` without one. */
export const binary = [process.env.PARLOUR, fileURLToPath(new URL("../../target/debug/parlour", import.meta.url))].find(
  (path) => path !== undefined && existsSync(path),
) ?? null;

export class Server {
  /** @param {string[]} accounts */
  constructor(accounts) {
    this.folder = mkdtempSync(join(tmpdir(), "parlour-web-"));
    this.port = 0;
    /** @type {import("node:child_process").ChildProcess | null} */
    this.process = null;
    const passwords = accounts.map((name, index) => `${name},${name} secret${index === 0 ? ",admin" : ""}`);
    writeFileSync(join(this.folder, "people.csv"), `${passwords.join("\n")}\n`, { mode: 0o600 });
    const { status, stderr } = spawnSync(binary ?? "", ["user", "import", "people.csv", ...this.folders()], { cwd: this.folder });
    if (status !== 0) throw new Error(String(stderr));
  }

  folders() {
    return ["--data", "data", "--certs", "certs"];
  }

  /** Starts the server, on the port that it had before. */
  async start() {
    const process = spawn(binary ?? "", ["serve", "--listen", `127.0.0.1:${this.port}`, ...this.folders()], {
      cwd: this.folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.process = process;
    for await (const line of createInterface({ input: process.stderr })) {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port === undefined) continue;
      this.port = Number(port);
      // The pipe has to be read on.
      process.stderr.resume();
      return;
    }
    throw new Error("the server ended");
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal = "SIGTERM") {
    const { process } = this;
    if (process === null) return;
    this.process = null;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill(signal);
    await ended;
  }

  async remove() {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A page without a browser. */
export class Page {
  /**
   * @param {Server} server
   * @param {string} account
   */
  constructor(server, account) {
    /** @type {Set<() => void>} */
    this.timers = new Set();
    const later = (/** @type {number} */ ms, /** @type {() => void} */ run) => {
      const timer = setTimeout(run, ms);
      const cancel = () => clearTimeout(timer);
      this.timers.add(cancel);
      return cancel;
    };
    const now = () => Date.now();
    this.storage = memoryStorage();
    const logins = { load: async () => null, keep: async () => {}, forget: async () => {} };
    const connect = (/** @type {import("../../web/model/types.js").SocketEvents} */ events) => openSocket(server.port, events);
    this.link = new Link({ now, later, random: () => 1, connect, secrets: memoryStorage(), logins, reload: () => {} }, (change) => {
      if (change.type === "line") this.model.receive(change.line);
      else if (change.type === "connected") this.model.connected(change.nick, change.caps);
      else if (change.type === "disconnected") this.model.disconnected();
      else this.model.touch("connection");
    });
    this.model = new Model({
      now,
      later,
      soon: (run) => queueMicrotask(run),
      runId: `${account}${Math.random()}`.replace(".", ""),
      storage: this.storage,
      tab: account,
      wanted: () => null,
      write: (line) => this.link.write(line),
    });
    this.store = createStore(this.model, this.link);
    void this.store.complete();
    this.link.start("server", {});
    this.store.actions.login(account, `${account} secret`);
  }

  /**
   * Waits until a condition holds.
   * @param {string} what
   * @param {() => unknown} condition
   */
  until(what, condition) {
    return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      const check = () => {
        if (!condition()) return;
        clearTimeout(deadline);
        unsubscribe();
        resolve();
      };
      const deadline = setTimeout(() => reject(new Error(`never: ${what}`)), 20_000);
      const unsubscribe = this.store.subscribe(check);
      check();
    });
  }

  ready() {
    return this.until("ready", () => this.model.ready);
  }

  /** @param {string} name */
  texts(name) {
    const timeline = this.store.timeline(name);
    return timeline.slice(0, timeline.length).filter((entry) => entry.kind !== "event").map((entry) => entry.text);
  }

  close() {
    this.link.drop();
    for (const cancel of this.timers) cancel();
  }
}

/**
 * Opens a connection that passes lines as a WebSocket does.
 * @param {number} port
 * @param {import("../../web/model/types.js").SocketEvents} events
 * @returns {import("../../web/model/types.js").Socket}
 */
function openSocket(port, events) {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => events.open());
  socket.on("error", () => {});
  socket.on("close", () => events.close(4502, ""));
  createInterface({ input: socket }).on("line", (line) => events.message(line)).on("error", () => {});
  return { send: (text) => void socket.write(`${text}\r\n`), close: () => void socket.destroy() };
}
