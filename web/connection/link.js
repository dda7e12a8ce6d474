/**
 * The connection to the server over a WebSocket (https://ircv3.net/specs/extensions/websocket): opens it, logs in, passes lines to
 * the model, and opens it again when it breaks. In local mode the binary behind it holds the device's key, and the first message
 * proves to it that this page is its own.
 */

import { parseObject } from "../model/settings.js";
import { Login } from "./login.js";

/**
 * @typedef {import("./login.js").Credentials} Credentials
 * @typedef {import("../model/types.js").ConnectionState} ConnectionState
 *
 * @typedef {object} Socket The part of a WebSocket that is used.
 * @property {(text: string) => void} send
 * @property {(code?: number) => void} close
 *
 * @typedef {object} SocketEvents
 * @property {() => void} open
 * @property {(text: string) => void} message
 * @property {(code: number, reason: string) => void} close
 *
 * @typedef {object} LinkEnvironment
 * @property {() => number} now
 * @property {(ms: number, run: () => void) => () => void} later Returns the function that cancels it.
 * @property {() => number} random Number from 0 to 1.
 * @property {(events: SocketEvents) => Socket} connect
 * @property {import("../model/settings.js").Storage} secrets Storage that ends with the tab.
 * @property {() => void} reload Loads the page anew.
 */

export const PROTOCOL = "text.ircv3.net";

/** Close codes of the binary: the token is wrong; the server is gone. */
const WRONG_TOKEN = 4401;

/** Delays between attempts, in ms: each is shortened by a random part of up to a half. */
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;
/** Silence after which the connection is tested, and time for the reply, in ms. */
const SILENCE = 60_000;
const PATIENCE = 20_000;

export class Link {
  /**
   * @param {LinkEnvironment} env
   * @param {(change: { type: "state" } | { type: "connected", nick: string, caps: Set<string> } | { type: "disconnected" } | { type: "line", line: string }) => void} report
   */
  constructor(env, report) {
    this.env = env;
    this.report = report;
    /** @type {ConnectionState} */
    this.current = { phase: "connecting", attempt: 1 };
    /** @type {import("../model/types.js").ServerInfo} */
    this.server = { mode: "server", account: "", network: "", server: null, servers: [] };
    this.token = "";
    /** @type {Credentials | null} */
    this.credentials = null;
    /** @type {Socket | null} */
    this.socket = null;
    /** @type {Login | null} */
    this.pending = null;
    this.failures = 0;
    /** Reason that the server gave before it closed the connection. */
    this.reason = "";
    this.heardAt = 0;
    this.cancelTimer = () => {};
  }

  /**
   * Begins: in local mode with the token, in server mode with the form, or the login that the tab remembers.
   * @param {"local" | "server"} mode
   * @param {{ token?: string, server?: string | null, name?: string }} options
   */
  start(mode, { token = "", server = null, name = "" }) {
    this.server = { ...this.server, mode, server, network: name };
    this.token = token;
    const remembered = parseObject(this.env.secrets.get("login"));
    if (mode === "local") this.open();
    else if (typeof remembered.account === "string" && typeof remembered.password === "string") {
      this.login(remembered.account, remembered.password, true);
    } else this.askForLogin(null);
  }

  /** @param {ConnectionState} state */
  setState(state) {
    this.current = state;
    this.report({ type: "state" });
  }

  state() {
    return this.current;
  }

  info() {
    return this.server;
  }

  /** @param {string | null} error */
  askForLogin(error) {
    this.credentials = null;
    this.env.secrets.set("login", null);
    this.setState({ phase: "login", network: this.server.network, error, canRegister: true });
  }

  /**
   * @param {string} account
   * @param {string} password
   * @param {boolean} remember
   */
  login(account, password, remember) {
    this.credentials = { type: "plain", account, password };
    this.env.secrets.set("login", remember ? JSON.stringify({ account, password }) : null);
    this.failures = 0;
    this.open();
  }

  /**
   * @param {string} account
   * @param {string} password
   * @param {string} token
   */
  register(account, password, token) {
    this.credentials = { type: "invite", account, password, token };
    this.failures = 0;
    this.open();
  }

  logout() {
    this.write("QUIT");
    this.drop();
    if (this.server.mode === "server") this.askForLogin(null);
    else this.setState({ phase: "ended", code: "logged-out", reason: "" });
  }

  reconnect() {
    if (this.current.phase === "waiting") this.open();
  }

