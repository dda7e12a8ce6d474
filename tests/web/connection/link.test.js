// The connection: the token, the login, failures and reconnection, without a network.

import assert from "node:assert/strict";
import test from "node:test";

import { Link } from "../../../web/connection/link.js";
import { memoryStorage } from "../fixture.js";

const CAPS = "sasl=PLAIN,EXTERNAL batch labeled-response message-tags server-time echo-message parlour/send-id draft/account-registration other";
const GREETING = '{"server":"home","servers":["home","work"],"account":"alice","network":"Home","login":"external","device":"ab12"}';

class FakeNetwork {
  constructor() {
    this.now = 1_000_000;
    /** @type {{ at: number, run: () => void }[]} */
    this.timers = [];
    /** @type {{ events: import("../../../web/model/types.js").SocketEvents, sent: string[], closed: boolean }[]} */
    this.sockets = [];
    /** @type {string[]} */
    this.reports = [];
    this.secrets = memoryStorage();
    /** The login that the tab keeps. @type {Awaited<ReturnType<import("../../../web/model/types.js").LoginStore["load"]>>} */
    this.kept = null;
    this.reloads = 0;
    this.link = new Link(
      {
        now: () => this.now,
        later: (ms, run) => {
          const timer = { at: this.now + ms, run };
          this.timers.push(timer);
          return () => void (this.timers = this.timers.filter((other) => other !== timer));
        },
        random: () => 0,
        connect: (events) => {
          const socket = { events, sent: /** @type {string[]} */ ([]), closed: false };
          this.sockets.push(socket);
          return { send: (text) => void socket.sent.push(text), close: () => void (socket.closed = true) };
        },
        secrets: this.secrets,
        logins: {
          load: async () => this.kept,
          keep: async ({ account, password }) => void (this.kept = { account, password }),
          forget: async () => void (this.kept = null),
        },
        reload: () => void (this.reloads += 1),
      },
      (change) => void (change.type !== "state" && this.reports.push(change.type === "line" ? change.line : change.type)),
    );
  }

  get socket() {
    const socket = this.sockets.at(-1);
    assert.ok(socket);
    return socket;
  }

  /** @param {...string} lines */
  receive(...lines) {
    for (const line of lines) this.socket.events.message(line);
  }

  /** @param {number} ms */
  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  phase() {
    return this.link.state().phase;
  }
}

/** Logged in by a device, in local mode. */
function local() {
  const network = new FakeNetwork();
  network.link.start("local", { token: "ab".repeat(32) });
  network.socket.events.open();
  return network;
}

/** @param {FakeNetwork} network */
function finishLogin(network) {
  network.receive(`:srv CAP * LS * :${CAPS}`, ":srv CAP * LS :draft/chathistory", `:srv CAP * ACK :${CAPS}`, "AUTHENTICATE +", ":srv 903 alice :ok", ":srv 001 alice :Welcome");
}

test("a page of the binary proves itself by the token, and logs in as its account", () => {
  const network = local();
  assert.deepEqual(network.socket.sent, [JSON.stringify({ token: "ab".repeat(32), server: null })]);
  network.receive(GREETING);
  assert.deepEqual(network.socket.sent.slice(1), ["CAP LS 302", "NICK alice", "USER alice 0 * alice"]);
  finishLogin(network);
  const sent = network.socket.sent.slice(4);
  assert.match(sent[0] ?? "", /^CAP REQ :sasl batch .*parlour\/send-id/);
  assert.ok(!sent[0]?.includes("other"));
  assert.deepEqual(sent.slice(1), ["AUTHENTICATE EXTERNAL", "AUTHENTICATE YWxpY2U=", "CAP END"]);
  assert.deepEqual([network.phase(), network.reports], ["online", ["connected"]]);
  assert.deepEqual(network.link.info(), { mode: "local", account: "alice", network: "Home", server: "home", servers: ["home", "work"], device: "ab12" });
  network.receive(":srv 002 alice :x");
  assert.equal(network.reports.at(-1), ":srv 002 alice :x");
});

