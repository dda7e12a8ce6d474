/** The choice and the handling of queries for history. The loaded part of a conversation never has a gap. */

import { makeEntries } from "./entries.js";
import { MUTED } from "./people.js";
import { Refusal } from "./requests.js";

/**
 * @typedef {import("./buffer.js").Buffer} Buffer
 * @typedef {import("./model.js").Model} Model
 * @typedef {"latest" | "older" | "newer" | "around"} Page
 */

/** Lines of one query, for the conversation on the screen and for others. */
const PAGE = 200;
const BACKGROUND_PAGE = 60;
/** Size of a result from which the server may have cut it. */
const CUT_SIZE = 256 * 1024;
/** Limit of the pages of missed messages. With more, only the latest page is loaded, and the rest as the user scrolls there. */
const MAX_MISSED_PAGES = 5;
const MAX_RETRIES = 4;
const FIRST_RETRY = 2_000;

export class History {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
  }

  /**
   * Sends the queries that are due: for the conversation on the screen, and for one other at a time, so that messages do not wait
   * behind history.
   */
  schedule() {
    const { model } = this;
    if (!model.ready) return;
    const current = model.current === null ? undefined : model.buffers.get(model.current);
    const next = current === undefined ? null : this.due(current, true);
    if (current !== undefined && next !== null) this.query(current, next, PAGE);
    const others = [...model.buffers.values()].filter((buffer) => buffer !== current);
    if (others.some((buffer) => buffer.loading !== "none")) return;
    for (const buffer of others) {
      const page = this.due(buffer, false);
      if (page !== null) return void this.query(buffer, page, buffer.extent === "unloaded" ? BACKGROUND_PAGE : PAGE);
    }
  }

  /**
   * Returns the page that a conversation needs next; `null` for none.
   * @param {Buffer} buffer
   * @param {boolean} isShown
   * @returns {Page | null}
   */
  due(buffer, isShown) {
    if (buffer.loading !== "none" || buffer.retryAt > this.model.env.now()) return null;
    if (buffer.isChannel && !buffer.joined) {
      buffer.jump?.reject(new Refusal("442", "refusal.notMember"));
      buffer.jump = null;
      return null;
    }
    if (!this.model.caps.has("draft/chathistory")) {
      if (buffer.extent !== "latest") this.withoutHistory(buffer);
      return null;
    }
    if (buffer.jump !== null) return "around";
    if (buffer.extent === "unloaded") return "latest";
    if (buffer.extent === "behind") return "newer";
    if (isShown && buffer.wantsOlder && !buffer.atStart) return "older";
    return isShown && buffer.extent === "past" && buffer.wantsNewer ? "newer" : null;
  }

  /**
   * @param {Buffer} buffer
   * @param {Page} page
   * @param {number} wanted
   */
  async query(buffer, page, wanted) {
    const { model } = this;
    const limit = Math.min(wanted, model.isupport.historyPage);
    const { generation } = buffer;
    buffer.loading = page;
    buffer.error = null;
    model.touchTimeline(buffer);
    if (buffer.extent === "unloaded" && !buffer.isChannel) model.requests.post("MARKREAD", buffer.name);
    if (buffer.extent === "unloaded" && model.hasMetadata) model.requests.post("METADATA", buffer.name, "GET", MUTED);
    const target = buffer.jump?.msgid ?? "";
    try {
      const reply = await model.requests.send("CHATHISTORY", ...command(buffer, page), String(limit));
      buffer.loading = "none";
      buffer.failures = 0;
      if (generation === buffer.generation) this.apply(buffer, page, reply, limit, target);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code !== "offline") this.fail(buffer, page, error);
    }
    model.touchTimeline(buffer);
    this.schedule();
  }

  /**
   * @param {Buffer} buffer
   * @param {Page} page
   * @param {import("./requests.js").Reply} reply
   * @param {number} limit
   * @param {string} target
   */
  apply(buffer, page, reply, limit, target) {
    const { lines, tags } = reply;
    const { entries, changes } = makeEntries(this.model, lines);
    const size = lines.reduce((sum, line) => sum + (line.params[1]?.length ?? 0), 0);
    const isLast = tags.has("draft/chathistory-end") || (lines.length < limit && size < CUT_SIZE);
    // A reaction that comes with its message has another place in the history.
    const inOrder = lines.filter((line) => line.command === "REDACT" || !line.tags.has("draft/chathistory-context"));
    const points = inOrder.map((line) => line.tags.get("msgid") ?? "").filter((id) => id !== "");
    const [first, last] = [points[0] ?? null, points[points.length - 1] ?? null];
    if (page === "around") {
      const jump = buffer.jump;
      if (jump?.msgid !== target) return;
      buffer.jump = null;
      if (!entries.some((entry) => entry.msgid === target)) {
        jump.reject(new Refusal("gone", "refusal.gone"));
        return;
      }
      buffer.clear();
      buffer.extent = "past";
      buffer.addPage(entries, false);
      [buffer.oldestPoint, buffer.newestPoint] = [first, last];
      jump.resolve(buffer.byMsgid(target)?.row ?? target);
    } else if (page === "older") {
      buffer.wantsOlder = false;
      const stands = first === null || first === buffer.oldestPoint;
      const isNew = buffer.addPage(entries, true);
      if (isLast || (stands && !isNew)) buffer.atStart = true;
      buffer.oldestPoint = first;
    } else {
      this.applyNewer(buffer, page, entries, { first, last, isLast });
    }
    for (const { msgid, change } of changes) buffer.change(msgid, change);
    buffer.recount();
    const isShown = this.model.current === buffer.key;
    if (isShown && buffer.newSince === null && buffer.unread > 0) buffer.newSince = buffer.marker;
    if (!isShown) buffer.trim();
  }

  /**
   * @param {Buffer} buffer
   * @param {Page} page
   * @param {import("./types.js").Entry[]} entries
   * @param {{ first: string | null, last: string | null, isLast: boolean }} result
   */
  applyNewer(buffer, page, entries, { first, last, isLast }) {
    buffer.wantsNewer = false;
    const isNew = buffer.addPage(entries, false);
    if (page === "latest") {
      buffer.atStart = isLast;
      buffer.oldestPoint = first;
      return buffer.caughtUp();
    }
    const stands = last === null || last === buffer.newestPoint;
    buffer.newestPoint = last;
    if (isLast || (stands && !isNew)) return buffer.caughtUp();
    buffer.pages += 1;
    if (buffer.extent === "behind" && buffer.pages >= MAX_MISSED_PAGES) {
      // The latest page comes next, and older pages as the user scrolls back.
      buffer.clear();
      buffer.pages = 0;
    }
  }

  /**
   * @param {Buffer} buffer
   * @param {Page} page
   * @param {Refusal} refusal
   */
  fail(buffer, page, refusal) {
    buffer.loading = "none";
    if (page === "around") {
      buffer.jump?.reject(refusal);
      buffer.jump = null;
      return;
    }
    [buffer.wantsOlder, buffer.wantsNewer] = [false, false];
    if (refusal.isTemporary && buffer.failures < MAX_RETRIES) {
      const wait = FIRST_RETRY << buffer.failures;
      buffer.failures += 1;
      buffer.retryAt = this.model.env.now() + wait;
      this.model.env.later(wait, () => this.schedule());
      return;
    }
    buffer.error = refusal.text;
    buffer.retryAt = Infinity;
    // Messages that arrive from now on are shown in spite of the failure.
    if (buffer.extent !== "past") buffer.caughtUp();
  }

  /** @param {Buffer} buffer */
  withoutHistory(buffer) {
    buffer.atStart = true;
    buffer.caughtUp();
    this.model.touchTimeline(buffer);
  }
}

/**
 * Returns the parameters of the query for a page, without its limit.
 * @param {Buffer} buffer
 * @param {Page} page
 */
function command(buffer, page) {
  const ids = (/** @type {import("./types.js").Entry | undefined} */ entry) => entry?.msgid ?? null;
  if (page === "around") return ["AROUND", buffer.name, `msgid=${buffer.jump?.msgid ?? ""}`];
  const isOlder = page === "older";
  const edge = isOlder
    ? (buffer.oldestPoint ?? ids(buffer.entries.find((entry) => entry.msgid !== null)))
    : (buffer.newestPoint ?? ids(buffer.entries.findLast((entry) => entry.msgid !== null)));
  if (page === "latest" || edge === null) return ["LATEST", buffer.name, "*"];
  return [isOlder ? "BEFORE" : "AFTER", buffer.name, `msgid=${edge}`];
}
