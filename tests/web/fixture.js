// A model with a clock, timers and storage of its own, and without a network.

import { loadActions } from "../../web/model/actions/index.js";
import { Model } from "../../web/model/model.js";
import { createStore } from "../../web/model/store.js";
import { parseMessage } from "../../web/wire/message.js";

export const CAPS = new Set(
  "sasl batch labeled-response message-tags server-time echo-message draft/chathistory draft/event-playback draft/message-redaction draft/metadata-3 draft/multiline draft/read-marker parlour/send-id soju.im/search standard-replies no-implicit-names".split(" "),
);

/** @returns {import("../../web/model/types.js").Storage} */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const all = new Map();
  return {
    get: (key) => all.get(key) ?? null,
    set: (key, value) => void (value === null ? all.delete(key) : all.set(key, value)),
    keys: (prefix) => [...all.keys()].filter((key) => key.startsWith(prefix)),
  };
}

export class Fixture {
  /** @param {{ storage?: import("../../web/model/types.js").Storage, tab?: string, caps?: Set<string>, runId?: string, now?: number }} [options] */
  constructor({ storage = memoryStorage(), tab = "one", caps = CAPS, runId = "run", now = Date.UTC(2026, 10, 29, 12) } = {}) {
    this.now = now;
    this.caps = caps;
    this.storage = storage;
    /** @type {{ at: number, run: () => void }[]} */
    this.timers = [];
    /** Lines that the model sent, parsed. @type {import("../../web/model/types.js").Message[]} */
    this.sent = [];
    /** Whether tokens for files are given at once. */
    this.givesTokens = false;
    /** Conversation in the page's address. @type {string | null} */
    this.wanted = null;
    /** @type {import("../../web/model/types.js").Alert[]} */
    this.alerts = [];
    /** @type {import("../../web/model/types.js").ConnectionState} */
    this.state = { phase: "connecting", attempt: 1 };
    this.model = new Model({
      now: () => this.now,
      later: (ms, run) => void this.timers.push({ at: this.now + ms, run }),
      soon: (run) => queueMicrotask(run),
      runId,
      storage,
      tab,
      wanted: () => this.wanted,
      write: (line) => {
        const message = /** @type {import("../../web/model/types.js").Message} */ (parseMessage(line));
        if (message.command === "FILES" && message.params[0] === "TOKEN" && this.givesTokens) queueMicrotask(() => this.receive(`@label=${message.tags.get("label")} :srv NOTE FILES TOKEN sesame 600 :A token`));
        else this.sent.push(message);
      },
    });
    const nothing = () => {};
    this.store = createStore(this.model, {
      state: () => this.state,
      info: () => ({ mode: "local", account: "alice", network: "Home", server: "home", servers: ["home"], device: null }),
      login: nothing,
      register: nothing,
      logout: nothing,
      reconnect: nothing,
      switchServer: nothing,
    });
    this.store.onAlert((alert) => this.alerts.push(alert));
  }

  /**
   * Logs in as alice, with these lines behind the welcome.
   * @param {...string} lines
   */
  async login(...lines) {
    this.state = { phase: "online" };
    await loadActions(this.model);
    this.model.connected("alice", this.caps);
    this.receive(":srv 005 alice LINELEN=8192 CHATHISTORY=1000 PREFIX=(qohv)~@%+ CHANMODES=Ibe,k,l,CimnsBt NETWORK=Home :are supported", ...lines);
    this.answer("PING", [":srv PONG srv login"]);
    await this.settle();
  }

  disconnect() {
    this.state = { phase: "connecting", attempt: 1 };
    this.sent = [];
    this.model.disconnected();
  }

  /** @param {...string} lines */
  receive(...lines) {
    for (const line of lines) this.model.receive(line);
  }

  /**
   * Takes the oldest sent line of a command, with all before it.
   * @param {string} command
   * @param {string} [param] One of its parameters.
   */
  take(command, param) {
    const at = this.sent.findIndex((line) => line.command === command && (param === undefined || line.params.includes(param)));
    if (at < 0) throw new Error(`no ${command} ${param ?? ""} among ${this.sent.map((line) => line.command).join(" ")}`);
    const [line] = this.sent.splice(at, 1);
    return /** @type {import("../../web/model/types.js").Message} */ (line);
  }

  /**
   * Replies to the oldest sent line of a command.
   * @param {string} command
   * @param {string[]} lines
   * @param {string} [batch] Type and parameters of the batch that they are in.
   * @param {string} [param]
   */
  answer(command, lines, batch, param) {
    const label = this.take(command, param).tags.get("label") ?? "";
    if (batch === undefined && lines.length === 1) return this.receive(`@label=${label} ${lines[0]}`);
    if (batch === undefined && lines.length === 0) return this.receive(`@label=${label} :srv ACK`);
    this.receive(`@label=${label} :srv BATCH +r ${batch ?? "labeled-response"}`);
    for (const line of lines) this.receive(line.startsWith("@") ? `@batch=r;${line.slice(1)}` : `@batch=r ${line}`);
    this.receive(":srv BATCH -r");
  }

  /** Lets promises run. */
  async settle() {
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
  }

  /** @param {number} ms */
  async pass(ms) {
    this.now += ms;
    for (;;) {
      const at = this.timers.findIndex((timer) => timer.at <= this.now);
      if (at < 0) break;
      this.timers.splice(at, 1)[0]?.run();
    }
    await this.settle();
  }

  /**
   * Returns a line of a message.
   * @param {number} n Number, which makes its id and its time.
   * @param {string} [text]
   * @param {string} [from]
   * @param {string} [tags]
   */
  message(n, text = `text ${n}`, from = "bob", tags = "") {
    return `@time=${new Date(this.now - 3_600_000 + n * 1000).toISOString()};msgid=${id(n)}${tags} :${from}!u@parlour PRIVMSG #tea :${text}`;
  }

  /**
   * Returns the texts of the timeline, with marks of their states.
   * @param {string} name
   */
  texts(name) {
    const timeline = this.store.timeline(name);
    return timeline.slice(0, timeline.length).map((entry) => {
      const state = entry.redacted !== null ? "(gone)" : entry.status === "sent" ? "" : `(${entry.status})`;
      return entry.event === null ? entry.text + state : `*${entry.event.type}`;
    });
  }
}

/** @param {number} n */
export function id(n) {
  return n.toString(16).padStart(16, "0");
}

/** In #tea with its latest page loaded. @param {number[]} [numbers] */
export async function inTea(numbers = []) {
  const fixture = new Fixture();
  await fixture.login(":alice!u@parlour JOIN #tea");
  fixture.answer("CHATHISTORY", numbers.map((n) => fixture.message(n)), "chathistory #tea", "#tea");
  await fixture.settle();
  return fixture;
}
