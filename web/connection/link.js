/**
 * The connection to the server over a WebSocket (https://ircv3.net/specs/extensions/websocket): opens it, logs in, passes lines to
 * the model, and opens it again when it breaks. In local mode the binary behind it holds the device's key, and the first message
 * proves to it that this page is its own.
 */

import { parseObject } from "../model/settings.js";
import { Login } from "./login.js";

/** @import { ConnectionState, Credentials, LinkChange, LinkEnvironment, LoginFailure, LoginStep, ServerInfo, Socket } from "../model/types.js" */

export const PROTOCOL = "text.ircv3.net";

/** Close code of the binary for a wrong token. */
const WRONG_TOKEN = 4401;

/** Key of the text for a program that does not answer. */
export const PROGRAM_GONE = "refusal.programGone";

/** Delays between attempts, in ms, each shortened at random by up to a half. */
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;
/** Silence before a test, and time for the reply, in ms. */
const SILENCE = 60_000;
const PATIENCE = 20_000;

export class Link {
  /** @param {LinkEnvironment} env @param {(change: LinkChange) => void} report */
  constructor(env, report) {
    this.env = env;
    this.report = report;
    /** @type {ConnectionState} */
    this.current = { phase: "connecting", attempt: 1 };
    /** @type {ServerInfo} */
    this.server = { mode: "server", account: "", network: "", server: null, servers: [], device: null };
    this.token = "";
    /** @type {Credentials | null} */
    this.credentials = null;
    /** Login that the tab keeps already. @type {Credentials | null} */
    this.kept = null;
    /** @type {Socket | null} */
    this.socket = null;
    /** @type {Login | null} */
    this.pending = null;
    this.failures = 0;
    /** Reason that the server gave before it closed the connection. */
    this.reason = "";
    this.heardAt = 0;
    this.onlineAt = 0;
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
    if (mode === "local") this.open();
    else void this.resume();
  }

  /** Logs in as the tab did before it was loaded anew, or asks for the login. */
  async resume() {
    const kept = await this.env.logins.load();
    if (this.current.phase !== "connecting" || this.socket !== null) return;
    if (kept === null) this.askForLogin(null);
    else this.login(kept.account, kept.password);
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

  /** @param {LoginFailure | null} error */
  askForLogin(error) {
    this.credentials = null;
    void this.env.logins.forget();
    this.setState({ phase: "login", network: this.server.network, error, canRegister: true });
  }

  /** @param {string} account @param {string} password */
  login(account, password) {
    this.begin({ type: "plain", account, password });
  }

  /** @param {string} account @param {string} password @param {string} token */
  register(account, password, token) {
    this.begin({ type: "invite", account, password, token });
  }

  /** @param {Credentials} credentials */
  begin(credentials) {
    this.credentials = credentials;
    this.failures = 0;
    this.open();
  }

  logout() {
    this.write("QUIT");
    this.drop();
    if (this.server.mode === "server") this.askForLogin(null);
    else this.end("logged-out", "");
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
    const isLocal = this.server.mode === "local";
    let isFirst = isLocal;
    let isOpen = false;
    const socket = this.env.connect({
      open: () => {
        if (this.socket !== socket) return;
        isOpen = true;
        if (isFirst) socket.send(JSON.stringify({ token: this.token, server: this.server.server }));
        else this.beginLogin(socket);
      },
      message: (text) => {
        if (this.socket !== socket) return;
        this.heardAt = this.env.now();
        if (isFirst) this.handleGreeting(socket, text);
        else this.handleLine(text);
        isFirst = false;
      },
      close: (code, reason) => {
        if (this.socket !== socket) return;
        if (code === WRONG_TOKEN) this.end("token", reason);
        else this.wait(isLocal && !isOpen ? PROGRAM_GONE : this.reason || reason);
      },
    });
    this.socket = socket;
  }

  /** Forgets the present connection. */
  drop() {
    this.cancelTimer();
    const { socket } = this;
    this.socket = this.pending = null;
    socket?.close(1000);
    if (this.current.phase === "online") this.report({ type: "disconnected" });
  }

  /** Ends for good. @param {"token" | "refused" | "logged-out"} code @param {string} reason */
  end(code, reason) {
    this.drop();
    this.setState({ phase: "ended", code, reason });
  }

  /** Handles the first message of the program. @param {Socket} socket @param {string} text */
  handleGreeting(socket, text) {
    const { error, retry, server, servers, account, network, device } = parseObject(text);
    const string = (/** @type {unknown} */ value) => (typeof value === "string" ? value : "");
    if (typeof error === "string") return retry === true ? this.wait(error) : this.end("refused", error);
    const names = Array.isArray(servers) ? servers.map(string) : [];
    this.server = { mode: "local", account: string(account), network: string(network), server: string(server), servers: names, device: string(device) || null };
    this.credentials = { type: "external", account: string(account) };
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
    if (step.type === "failed") return this.handleFailure(step);
    if (step.type === "more") return;
    this.pending = null;
    this.failures = 0;
    // The invite is spent; the next connection takes the password.
    if (this.credentials?.type === "invite") this.credentials = { ...this.credentials, type: "plain" };
    if (this.credentials?.type === "plain" && this.kept !== this.credentials) {
      this.kept = this.credentials;
      void this.env.logins.keep(this.credentials);
    }
    this.current = { phase: "online" };
    this.onlineAt = this.env.now();
    this.watch();
    this.report({ type: "connected", nick: step.nick, caps: step.caps });
  }

  /** @param {Extract<LoginStep, { type: "failed" }>} failure */
  handleFailure({ code, reason, isRefused }) {
    if (!isRefused) return this.wait(reason);
    if (this.server.mode === "local") return this.end("refused", reason);
    this.drop();
    this.askForLogin({ code, reason });
  }

  /** Waits before the next attempt, longer each time. @param {string} reason */
  wait(reason) {
    // Another process takes over: it is back at once, unless it says so again.
    const isBack = this.current.phase === "online" && this.env.now() - this.onlineAt >= 2000 && /restarting\W*$/i.test(reason);
    this.drop();
    if (isBack) return this.open();
    const delay = Math.min(FIRST_DELAY * 2 ** Math.min(this.failures, 6), MAX_DELAY) * (1 - this.env.random() / 2);
    this.failures += 1;
    this.setState({ phase: "waiting", reason, retryAt: this.env.now() + delay });
    this.cancelTimer = this.env.later(delay, () => this.open());
  }

  /** Tests a silent connection: browsers do not tell of a dead one. */
  watch() {
    const { socket } = this;
    const silence = this.env.now() - this.heardAt;
    if (silence >= SILENCE + PATIENCE) return this.wait("");
    if (silence >= SILENCE) this.write("PING alive");
    this.cancelTimer = this.env.later(silence >= SILENCE ? PATIENCE : SILENCE - silence, () => {
      if (this.socket === socket) this.watch();
    });
  }
}
