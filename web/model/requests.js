/**
 * Requests to the server and the replies to each, by their label (https://ircv3.net/specs/extensions/labeled-response), and
 * batches (https://ircv3.net/specs/extensions/batch).
 */

import { formatMessage } from "../wire/message.js";

/**
 * @typedef {import("../wire/message.js").Message} Message
 * @typedef {import("./types.js").RefusalInfo} RefusalInfo
 *
 * @typedef {object} Reply The complete reply to a request.
 * @property {Message[]} lines Without the start and the end of batches; a multiline message is one line.
 * @property {Map<string, string>} tags Tags of the batch of the result.
 *
 * @typedef {object} Batch
 * @property {string} type
 * @property {string} label Own, or that of the enclosing batch; "" for none.
 * @property {boolean} hasLabel Whether the label is its own, so that the reply ends with it.
 * @property {Batch | null} parent
 * @property {Message} start
 * @property {Message | null} text The message that the lines of a multiline batch make.
 */

/** Limit of open batches; a well-behaved server has two or three. */
const MAX_BATCHES = 64;
/** Limit of the lines of one reply: twenty times the largest page, because reactions come on top. */
const MAX_LINES = 60_000;
/** Limit of a multiline message. */
const MAX_TEXT = 1024 * 1024;

/** Batches whose lines are results and change nothing. */
const RESULTS = new Set(["chathistory", "draft/chathistory-targets", "soju.im/search", "search"]);

/**
 * The rejection of an action.
 * @implements {RefusalInfo}
 */
export class Refusal extends Error {
  /**
   * @param {string} code Numeric, code of a FAIL, or `offline`.
   * @param {string} text The server's reason, or a key of the texts for codes of the client.
   * @param {boolean} [isTemporary] Set if the same may succeed later.
   */
  constructor(code, text, isTemporary = false) {
    super(text);
    this.code = code;
    this.text = text;
    this.isTemporary = isTemporary;
  }

  static offline() {
    return new Refusal("offline", "refusal.offline", true);
  }

  /**
   * Returns the refusal that a line states; `null` for any other line.
   * @param {Message} message
   */
  static fromMessage({ command, params }) {
    const text = params[params.length - 1] ?? "";
    if (command === "FAIL") {
      const code = params[1] ?? "";
      const lasts = code.startsWith("INVALID_") || LASTING.has(code);
      return new Refusal(code, text, !lasts);
    }
    const isError = /^[45]\d\d$/.test(command) && command !== "422";
    return isError || OTHER_ERRORS.has(command) ? new Refusal(command, text) : null;
  }
}

/** Codes of standard replies whose cause is the form of the command or what it names. */
const LASTING = new Set(["NEED_MORE_PARAMS", "UNKNOWN_COMMAND", "UNKNOWN_MSGID", "ACCOUNT_REQUIRED"]);

/** Errors beyond the usual range: a mode's parameter, knocks, the list of MONITOR, SASL. */
const OTHER_ERRORS = new Set(["696", "712", "713", "714", "734", "904", "905", "906", "907"]);

export class Requests {
  /**
   * @param {(line: string) => void} write
   * @param {(message: Message, label: string) => void} handle Handles a line that is not part of a result.
   */
  constructor(write, handle) {
    this.write = write;
    this.handle = handle;
    this.next = 1;
    /** @type {Map<string, { reply: Reply, resolve: (reply: Reply) => void, reject: (error: Refusal) => void, keep: boolean }>} */
    this.open = new Map();
    /** @type {Map<string, Batch>} */
    this.batches = new Map();
    this.online = false;
  }

  /** Drops what belongs to a connection that ended. */
  disconnected() {
    this.online = false;
    this.batches.clear();
    const open = [...this.open.values()];
    this.open.clear();
    for (const { reject } of open) reject(Refusal.offline());
  }

  /**
   * Sends a command in the background: its refusal is not shown.
   * @param {string} command
   * @param {...string} params
   */
  post(command, ...params) {
    if (this.online) this.write(formatMessage(command, params, { label: "q" }));
  }

  /**
   * Sends a command. Rejects with the first refusal.
   * @param {string} command
   * @param {...string} params
   * @returns {Promise<Reply>}
   */
  send(command, ...params) {
    return this.sendWith({}, command, params, false);
  }

