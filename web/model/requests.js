/**
 * Requests to the server and the replies to each, by their label (https://ircv3.net/specs/extensions/labeled-response), and
 * batches (https://ircv3.net/specs/extensions/batch).
 */

import { formatMessage } from "../wire/message.js";

/** @import { Batch, Message, RefusalInfo, Reply } from "./types.js" */

/** Limit of open batches; a well-behaved server has two or three. */
const MAX_BATCHES = 64;
/** Limit of the lines of one reply: twenty times the largest page, because reactions come on top. */
const MAX_LINES = 60_000;
/** Limit of a multiline message. */
const MAX_TEXT = 1024 * 1024;

/** Batches whose lines are results and change nothing. */
const RESULTS = ["chathistory", "draft/chathistory-targets", "soju.im/search", "search"];

/** Codes of FAIL whose cause is the form of the command or what it names, so that it fails again. */
const LASTING = /^(INVALID_.*|NEED_MORE_PARAMS|UNKNOWN_COMMAND|UNKNOWN_MSGID|ACCOUNT_REQUIRED)$/;

/** Numerics of errors; those beyond the usual range are of a mode's parameter, knocks, the list of MONITOR, SASL. */
const ERRORS = /^(?!422)([45]\d\d|696|71[234]|734|90[4-7])$/;

/** The rejection of an action. @implements {RefusalInfo} */
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

  /** Returns the refusal that a line states; `null` for any other line. @param {Message} message */
  static fromMessage({ command, params }) {
    const text = params.at(-1) ?? "";
    const [, code = ""] = params;
    if (command === "FAIL") return new Refusal(code, text, !LASTING.test(code));
    return ERRORS.test(command) ? new Refusal(command, text) : null;
  }
}

export class Requests {
  /** @param {(line: string) => void} write @param {(message: Message, label: string) => void} handle Handles a line that is not part of a result. */
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

  /** Sends a command in the background: its refusal is not shown. @param {string} command @param {...string} params */
  post(command, ...params) {
    if (this.online) this.write(formatMessage(command, params, { label: "q" }));
  }

  /** Sends a command. Rejects with the first refusal. @param {string} command @param {...string} params */
  send(command, ...params) {
    return this.sendWith({}, command, params, false);
  }

  /** Sends a command, and resolves to its whole reply, refusals included. @param {string} command @param {...string} params */
  ask(command, ...params) {
    return this.sendWith({}, command, params, true);
  }

  /**
   * @param {Record<string, string>} tags
   * @param {string} command
   * @param {string[]} params
   * @param {boolean} keep Whether refusals are part of the reply.
   * @returns {Promise<Reply>}
   */
  sendWith(tags, command, params, keep) {
    if (!this.online) return Promise.reject(Refusal.offline());
    const label = `r${this.next++}`;
    return new Promise((resolve, reject) => {
      this.open.set(label, { reply: { lines: [], tags: new Map() }, resolve, reject, keep });
      this.write(formatMessage(command, params, { label, ...tags }));
    });
  }

  /** @param {Message} message */
  receive(message) {
    const { command, params: [reference = "", type = ""], tags } = message;
    const batch = this.batches.get(tags.get("batch") ?? "");
    if (command !== "BATCH") this.deliver(message, batch);
    else if (reference.startsWith("+")) this.openBatch(reference.slice(1), type, message, batch);
    else this.closeBatch(reference.slice(1));
  }

  /** @param {string} reference @param {string} type @param {Message} start @param {Batch | undefined} parent */
  openBatch(reference, type, start, parent) {
    if (this.batches.size >= MAX_BATCHES) return;
    const own = start.tags.get("label") ?? "";
    const label = own || (parent?.label ?? "");
    this.batches.set(reference, { type, label, hasLabel: own !== "", parent, start, text: null });
    const request = this.open.get(label);
    if (request && RESULTS.includes(type)) request.reply.tags = start.tags;
  }

  /** @param {string} reference */
  closeBatch(reference) {
    const batch = this.batches.get(reference);
    if (!batch) return;
    this.batches.delete(reference);
    if (batch.text !== null) {
      const { tags, source, nick } = batch.start;
      this.deliver({ ...batch.text, tags, source, nick }, batch.parent);
    }
    if (batch.hasLabel) this.finish(batch.label);
  }

  /** @param {Message} message @param {Batch | undefined} batch */
  deliver(message, batch) {
    if (batch?.type === "draft/multiline") return addLine(batch, message);
    const own = message.tags.get("label") ?? "";
    const label = own || (batch?.label ?? "");
    const lines = this.open.get(label)?.reply.lines;
    if (lines && message.command !== "ACK" && lines.length < MAX_LINES) lines.push(message);
    if (!isResult(batch)) this.handle(message, label);
    if (own !== "") this.finish(own);
  }

  /** @param {string} label */
  finish(label) {
    const request = this.open.get(label);
    if (!request) return;
    this.open.delete(label);
    const refusal = request.keep ? undefined : request.reply.lines.map(Refusal.fromMessage).find((one) => one !== null);
    if (refusal) request.reject(refusal);
    else request.resolve(request.reply);
  }

  /** Returns whether a request waits for replies with this label, so that they are shown by whoever made it. @param {string} label */
  isAwaited(label) {
    return this.open.has(label);
  }
}

/** @param {Batch | undefined} batch @returns {boolean} */
function isResult(batch) {
  return batch !== undefined && (RESULTS.includes(batch.type) || isResult(batch.parent));
}

/** Adds a line to a multiline message (https://ircv3.net/specs/extensions/multiline). @param {Batch} batch @param {Message} line */
function addLine(batch, line) {
  const [target = "", text = ""] = line.params;
  const before = batch.text?.params[1];
  const joint = line.tags.has("draft/multiline-concat") ? "" : "\n";
  if (before === undefined) batch.text = { ...line, params: [target, text] };
  else if (before.length + text.length < MAX_TEXT) batch.text = { ...line, params: [target, before + joint + text] };
}
