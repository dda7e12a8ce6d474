/**
 * The login, without IO: lines of the server in, lines to send out (https://ircv3.net/specs/extensions/sasl-3.2,
 * https://ircv3.net/specs/extensions/account-registration).
 */

import { cleanLine } from "../wire/clean.js";
import { formatMessage, parseMessage } from "../wire/message.js";

/**
 * @typedef {{ type: "external", account: string }
 *   | { type: "plain", account: string, password: string }
 *   | { type: "invite", account: string, password: string, token: string }} Credentials
 * @typedef {{ type: "more" }
 *   | { type: "done", nick: string, caps: Set<string> }
 *   | { type: "failed", reason: string, isRefused: boolean }} Step `isRefused` is set if the same login would fail again.
 */

/** Capabilities that the model uses. Without the first ones it cannot tell which reply is for what. */
const NEEDED = ["sasl", "batch", "labeled-response", "message-tags", "server-time", "echo-message"];
const WANTED = [
  "account-tag", "away-notify", "cap-notify", "draft/channel-rename", "draft/chathistory", "draft/event-playback",
  "draft/message-redaction", "draft/metadata-3", "draft/multiline", "draft/no-implicit-names", "draft/read-marker",
  "extended-monitor", "invite-notify", "multi-prefix", "no-implicit-names", "parlour/send-id", "setname", "soju.im/search",
  "standard-replies",
];

/** Length of one argument of AUTHENTICATE. */
const CHUNK = 400;

export class Login {
  /**
   * @param {Credentials} credentials
   * @param {(line: string) => void} write
   */
  constructor(credentials, write) {
    this.credentials = credentials;
    this.write = write;
    /** @type {Map<string, string>} */
    this.offered = new Map();
    /** @type {Set<string>} */
    this.caps = new Set();
    this.isAuthenticated = false;
  }

  start() {
    const { credentials } = this;
    const { account } = credentials;
    if (credentials.type === "invite") this.send("PASS", credentials.token);
    this.send("CAP", "LS", "302");
    this.send("NICK", account);
    this.send("USER", account, "0", "*", account);
  }

  /**
   * @param {string} command
   * @param {...string} params
   */
  send(command, ...params) {
    this.write(formatMessage(command, params));
  }

  /**
   * @param {string} line
   * @returns {Step}
   */
  receive(line) {
    const message = parseMessage(line);
    const { command = "", params = [] } = message ?? {};
    const reason = cleanLine(params[params.length - 1] ?? "");
    if (command === "CAP") return this.receiveCaps(params);
    if (command === "AUTHENTICATE" && params[0] === "+") this.sendCredentials();
    else if (command === "903" || (command === "REGISTER" && params[0] === "SUCCESS")) this.finish();
    else if (command === "PING") this.send("PONG", params[0] ?? "");
    else if (command === "001" && this.isAuthenticated) return { type: "done", nick: params[0] ?? this.credentials.account, caps: this.caps };
    else if (command === "FAIL" || /^(90[24-8]|43[23]|464)$/.test(command)) return { type: "failed", reason, isRefused: true };
    else if (command === "ERROR" || command === "001" || (/^[45]\d\d$/.test(command) && command !== "422")) {
      return { type: "failed", reason, isRefused: false };
    }
    return { type: "more" };
  }

  /**
   * @param {string[]} params
   * @returns {Step}
   */
  receiveCaps(params) {
    const list = (params[params.length - 1] ?? "").split(" ").filter((cap) => cap !== "");
    if (params[1] === "LS") {
      for (const cap of list) {
        const [name = "", ...value] = cap.split("=");
        this.offered.set(name, value.join("="));
      }
      if (params[2] === "*" && params.length > 3) return { type: "more" };
      const needed = this.credentials.type === "invite" ? [...NEEDED, "draft/account-registration"] : NEEDED;
      const missing = needed.find((cap) => !this.offered.has(cap));
      if (missing !== undefined) return { type: "failed", reason: `CAP ${missing}`, isRefused: true };
      this.send("CAP", "REQ", [...needed, ...WANTED].filter((cap) => this.offered.has(cap)).join(" "));
    } else if (params[1] === "ACK" && !this.isAuthenticated) {
      for (const cap of list) this.caps.add(cap);
      const { credentials } = this;
      if (credentials.type === "invite") this.write(`REGISTER ${credentials.account} * :${credentials.password}`);
      else this.send("AUTHENTICATE", credentials.type === "external" ? "EXTERNAL" : "PLAIN");
    } else if (params[1] === "NAK") {
      return { type: "failed", reason: `CAP ${list.join(" ")}`, isRefused: true };
    }
    return { type: "more" };
  }

  sendCredentials() {
    const { credentials } = this;
    const { account } = credentials;
    const response = credentials.type === "external" ? account : `\0${account}\0${credentials.password}`;
    const encoded = base64(response);
    for (let at = 0; at < encoded.length; at += CHUNK) this.send("AUTHENTICATE", encoded.slice(at, at + CHUNK));
    if (encoded.length % CHUNK === 0) this.send("AUTHENTICATE", "+");
  }

  finish() {
    this.isAuthenticated = true;
    this.send("CAP", "END");
  }
}

/** @param {string} text */
function base64(text) {
  return globalThis.btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