  /**
   * Sends a command, and resolves to its whole reply, refusals included.
   * @param {string} command
   * @param {...string} params
   * @returns {Promise<Reply>}
   */
  ask(command, ...params) {
    return this.sendWith({}, command, params, true);
  }

  /**
   * @param {Record<string, string>} tags
   * @param {string} command
   * @param {string[]} params
   * @param {boolean} keep
   * @returns {Promise<Reply>}
   */
  sendWith(tags, command, params, keep) {
    if (!this.online) return Promise.reject(Refusal.offline());
    const label = `r${this.next}`;
    this.next += 1;
    return new Promise((resolve, reject) => {
      this.open.set(label, { reply: { lines: [], tags: new Map() }, resolve, reject, keep });
      this.write(formatMessage(command, params, { label, ...tags }));
    });
  }

  /** @param {Message} message */
  receive(message) {
    if (message.command === "BATCH") {
      const [reference = "", type = ""] = message.params;
      if (reference.startsWith("+")) this.openBatch(reference.slice(1), type, message);
      else this.closeBatch(reference.slice(1));
      return;
    }
    const batch = this.batches.get(message.tags.get("batch") ?? "") ?? null;
    this.deliver(message, batch);
  }

  /**
   * @param {string} reference
   * @param {string} type
   * @param {Message} start
   */
  openBatch(reference, type, start) {
    if (this.batches.size >= MAX_BATCHES) return;
    const parent = this.batches.get(start.tags.get("batch") ?? "") ?? null;
    const own = start.tags.get("label") ?? "";
    const label = own !== "" ? own : (parent?.label ?? "");
    this.batches.set(reference, { type, label, hasLabel: own !== "", parent, start, text: null });
    const request = this.open.get(label);
    if (request !== undefined && RESULTS.has(type)) request.reply.tags = start.tags;
  }

  /** @param {string} reference */
  closeBatch(reference) {
    const batch = this.batches.get(reference);
    if (batch === undefined) return;
    this.batches.delete(reference);
    if (batch.type === "draft/multiline" && batch.text !== null) {
      const { tags, source, nick } = batch.start;
      this.deliver({ ...batch.text, tags, source, nick }, batch.parent);
    }
    if (batch.hasLabel) this.finish(batch.label);
  }

  /**
   * @param {Message} message
   * @param {Batch | null} batch
   */
  deliver(message, batch) {
    if (batch?.type === "draft/multiline") {
      addLine(batch, message);
      return;
    }
    const own = message.tags.get("label") ?? "";
    const label = own !== "" ? own : (batch?.label ?? "");
    const request = this.open.get(label);
    if (request !== undefined && message.command !== "ACK" && request.reply.lines.length < MAX_LINES) {
      request.reply.lines.push(message);
    }
    if (!isResult(batch)) this.handle(message, label);
    if (own !== "") this.finish(own);
  }

  /** @param {string} label */
  finish(label) {
    const request = this.open.get(label);
    if (request === undefined) return;
    this.open.delete(label);
    for (const line of request.keep ? [] : request.reply.lines) {
      const refusal = Refusal.fromMessage(line);
      if (refusal !== null) return request.reject(refusal);
    }
    request.resolve(request.reply);
  }

  /**
   * Returns whether a request waits for replies with this label, so that they are shown by whoever made it.
   * @param {string} label
   */
  isAwaited(label) {
    return this.open.has(label);
  }
}

/**
 * @param {Batch | null} batch
 * @returns {boolean}
 */
function isResult(batch) {
  return batch !== null && (RESULTS.has(batch.type) || isResult(batch.parent));
}

/**
 * Adds a line to a multiline message (https://ircv3.net/specs/extensions/multiline).
 * @param {Batch} batch
 * @param {Message} line
 */
function addLine(batch, line) {
  const [target = "", text = ""] = line.params;
  if (batch.text === null) {
    batch.text = { ...line, params: [target, text] };
    return;
  }
  const before = batch.text.params[1] ?? "";
  const joint = line.tags.has("draft/multiline-concat") ? "" : "\n";
  if (before.length + text.length < MAX_TEXT) batch.text.params[1] = before + joint + text;
}
