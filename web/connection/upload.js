/**
 * The upload of a file. What breaks is tried again, later each time; what the server refuses ends with its sentence.
 */

/** @import { HttpAnswer, UploadEnvironment } from "../model/types.js" */

/** Delays between attempts, in ms: each is shortened by a random part of up to a half. */
const FIRST_DELAY = 1_000;
const MAX_DELAY = 30_000;
/** Attempts in a row that the server may put off before its reason is shown. */
const MAX_PUT_OFF = 6;

/** Statuses that a later attempt may not get: the connection was too slow, others are uploading, the server is stopping. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

export class Upload {
  /**
   * @param {Blob} content
   * @param {string} name
   * @param {UploadEnvironment} env
   */
  constructor(content, name, env) {
    this.content = content;
    this.name = name;
    this.env = env;
    /** @type {"waiting" | "sending" | "broken" | "done" | "refused" | "cancelled"} */
    this.state = "waiting";
    /** Bytes that are on their way or there. */
    this.sent = 0;
    /** Why it was refused. */
    this.reason = "";
    /** Path of the file on the server, such as `/f/ID/NAME`, once it is there. */
    this.path = "";
    this.failures = 0;
    /** Attempts that the server put off, since something was sent last. */
    this.putOff = 0;
    this.aborter = new AbortController();
    this.wake = () => {};
  }

  /** @param {Upload["state"]} state */
  set(state) {
    this.state = state;
    this.env.changed();
  }

  /** Sends the file. Resolves when that is done, refused or cancelled. */
  async run() {
    while (this.state !== "cancelled") {
      try {
        this.set("sending");
        const path = await this.attempt();
        if (this.isCancelled()) return;
        this.path = path;
        this.sent = this.content.size;
        return this.set("done");
      } catch (error) {
        if (this.isCancelled()) return;
        if (error instanceof UploadRefusal && !this.mayPass(error)) {
          this.reason = error.message;
          return this.set("refused");
        }
        this.set("broken");
        await this.pause();
      }
    }
  }

  isCancelled() {
    return this.state === "cancelled";
  }

  /** @param {UploadRefusal} refusal */
  mayPass({ status }) {
    return PASSING.has(status) && this.putOff++ < MAX_PUT_OFF;
  }

  pause() {
    const delay = Math.min(FIRST_DELAY * 2 ** Math.min(this.failures, 6), MAX_DELAY) * (1 - this.env.random() / 2);
    this.failures += 1;
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      const stop = this.env.later(delay, resolve);
      this.wake = () => { stop(); resolve(); };
    });
  }

  /** Goes on at once, where it waits for the connection. */
  goOn() {
    this.failures = 0;
    this.wake();
  }

  /** @returns {Promise<string>} */
  async attempt() {
    const headers = {
      Authorization: `Bearer ${await this.env.token()}`,
      "Content-Type": "application/octet-stream",
      "Content-Disposition": `attachment; filename*=UTF-8''${encodeURIComponent(this.name)}`,
    };
    const answer = check(await this.send("POST", "/upload", headers, this.content));
    return pathIn(answer, "location", /\/f\/[\w-]{22}(?:\/[^/?#]*)?$/);
  }

  /** @param {string} method @param {string} path @param {Record<string, string>} headers @param {Blob | null} [body] @param {number} [from] Bytes before those of the body. */
  async send(method, path, headers, body = null, from = 0) {
    const { signal } = this.aborter;
    return this.env.request({ method, path, headers, body, signal, progress: (sent) => {
      if (this.isCancelled()) return;
      this.sent = Math.min(from + sent, this.content.size);
      if (sent > 0) this.failures = this.putOff = 0;
      this.env.changed();
    } });
  }

  /** Ends it. */
  cancel() {
    if (this.state === "cancelled") return;
    this.set("cancelled");
    this.aborter.abort();
    this.wake();
  }
}

/** Refusal of a request, with the sentence of the server. */
export class UploadRefusal extends Error {
  /** @param {number} status @param {string} text */
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** Returns an answer that is no refusal. @param {HttpAnswer} answer */
function check(answer) {
  const { status, text } = answer;
  if (status >= 200 && status < 300) return answer;
  throw new UploadRefusal(status, text.trim().slice(0, 500) || `HTTP ${status}`);
}

/** Returns the path at the end of an address in a header, whatever host it names: a relay has another one. @param {HttpAnswer} answer @param {string} name @param {RegExp} pattern */
function pathIn(answer, name, pattern) {
  const path = pattern.exec(answer.header(name) ?? "")?.[0];
  if (path === undefined) throw new UploadRefusal(answer.status, `HTTP ${answer.status}`);
  return path;
}