test("nothing is sent before the login but the login", () => {
  const network = local();
  network.link.write("PRIVMSG #tea :early");
  network.receive(GREETING);
  network.link.write("PRIVMSG #tea :early");
  assert.ok(!network.socket.sent.join("\n").includes("early"));
});

test("a server that restarts is connected to at once, unless it says so again and again", () => {
  const network = local();
  network.receive(GREETING);
  finishLogin(network);
  const restart = () => {
    network.receive("ERROR :Server is restarting");
    network.socket.events.close(1000, "");
  };
  network.pass(2000);
  restart();
  assert.deepEqual([network.sockets.length, network.phase()], [2, "connecting"]);
  network.socket.events.open();
  network.receive(GREETING);
  finishLogin(network);
  restart();
  assert.deepEqual([network.sockets.length, network.phase()], [2, "waiting"]);
});

test("a wrong token ends it, a lost server does not", () => {
  const network = local();
  network.socket.events.close(4502, "the server is gone");
  assert.deepEqual(network.link.state(), { phase: "waiting", reason: "the server is gone", retryAt: network.now + 500 });
  network.pass(500);
  assert.deepEqual([network.phase(), network.sockets.length], ["connecting", 2]);
  network.socket.events.close(4401, "");
  assert.equal(network.phase(), "ended");
  network.pass(100_000);
  assert.equal(network.sockets.length, 2);
});

test("the binary's errors are shown, and tried again where it says so", () => {
  const network = local();
  network.receive('{"error":"the server cannot be reached","retry":true}');
  assert.equal(network.phase(), "waiting");
  network.pass(500);
  network.socket.events.open();
  network.receive('{"error":"this device was revoked","retry":false}');
  assert.deepEqual(network.link.state(), { phase: "ended", code: "refused", reason: "this device was revoked" });
  const strange = local();
  strange.receive("no JSON");
  assert.equal(strange.phase(), "connecting");
});

