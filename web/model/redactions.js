/** Own messages that are to be taken back. Their redactions are held for a while, so that they can be undone: the server erases the text. */

import { parseObject } from "./settings.js";

/** @import { Buffer } from "./buffer.js" */
/** @import { Model } from "./model.js" */
/** @import { Refusal } from "./requests.js" */

/**
 * @typedef {{ name: string, msgid: string, reason: string, until: number }} Held
 */

/** Time for which a redaction can be undone, in ms. */
const HOLD = 10_000;

export class Redactions {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** By conversation and message id. @type {Map<string, Held>} */
    this.held = new Map();
    const { storage } = model.env;
    for (const key of storage.keys("held:")) {
      const { name, msgid, reason } = parseObject(storage.get(key));
      if (name && msgid) this.held.set(key.slice("held:".length), { name: String(name), msgid: String(msgid), reason: String(reason), until: 0 });
    }
  }

  /** Holds the redaction of an own message back. @param {Buffer} buffer @param {string} msgid @param {string} reason */
  hold(buffer, msgid, reason) {
    const key = `${buffer.key} ${msgid}`;
    if (this.held.has(key)) return;
    const { env } = this.model;
    const held = { name: buffer.name, msgid, reason, until: env.now() + HOLD };
    this.keep(key, held);
    this.mark(buffer, msgid, held.until);
    env.later(HOLD, () => this.sendDue());
  }

  /** Keeps a message that was to be taken back. Returns whether it was. @param {string} key */
  release(key) {
    const held = this.held.get(key);
    if (held === undefined) return false;
    this.held.delete(key);
    this.model.env.storage.set(`held:${key}`, null);
    this.mark(this.model.openBuffer(held.name), held.msgid, null);
    return true;
  }

  /** Sends the redactions whose time has come. @param {boolean} [all] Set when the page ends. */
  sendDue(all = false) {
    const { model } = this;
    if (!model.ready) return;
    for (const [key, { name, msgid, reason, until }] of [...this.held]) {
      if (!all && until > model.env.now()) continue;
      this.release(key);
      model.requests.send("REDACT", name, msgid, ...(reason === "" ? [] : [reason])).catch((/** @type {Refusal} */ refusal) => {
        if (refusal.code !== "offline") model.notify("error", refusal.text, name);
        // It is sent with the next connection.
        else this.keep(key, { name, msgid, reason, until: 0 });
      });
    }
  }

  /** @param {string} key @param {Held} held */
  keep(key, held) {
    this.held.set(key, held);
    this.model.env.storage.set(`held:${key}`, JSON.stringify(held));
  }

  /** @param {Buffer} buffer @param {string} msgid @param {number | null} until */
  mark(buffer, msgid, until) {
    const entry = buffer.byMsgid(msgid);
    if (entry !== undefined) {
      entry.heldUntil = until;
      entry.version += 1;
      buffer.version += 1;
    }
    this.model.touch("held", `timeline:${buffer.key}`);
  }
}
