/** The choice and the handling of queries for history. The loaded part of a conversation never has a gap. */

import { makeEntries } from "./entries.js";
import { MUTED } from "./people.js";
import { Refusal } from "./requests.js";

/** @import { Buffer } from "./buffer.js" */
/** @import { Model } from "./model.js" */
/** @import { Entry, Page, Reply } from "./types.js" */

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

  /** Sends the queries that are due: for the conversation on the screen, and for one other at a time, so that messages do not wait behind history. */
  schedule() {
    const { ready, shown, buffers } = this.model;
    if (!ready) return;
    const next = shown && this.due(shown, true);
    if (shown && next) void this.query(shown, next, PAGE);
    const others = [...buffers.values()].filter((buffer) => buffer !== shown);
    if (others.some((buffer) => buffer.loading !== "none")) return;
    for (const buffer of others) {
      const page = this.due(buffer, false);
      if (page) return void this.query(buffer, page, page === "latest" ? BACKGROUND_PAGE : PAGE);
    }
  }

  /** Returns the page that a conversation needs next; `null` for none. @param {Buffer} buffer @param {boolean} isShown @returns {Page | null} */
  due(buffer, isShown) {
    const { extent, jump } = buffer;
    if (buffer.loading !== "none" || buffer.retryAt > this.model.env.now()) return null;
    if (buffer.isChannel && !buffer.joined) {
      jump?.reject(new Refusal("442", "refusal.notMember"));
      buffer.jump = null;
      return null;
    }
    if (!this.model.caps.has("draft/chathistory")) {
      if (extent !== "latest") this.withoutHistory(buffer);
      return null;
    }
    if (jump !== null) return "around";
    if (extent === "unloaded") return "latest";
    if (extent === "behind") return "newer";
    if (isShown && buffer.wantsOlder && !buffer.atStart) return "older";
    return isShown && extent === "past" && buffer.wantsNewer ? "newer" : null;
  }

  /** @param {Buffer} buffer @param {Page} page @param {number} wanted */
  async query(buffer, page, wanted) {
    const { model } = this;
    const { generation } = buffer;
    const limit = Math.min(wanted, model.isupport.historyPage);
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

  /** @param {Buffer} buffer @param {Page} page @param {Reply} reply @param {number} limit @param {string} target */
  apply(buffer, page, { lines, tags }, limit, target) {
    const { entries, changes } = makeEntries(this.model, lines);
    const size = lines.reduce((sum, line) => sum + (line.params[1]?.length ?? 0), 0);
    const isLast = tags.has("draft/chathistory-end") || (lines.length < limit && size < CUT_SIZE);
    // A reaction that comes with its message has another place in the history.
    const inOrder = lines.filter((line) => line.command === "REDACT" || !line.tags.has("draft/chathistory-context"));
    const points = inOrder.map((line) => line.tags.get("msgid") ?? "").filter((id) => id !== "");
    const [first, last] = [points.at(0) ?? null, points.at(-1) ?? null];
    if (page === "around") {
      if (!this.model.rest?.arrive(buffer, entries, target, first, last)) return;
    } else if (page === "older") {
      buffer.wantsOlder = false;
      const stands = first === null || first === buffer.oldestPoint;
      const isNew = buffer.addPage(entries, true);
      if (isLast || (stands && !isNew)) buffer.atStart = true;
      buffer.oldestPoint = first;
    } else {
      this.applyNewer(buffer, page, entries, first, last, isLast);
    }
    for (const { msgid, change } of changes) buffer.change(msgid, change);
    buffer.recount();
    if (this.model.shown !== buffer) buffer.trim();
    else if (buffer.newSince === null && buffer.unread > 0) buffer.newSince = buffer.marker;
  }

  /** @param {Buffer} buffer @param {Page} page @param {Entry[]} entries @param {string | null} first @param {string | null} last @param {boolean} isLast */
  applyNewer(buffer, page, entries, first, last, isLast) {
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
    if (buffer.extent !== "behind" || buffer.pages < MAX_MISSED_PAGES) return;
    // The latest page comes next, and older pages as the user scrolls back.
    buffer.clear();
    buffer.pages = 0;
  }

  /** @param {Buffer} buffer @param {Page} page @param {Refusal} refusal */
  fail(buffer, page, refusal) {
    buffer.loading = "none";
    if (page === "around") {
      buffer.jump?.reject(refusal);
      buffer.jump = null;
      return;
    }
    buffer.wantsOlder = buffer.wantsNewer = false;
    if (refusal.isTemporary && buffer.failures < MAX_RETRIES) {
      const wait = FIRST_RETRY << buffer.failures++;
      buffer.retryAt = this.model.env.now() + wait;
      return this.model.env.later(wait, () => this.schedule());
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

/** Returns the parameters of the query for a page, without its limit. @param {Buffer} buffer @param {Page} page */
function command({ name, jump, entries, oldestPoint, newestPoint }, page) {
  if (page === "around") return ["AROUND", name, `msgid=${jump?.msgid ?? ""}`];
  const hasId = (/** @type {Entry} */ entry) => entry.msgid !== null;
  const edge = page === "older" ? oldestPoint ?? entries.find(hasId)?.msgid : newestPoint ?? entries.findLast(hasId)?.msgid;
  if (page === "latest" || !edge) return ["LATEST", name, "*"];
  return [page === "older" ? "BEFORE" : "AFTER", name, `msgid=${edge}`];
}