test("delays grow, and a success resets them", () => {
  const network = local();
  const delays = [];
  for (let n = 0; n < 8; n += 1) {
    network.socket.events.close(1006, "");
    const state = network.link.state();
    const delay = state.phase === "waiting" ? state.retryAt - network.now : 0;
    delays.push(delay);
    network.pass(delay);
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  network.socket.events.open();
  network.receive(GREETING);
  finishLogin(network);
  network.receive("ERROR :shutting down");
  network.socket.events.close(1000, "");
  assert.deepEqual(network.link.state(), { phase: "waiting", reason: "shutting down", retryAt: network.now + 500 });
  assert.equal(network.reports.at(-1), "disconnected");
  network.link.reconnect();
  assert.equal(network.phase(), "connecting");
});

test("a dead connection is found by its silence", () => {
  const network = local();
  network.receive(GREETING);
  finishLogin(network);
  network.pass(60_000);
  assert.equal(network.socket.sent.at(-1), "PING alive");
  network.receive(":srv PONG srv alive");
  network.pass(60_000);
  assert.equal(network.phase(), "online");
  network.pass(20_000);
  assert.equal(network.phase(), "waiting");
});

test("on the server's own page a person logs in by password, and stays logged in over a reload until they log out", async () => {
  const network = new FakeNetwork();
  network.link.start("server", { name: "Home" });
  await Promise.resolve();
  assert.deepEqual(network.link.state(), { phase: "login", network: "Home", error: null, canRegister: true });
  assert.equal(network.sockets.length, 0);
  const password = "p".repeat(300 - 2 * "alice".length - 2 + "alice".length);
  network.link.login("alice", password);
  assert.equal(network.kept, null, "kept once it was right");
  network.socket.events.open();
  finishLogin(network);
  const chunks = network.socket.sent.filter((line) => line.startsWith("AUTHENTICATE ")).slice(1).map((line) => line.slice(13));
  assert.equal(Buffer.from(chunks.filter((chunk) => chunk !== "+").join(""), "base64").toString(), `\0alice\0${password}`);
  assert.ok(chunks.slice(0, -1).every((chunk) => chunk.length === 400) && (chunks.at(-1) ?? "").length < 400);
  assert.deepEqual([network.kept, network.secrets.keys("")], [{ account: "alice", password }, []]);
  const again = new FakeNetwork();
  again.kept = network.kept;
  again.link.start("server", {});
  assert.equal(again.phase(), "connecting");
  await Promise.resolve();
  again.socket.events.open();
  finishLogin(again);
  assert.equal(again.phase(), "online");
  network.link.logout();
  assert.deepEqual([network.phase(), network.socket.closed, network.kept], ["login", true, null]);
  network.link.login("alice", "wrong");
  network.socket.events.open();
  network.receive(`:srv CAP * LS :${CAPS}`, `:srv CAP * ACK :${CAPS}`, "AUTHENTICATE +", ":srv 904 alice :SASL authentication failed");
  const state = network.link.state();
  assert.deepEqual(state.phase === "login" && state.error, { code: "904", reason: "SASL authentication failed" });
  assert.equal(network.kept, null);
});

test("a server that cannot check a password now is asked again, and the login is kept", async () => {
  const network = new FakeNetwork();
  network.kept = { account: "alice", password: "right" };
  network.link.start("server", {});
  await Promise.resolve();
  network.socket.events.open();
  network.receive(`:srv CAP * LS :${CAPS}`, `:srv CAP * ACK :${CAPS}`, "AUTHENTICATE +", ":srv 904 alice :SASL authentication failed: The server is too busy to check passwords, try again in a moment");
  assert.deepEqual([network.phase(), network.kept?.account], ["waiting", "alice"]);
});

test("an invite makes an account, and reconnects log in to it", () => {
  const network = new FakeNetwork();
  network.link.start("server", {});
  network.link.register("dave", "long password", "token");
  network.socket.events.open();
  network.receive(`:srv CAP * LS :${CAPS}`, `:srv CAP * ACK :${CAPS}`, "REGISTER SUCCESS dave :made", ":srv 001 dave :Welcome");
  assert.deepEqual(network.socket.sent.filter((line) => /^(PASS|REGISTER)/.test(line)), ["PASS token", "REGISTER dave * :long password"]);
  assert.equal(network.phase(), "online");
  network.socket.events.close(1006, "");
  network.pass(500);
  network.socket.events.open();
  network.receive(`:srv CAP * LS :${CAPS}`, `:srv CAP * ACK :${CAPS}`);
  assert.equal(network.socket.sent.at(-1), "AUTHENTICATE PLAIN");
});

test("a server without what the page needs is refused, and so is a welcome without a login", () => {
  for (const lines of [[":srv CAP * LS :sasl batch"], [":srv 001 alice :Welcome"], [":srv CAP * NAK :sasl"]]) {
    const network = local();
    network.receive(GREETING, ...lines);
    assert.notEqual(network.phase(), "connecting", lines[0]);
    assert.deepEqual(network.reports, []);
  }
});

test("another server is chosen by loading the page anew", () => {
  const network = local();
  network.link.switchServer("work");
  assert.deepEqual([network.secrets.get("server"), network.reloads], ["work", 1]);
});

test("events of a connection that was given up are ignored", () => {
  const network = local();
  const old = network.socket;
  old.events.close(1006, "");
  network.pass(500);
  old.events.message(GREETING);
  old.events.close(4401, "");
  assert.deepEqual([network.phase(), network.socket.sent.length], ["connecting", 0]);
});

test("a program that no longer answers is told from a server that is away", () => {
  const network = new FakeNetwork();
  network.link.start("local", { token: "secret" });
  network.socket.events.open();
  network.receive('{"error":"the server is gone","retry":true}');
  assert.deepEqual(network.link.state(), { phase: "waiting", reason: "the server is gone", retryAt: network.now + 500 });
  network.pass(500);
  network.socket.events.close(1006, "");
  assert.equal(Reflect.get(network.link.state(), "reason"), "refusal.programGone");
  // On a server's own page it is the server that is away.
  const own = new FakeNetwork();
  own.link.start("server", {});
  own.link.login("alice", "secret");
  own.socket.events.close(1006, "");
  assert.equal(Reflect.get(own.link.state(), "reason"), "");
});
