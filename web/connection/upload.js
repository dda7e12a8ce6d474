/**
 * The resumable upload of a file (tus 1.0.0, https://tus.io/protocols/resumable-upload). What breaks is tried again, later each
 * time, and goes on where it broke; what the server has forgotten begins again; what it refuses ends with its sentence.
 */

/** @import { HttpAnswer, UploadEnvironment } from "../model/types.js" */

/** Delays between attempts, in ms: each is shortened by a random part of up to a half. */
const FIRST_DELAY = 1_000;
const MAX_DELAY = 30_000;
/** Attempts in a row that the server may put off before its reason is shown. */
const MAX_PUT_OFF = 6;
/** Time without any progress after which a connection counts as broken, in ms: browsers do not tell of one that is dead. */
const STALL = 60_000;

const VERSION = { "Tus-Resumable": "1.0.0" };

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
    /** Why it was refused; "" if the server did not say. */
    this.reason = "";
    /** Path of the file on the server, such as `/f/ID/NAME`, once it is there. */
    this.path = "";
    /** Path of the upload; "" if none has begun. */
    this.key = "";
    /** Bytes that the server has. */
    this.offset = 0;
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
        await this.attempt();
        if (this.isCancelled()) return this.abandon();
        this.sent = this.content.size;
        return this.set("done");
      } catch (error) {
        if (this.isCancelled()) return this.abandon();
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

  async attempt() {
    if (this.key !== "") await this.find();
    if (this.key === "") await this.begin();
    while (this.path === "") await this.sendRest();
  }

  async begin() {
    const name = btoa(String.fromCharCode(...new TextEncoder().encode(this.name)));
    const authorization = `Bearer ${await this.env.token()}`;
    const answer = check(await this.send("POST", "/upload", { Authorization: authorization, "Upload-Length": String(this.content.size), "Upload-Metadata": `filename ${name}` }));
    this.key = pathIn(answer.header("location"), /\/upload\/[^/?#]+$/);
    if (this.key === "") throw new UploadRefusal(answer.status, "");
    this.offset = 0;
    this.path = filePathIn(answer);
  }

  /** Asks how much of it the server has. */
  async find() {
    const answer = await this.send("HEAD", this.key, {});
    if (answer.status === 404 || answer.status === 410) this.key = "";
    else this.note(check(answer));
  }

  async sendRest() {
    const { offset, content } = this;
    const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    const answer = await this.send("PATCH", this.key, headers, content.slice(offset), offset);
    if (answer.status === 404 || answer.status === 410) this.key = "";
    // What the server has is asked for before the next attempt.
    if ([404, 409, 410].includes(answer.status)) throw new Error("out of step");
    this.note(check(answer));
    if (this.path === "" && this.offset <= offset) throw new Error("no progress");
  }

  /** Notes what the server has. @param {HttpAnswer} answer */
  note(answer) {
    const offset = Number(answer.header("upload-offset") ?? NaN);
    if (Number.isInteger(offset) && offset >= 0 && offset <= this.content.size) this.offset = offset;
    this.path = filePathIn(answer);
  }

  /** @param {string} method @param {string} path @param {Record<string, string>} headers @param {Blob | null} [body] @param {number} [from] Bytes before those of the body. */
  async send(method, path, headers, body = null, from = 0) {
    const aborter = this.aborter = new AbortController();
    let stop = this.env.later(STALL, () => aborter.abort());
    const progress = (/** @type {number} */ sent) => {
      stop();
      stop = this.env.later(STALL, () => aborter.abort());
      if (this.isCancelled() || body === null) return;
      this.sent = Math.min(from + sent, this.content.size);
      if (sent > 0) this.failures = this.putOff = 0;
      this.env.changed();
    };
    try {
      return await this.env.request({ method, path, headers: { ...VERSION, ...headers }, body, signal: aborter.signal, progress });
    } finally {
      stop();
    }
  }

  /** Ends it. */
  cancel() {
    if (this.state === "cancelled") return;
    const { state } = this;
    this.set("cancelled");
    this.aborter.abort();
    this.wake();
    // Otherwise `run` does that, when it knows what has begun.
    if (state === "done" || state === "refused") this.abandon();
  }

  /** Has the server remove what it has of it. */
  abandon() {
    if (this.key === "") return;
    const { signal } = new AbortController();
    this.env.request({ method: "DELETE", path: this.key, headers: VERSION, body: null, signal, progress: () => {} }).catch(() => {});
    this.key = "";
  }
}

/** Refusal of a request, with the sentence of the server if there is one. */
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
  throw new UploadRefusal(status, text.trim().slice(0, 500));
}

/** Returns the path at the end of an address, whatever host it names: a relay has another one. "" if there is none. @param {string | null} address @param {RegExp} pattern */
function pathIn(address, pattern) {
  return pattern.exec(address ?? "")?.[0] ?? "";
}

/** Path of the file, once all of it is there. @param {HttpAnswer} answer */
function filePathIn(answer) {
  return pathIn(answer.header("content-location"), /\/f\/[\w-]{22}(?:\/[^/?#]*)?$/);
}