  /** @param {string} name */
  switchServer(name) {
    this.env.secrets.set("server", name);
    this.env.reload();
  }

  /** @param {string} line */
  write(line) {
    if (this.current.phase === "online") this.socket?.send(line);
  }

  open() {
    this.drop();
    this.reason = "";
    this.setState({ phase: "connecting", attempt: this.failures + 1 });
    let isFirst = this.server.mode === "local";
    const socket = this.env.connect({
      open: () => {
        if (this.socket !== socket) return;
        if (isFirst) socket.send(JSON.stringify({ token: this.token, server: this.server.server }));
        else this.beginLogin(socket);
      },
      message: (text) => {
        if (this.socket !== socket) return;
        this.heardAt = this.env.now();
        if (isFirst) {
          isFirst = false;
          this.handleGreeting(socket, text);
        } else this.handleLine(text);
      },
      close: (code, reason) => {
        if (this.socket === socket) this.handleClose(code, reason);
      },
    });
    this.socket = socket;
  }

  /** Forgets the present connection. */
  drop() {
    this.cancelTimer();
    const { socket } = this;
    const wasOnline = this.current.phase === "online";
    this.socket = null;
    this.pending = null;
    socket?.close(1000);
    if (wasOnline) this.report({ type: "disconnected" });
  }

  /**
   * Handles the first message of the binary: what it is connected to, or why it is not.
   * @param {Socket} socket
   * @param {string} text
   */
  handleGreeting(socket, text) {
    const greeting = parseObject(text);
    const string = (/** @type {unknown} */ value) => (typeof value === "string" ? value : "");
    if (typeof greeting.error === "string") {
      if (greeting.retry === true) return this.wait(greeting.error);
      this.drop();
      return this.setState({ phase: "ended", code: "refused", reason: greeting.error });
    }
    const servers = Array.isArray(greeting.servers) ? greeting.servers.map(string) : [];
    const [server, account, network] = [string(greeting.server), string(greeting.account), string(greeting.network)];
    this.server = { mode: "local", account, network, server, servers };
    this.credentials = { type: "external", account };
    this.beginLogin(socket);
  }

  /** @param {Socket} socket */
  beginLogin(socket) {
    if (this.credentials === null) return;
    this.pending = new Login(this.credentials, (line) => socket.send(line));
    this.pending.start();
  }

  /** @param {string} line */
  handleLine(line) {
    if (this.pending === null) {
      const error = /^(?::\S+ )?ERROR :?(.*)$/.exec(line)?.[1];
      if (error !== undefined) this.reason = error;
      return this.report({ type: "line", line });
    }
    const step = this.pending.receive(line);
    if (step.type === "failed") return this.handleFailure(step.reason, step.isRefused);
    if (step.type === "more") return;
    this.pending = null;
    this.failures = 0;
    if (this.credentials?.type === "invite") {
      const { account, password } = this.credentials;
      this.credentials = { type: "plain", account, password };
    }
    this.current = { phase: "online" };
    this.watch();
    this.report({ type: "connected", nick: step.nick, caps: step.caps });
  }

  /**
   * @param {string} reason
   * @param {boolean} isRefused
   */
  handleFailure(reason, isRefused) {
    if (!isRefused) return this.wait(reason);
    this.drop();
    if (this.server.mode === "server") this.askForLogin(reason);
    else this.setState({ phase: "ended", code: "refused", reason });
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  handleClose(code, reason) {
    if (code !== WRONG_TOKEN) return this.wait(this.reason || reason);
    this.drop();
    this.setState({ phase: "ended", code: "token", reason });
  }

  /**
   * Waits before the next attempt, longer each time.
   * @param {string} reason
   */
  wait(reason) {
    this.drop();
    const delay = Math.min(FIRST_DELAY * 2 ** Math.min(this.failures, 6), MAX_DELAY) * (1 - this.env.random() / 2);
    this.failures += 1;
    this.setState({ phase: "waiting", reason, retryAt: this.env.now() + delay });
    this.cancelTimer = this.env.later(delay, () => this.open());
  }

  /** Tests a connection that is silent: a browser does not tell of one that is dead. */
  watch() {
    const { socket } = this;
    const silence = this.env.now() - this.heardAt;
    if (silence >= SILENCE + PATIENCE) return this.wait("");
    if (silence >= SILENCE) this.write("PING alive");
    const next = silence >= SILENCE ? PATIENCE : SILENCE - silence;
    this.cancelTimer = this.env.later(next, () => {
      if (this.socket === socket) this.watch();
    });
  }
}
