/**
 * The login, without IO: lines of the server in, lines to send out (https://ircv3.net/specs/extensions/sasl-3.2,
 * https://ircv3.net/specs/extensions/account-registration).
 */

import { cleanLine } from "../wire/clean.js";
import { formatMessage, parseMessage } from "../wire/message.js";

/** @import { Credentials, LoginStep } from "../model/types.js" */

/** Capabilities that the model uses. Without the first ones it cannot tell which reply is for what. */
const NEEDED = ["sasl", "batch", "labeled-response", "message-tags", "server-time", "echo-message"];
const WANTED = (
  "account-tag away-notify cap-notify draft/channel-rename draft/chathistory draft/event-playback draft/message-redaction " +
  "draft/metadata-3 draft/multiline draft/no-implicit-names draft/read-marker extended-monitor invite-notify multi-prefix " +
  "no-implicit-names parlour/send-id setname soju.im/search standard-replies"
).split(" ");

/** Length of one argument of AUTHENTICATE. */
const CHUNK = 400;

/** @type {LoginStep} */
const MORE = { type: "more" };

/** @type {(code: string, reason: string, isRefused: boolean) => LoginStep} */
const failed = (code, reason, isRefused) => ({ type: "failed", code, reason, isRefused });

export class Login {
  /** @param {Credentials} credentials @param {(line: string) => void} write */
  constructor(credentials, write) {
    this.credentials = credentials;
    this.write = write;
    /** @type {Set<string>} */
    this.offered = new Set();
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

  /** @param {string} command @param {...string} params */
  send(command, ...params) {
    this.write(formatMessage(command, params));
  }

  /** @param {string} line @returns {LoginStep} */
  receive(line) {
    const { command = "", params = [] } = parseMessage(line) ?? {};
    const [first = ""] = params;
    const reason = cleanLine(params.at(-1) ?? "");
    if (command === "CAP") return this.receiveCaps(params);
    if (command === "AUTHENTICATE" && first === "+") this.sendCredentials();
    else if (command === "903" || (command === "REGISTER" && first === "SUCCESS")) {
      this.isAuthenticated = true;
      this.send("CAP", "END");
    } else if (command === "PING") this.send("PONG", first);
    else if (command === "001" && this.isAuthenticated) return { type: "done", nick: first, caps: this.caps };
    else if (command === "FAIL") return failed(params[1] ?? "", reason, true);
    // The server may be too busy to check a password.
    else if (/^(90[24-8]|43[23]|464)$/.test(command)) return failed(command, reason, !/try again in/i.test(reason));
    else if (/^(ERROR|001|[45]\d\d)$/.test(command) && command !== "422") return failed(command, reason, false);
    return MORE;
  }

  /** @param {string[]} params @returns {LoginStep} */
  receiveCaps(params) {
    const { credentials } = this;
    const list = (params.at(-1) ?? "").split(" ").filter((cap) => cap !== "");
    if (params[1] === "LS") {
      for (const cap of list) this.offered.add(cap.replace(/=.*/, ""));
      if (params[2] === "*" && params.length > 3) return MORE;
      const needed = credentials.type === "invite" ? [...NEEDED, "draft/account-registration"] : NEEDED;
      const missing = needed.find((cap) => !this.offered.has(cap));
      if (missing !== undefined) return failed("CAP", missing, true);
      this.send("CAP", "REQ", [...needed, ...WANTED].filter((cap) => this.offered.has(cap)).join(" "));
    } else if (params[1] === "ACK" && !this.isAuthenticated) {
      for (const cap of list) this.caps.add(cap);
      if (credentials.type === "invite") this.write(`REGISTER ${credentials.account} * :${credentials.password}`);
      else this.send("AUTHENTICATE", credentials.type === "external" ? "EXTERNAL" : "PLAIN");
    } else if (params[1] === "NAK") return failed("CAP", list.join(" "), true);
    return MORE;
  }

  sendCredentials() {
    const { credentials } = this;
    const { account } = credentials;
    const response = credentials.type === "external" ? account : `\0${account}\0${credentials.password}`;
    const encoded = btoa(String.fromCharCode(...new TextEncoder().encode(response)));
    for (let at = 0; at < encoded.length; at += CHUNK) this.send("AUTHENTICATE", encoded.slice(at, at + CHUNK));
    if (encoded.length % CHUNK === 0) this.send("AUTHENTICATE", "+");
  }
}
