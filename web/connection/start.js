/** The start of the page: joins the model, the connection and the browser. */

import { Model } from "../model/model.js";
import { browserStorage } from "../model/settings.js";
import { createStore } from "../model/store.js";
import { parseAddress } from "../wire/address.js";
import { keep } from "./kept.js";
import { Link, PROGRAM_GONE, PROTOCOL } from "./link.js";

/** @import { LoginStore, Socket, SocketEvents, Storage, Store } from "../model/types.js" */

const TOKEN = /^#([0-9a-f]{64})$/;

/** Connects as `mode.json` says. @returns {Promise<Store>} */
export async function start() {
  const { mode, name } = await readMode();
  const secrets = browserStorage(storageOf("sessionStorage"));
  const server = secrets.get("server");
  const token = mode === "local" ? takeToken(secrets) : "";
  const storage = mode === "server" ? browserStorage(storageOf("localStorage")) : await keep(browserStorage(null), { token, server }, connect);
  const now = () => Date.now();
  const later = (/** @type {number} */ ms, /** @type {() => void} */ run) => {
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  };
  const random = () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
  const logins = lazyLogins(secrets);
  /** @type {Link} */
  const link = new Link({ now, later, random, connect, secrets, logins, reload: loadAnew }, (change) => {
    if (change.type === "line") model.receive(change.line);
    else if (change.type === "connected") model.connected(change.nick, change.caps);
    else if (change.type === "disconnected") model.disconnected();
    else model.touch("connection");
  });
  const model = new Model({
    now,
    later: (ms, run) => void later(ms, run),
    soon: (run) => queueMicrotask(run),
    runId: Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    storage,
    tab: tabOf(secrets),
    wanted: () => parseAddress(location.hash),
    write: (line) => link.write(line),
  });
  const store = createStore(model, link);
  const focus = () => store.actions.setFocused(document.visibilityState === "visible" && document.hasFocus());
  for (const event of ["focus", "blur"]) window.addEventListener(event, focus);
  document.addEventListener("visibilitychange", focus);
  // What was taken back is not to stay because the page was closed.
  window.addEventListener("pagehide", () => model.redactions?.sendDue(true));
  window.addEventListener("online", () => link.reconnect());
  // The next `parlour web` has another address, with a storage of its own.
  window.addEventListener("beforeunload", (event) => {
    const state = link.state();
    if (state.phase === "waiting" && state.reason === PROGRAM_GONE && model.hasUnsent()) event.preventDefault();
  });
  // The address that `parlour web` prints, opened in a tab that has the page already.
  window.addEventListener("hashchange", () => {
    if (link.info().mode !== "local" || !TOKEN.test(location.hash)) return;
    takeToken(secrets);
    location.reload();
  });
  focus();
  link.start(mode, { token, server, name });
  return store;
}

/** Keeps logins; only the server's own page needs it. @param {Storage} secrets @returns {LoginStore} */
function lazyLogins(secrets) {
  const logins = async () => (await import("./kept-login.js")).tabLogins(secrets);
  // One after the other, so that what is to be forgotten is not kept a moment later.
  let last = Promise.resolve();
  const next = (/** @type {() => Promise<void>} */ run) => (last = last.then(run, run));
  return {
    load: async () => secrets.get("login") === null ? null : (await logins()).load(),
    keep: (login) => next(async () => (await logins()).keep(login)),
    forget: () => next(async () => secrets.get("login") === null ? undefined : (await logins()).forget()),
  };
}

/** Takes the token out of the address, and so out of the history. The tab keeps it. @param {Storage} secrets */
function takeToken(secrets) {
  const given = TOKEN.exec(location.hash)?.[1];
  if (given === undefined) return secrets.get("token") ?? "";
  secrets.set("token", given);
  history.replaceState(null, "", location.pathname);
  return given;
}

/** Loads the page anew, with another server. */
function loadAnew() {
  history.replaceState(null, "", location.pathname);
  location.reload();
}

/** @param {Storage} secrets */
function tabOf(secrets) {
  if (secrets.get("tab") === null) secrets.set("tab", Math.random().toString(36).slice(2));
  return secrets.get("tab") ?? "";
}

/** @returns {Promise<{ mode: "local" | "server", name: string }>} */
async function readMode() {
  try {
    const { mode, name } = await (await fetch("mode.json", { cache: "no-store" })).json();
    return { mode: mode === "local" ? "local" : "server", name: String(name ?? "") };
  } catch {
    return { mode: TOKEN.test(location.hash) ? "local" : "server", name: "" };
  }
}

/** @param {SocketEvents} events @returns {Socket} */
function connect(events) {
  const url = new URL("irc", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  const socket = new WebSocket(url, PROTOCOL);
  socket.onopen = () => events.open();
  socket.onmessage = ({ data }) => events.message(String(data));
  socket.onclose = ({ code, reason }) => events.close(code, reason);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: (code) => socket.close(code),
  };
}

/** Returns a storage of the browser; `null` where it refuses it. @param {"localStorage" | "sessionStorage"} name */
function storageOf(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}
