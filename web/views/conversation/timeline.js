/**
 * The messages of a conversation. Only the rows near the visible part are in the document, so that a hundred thousand
 * messages cost as much as a hundred. The position is held by a row, not by pixels: rows that are measured, loaded or
 * changed above it do not move it.
 */

import { fillWith, h } from "../parts/dom.js";
import { continuesGroup, isLong, MAX_LOOK_BACK, renderRow } from "./row.js";
import { loaded } from "../later.js";
import { startOfDay, t } from "../../text/index.js";

/** @import { Entry } from "../../model/types.js" */
/** @import { App } from "../app.js" */
/** @import { Quote, Shape } from "../types.js" */

/** Pixels beyond the visible part that are drawn. */
const OVERSCAN = 700;
/** Distance from an end of the loaded part at which more is loaded, in pixels. */
const LOAD_DISTANCE = 1500;

export class TimelineView {
  /** @param {App} app @param {string} name */
  constructor(app, name) {
    this.app = app;
    this.name = name;
    this.timeline = app.store.timeline(name);
    this.rows = h("div", "rows");
    this.loading = h("div", "loading", { role: "status" });
    this.greeting = h("div", "");
    this.scroller = h("div", "scroller", { tabIndex: 0, role: "region", "aria-label": t("messages"), onscroll: () => this.onScroll() }, h("div", ""), this.loading, this.greeting, this.rows);
    this.element = h("div", "timeline", null, this.scroller);
    /** Buttons over the messages. @type {{ latest: HTMLElement, unread: HTMLElement } | null} */
    this.jumps = null;
    /** @type {Map<string, { node: HTMLElement, signature: string }>} */
    this.drawn = new Map();
    /** Measured heights by row. @type {Map<string, number>} */
    this.measured = new Map();
    /** Heights by index, measured or estimated. @type {number[]} */
    this.heights = [];
    this.offsets = new Float64Array(1);
    this.isStale = true;
    /** Follows the latest message, until the reader scrolls away from it. */
    this.sticks = true;
    /** Heights of the visible part and of its content when they were drawn. */
    this.size = { visible: 0, content: 0 };
    /** @type {{ row: string, offset: number } | null} */
    this.anchor = null;
    /** Rows whose run or whose long text the user has unfolded. @type {Set<string>} */
    this.unfolded = new Set();
    /** @type {Map<string, Quote>} */
    this.quotes = new Map();
    /** @type {Map<string, number>} */
    this.replies = new Map();
    /** Row of the selected message. @type {string | null} */
    this.selected = null;
    this.bounds = { length: 0, solid: 0, first: "", last: "", version: -1, settings: "" };
    this.seenNewRow = false;
    this.resize = new ResizeObserver(() => this.onResize());
    this.resize.observe(this.scroller);
    this.width = 0;
    /** The newest row, while all new ones are received: what follows it was not there before. @type {Entry | null} */
    this.newest = null;
  }

  destroy() {
    this.resize.disconnect();
  }

  onResize() {
    if (this.scroller.clientWidth !== this.width) {
      this.width = this.scroller.clientWidth;
      this.measured.clear();
    }
    this.draw();
  }

  onScroll() {
    const { visible, content } = this.size;
    // Another size scrolls, too, by itself. Only the reader chooses another place.
    if (visible === this.scroller.clientHeight && content === this.scroller.scrollHeight) {
      this.sticks = this.isAtEnd();
      this.keepAnchor();
    }
    this.draw();
  }

  /** Whether the end is in sight, and the latest message stands there, or will once what is missing before it is loaded. */
  isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return !this.timeline.isApart && scrollTop + clientHeight >= scrollHeight - 4;
  }

  /** Distance of the visible part from the top of the rows. */
  get top() {
    return this.scroller.scrollTop - this.rows.offsetTop;
  }

  /** Remembers the first visible row and its place. */
  keepAnchor() {
    const index = Math.max(0, this.indexAt(this.top));
    const entry = this.timeline.at(index);
    this.anchor = entry ? { row: entry.row, offset: this.offsets[index] - this.top } : null;
  }

  /** Index of the row at this distance from the top. @param {number} top */
  indexAt(top) {
    let [low, high] = [0, this.heights.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] <= top) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.heights.length - 1);
  }

  /** Brings the heights in line with the rows of the model. */
  sync() {
    const { timeline, bounds } = this;
    const settings = this.app.viewSettings();
    if (bounds.version === timeline.version && bounds.settings === settings) return;
    const length = timeline.length;
    // Messages that are not confirmed stand at the end, and new ones come in before them.
    let solid = length;
    while (solid > 0 && timeline.at(solid - 1)?.status !== "sent") solid--;
    const first = timeline.at(0)?.row ?? "";
    const last = timeline.at(solid - 1)?.row ?? "";
    const same = bounds.settings === settings && bounds.solid > 0;
    if (same && bounds.first === first && timeline.at(bounds.solid - 1)?.row === bounds.last) {
      this.estimate(Math.max(0, bounds.solid - 1), length);
      this.countReplies(bounds.length);
    } else {
      const old = same ? timeline.indexOfRow(bounds.first) : -1;
      if (old > 0 && timeline.at(old + bounds.solid - 1)?.row === bounds.last && old + bounds.length === length) {
        this.heights = new Array(old).fill(0).concat(this.heights);
        this.estimate(0, old + 1);
      } else {
        if (bounds.settings !== settings) this.measured.clear();
        this.estimate(0, length);
      }
      this.replies.clear();
      this.countReplies(0);
    }
    Object.assign(bounds, { length, solid, first, last, version: timeline.version, settings });
    this.isStale = true;
    loaded.announceNew?.(this);
  }

  /** @param {number} from */
  countReplies(from) {
    for (let index = from; index < this.timeline.length; index++) {
      const answered = this.timeline.at(index)?.replyTo;
      if (answered) this.replies.set(answered, (this.replies.get(answered) ?? 0) + 1);
    }
  }

  /** @param {number} from @param {number} to */
  estimate(from, to) {
    this.heights.length = this.timeline.length;
    for (let index = from; index < to; index++) {
      const entry = /** @type {Entry} */ (this.timeline.at(index));
      this.heights[index] = this.isHidden(index, entry) ? 0 : this.measured.get(entry.row) ?? guess(entry, this.width);
    }
  }

  /** Returns whether a row takes no place. Events and what ignored accounts wrote come with what completes the first view. @param {number} index @param {Entry} entry */
  isHidden(index, entry) {
    return loaded.isHidden ? loaded.isHidden(this, index, entry) : entry.kind === "event" || entry.isIgnored;
  }

  sum() {
    if (!this.isStale) return;
    const length = this.heights.length;
    if (this.offsets.length < length + 1) this.offsets = new Float64Array(Math.ceil((length + 1) * 1.25));
    let offset = 0;
    for (let index = 0; index < length; index++) {
      this.offsets[index] = offset;
      offset += this.heights[index];
    }
    this.offsets[length] = offset;
    this.isStale = false;
  }

  draw() {
    if (!this.scroller.isConnected || this.scroller.clientHeight === 0) return;
    this.sync();
    this.drawEnds();
    for (let pass = 0; pass < 4 && this.drawRows(); pass++);
    this.size = { visible: this.scroller.clientHeight, content: this.scroller.scrollHeight };
    this.sticks ||= this.isAtEnd();
    loaded.drawJumps?.(this);
    this.loadMore();
    this.markRead();
  }

  /** Draws the rows near the visible part and measures the new ones. Returns whether heights changed, so that others may have come into sight. */
  drawRows() {
    this.sum();
    this.restore();
    const { timeline, top } = this;
    const from = Math.max(0, this.indexAt(top - OVERSCAN));
    const to = this.heights.length ? this.indexAt(top + this.scroller.clientHeight + OVERSCAN) + 1 : 0;
    const wanted = new Map();
    /** @type {{ index: number, node: HTMLElement, row: string }[]} */
    const fresh = [];
    for (let index = from; index < to; index++) {
      const entry = timeline.at(index);
      if (!entry || this.heights[index] === 0 && this.isHidden(index, entry)) continue;
      const { row } = entry;
      const shape = this.shapeOf(index, entry);
      const signature = `${this.bounds.settings}${this.app.store.trustedName(entry.from)}|${signatureOf(entry, shape)}`;
      let drawn = this.drawn.get(row);
      if (drawn?.signature !== signature) {
        const node = renderRow(this.app, entry, shape, this.name);
        this.replaceNode(drawn?.node, node, row);
        drawn = { node, signature };
        this.measured.delete(row);
      }
      if (!this.measured.has(row)) fresh.push({ index, node: drawn.node, row });
      wanted.set(row, drawn);
    }
    // First, so that those that stay are not moved.
    for (const [row, { node }] of this.drawn) if (!wanted.has(row)) node.remove();
    this.drawn = wanted;
    let place = this.rows.firstChild;
    for (const { node } of wanted.values()) {
      if (node === place) place = node.nextSibling;
      else this.rows.insertBefore(node, place);
    }
    const changed = this.measure(fresh);
    this.sum();
    this.rows.style.paddingTop = `${this.offsets[from] ?? 0}px`;
    this.rows.style.paddingBottom = `${(this.offsets[this.heights.length] ?? 0) - (this.offsets[to] ?? 0) + 12}px`;
    this.restore();
    return changed;
  }

  /** @param {{ index: number, node: HTMLElement, row: string }[]} fresh */
  measure(fresh) {
    let changed = false;
    for (const { index, node, row } of fresh) {
      const { height } = node.getBoundingClientRect();
      this.measured.set(row, height);
      if (Math.abs(this.heights[index] - height) > 0.5) {
        this.heights[index] = height;
        changed = this.isStale = true;
      }
    }
    return changed;
  }

  /** Scrolls to where the reader is: to the end, or to the row that they see. */
  restore() {
    const { scroller, anchor, sticks } = this;
    const index = anchor && !sticks ? this.timeline.indexOfRow(anchor.row) : -1;
    const wanted = sticks ? scroller.scrollHeight - scroller.clientHeight
      : anchor && index >= 0 ? this.offsets[index] - anchor.offset + this.rows.offsetTop : scroller.scrollTop;
    if (Math.abs(scroller.scrollTop - wanted) > 0.75) scroller.scrollTop = wanted;
  }

  /** Puts a new node in the place of the old one, with its focus. @param {HTMLElement | undefined} old @param {HTMLElement} node @param {string} row */
  replaceNode(old, node, row) {
    const article = node.querySelector("article");
    article?.classList.toggle("selected", row === this.selected);
    if (!old?.isConnected) return;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(node);
    if (hadFocus) article?.focus({ preventScroll: true });
  }

  /** @param {number} index @param {Entry} entry @returns {Shape} */
  shapeOf(index, entry) {
    const { timeline } = this;
    const run = loaded.runOf?.(this, index, entry);
    const first = run?.[0] ?? entry;
    const before = this.visibleBefore(index - (run?.length ?? 1));
    const isNew = first.row === timeline.newRow;
    const newDay = !before || startOfDay(before.time) !== startOfDay(first.time);
    const answers = entry.replyTo !== null && !entry.redacted;
    const repeats = answers && !isNew && !newDay && before.replyTo === entry.replyTo && !before.redacted && !before.isIgnored;
    return {
      first: isNew || answers && !repeats || !continuesGroup(timeline, index),
      newDay,
      isNew,
      run: run && (run.length > 1 || entry.isIgnored) && !this.unfolded.has(entry.row) ? run : null,
      replies: entry.msgid && !entry.redacted ? this.replies.get(entry.msgid) ?? 0 : 0,
      quote: entry.replyTo && answers && loaded.quoteOf?.(this, entry.replyTo) || null,
      repeats,
      waits: entry.status === "pending" && this.app.store.connection().phase !== "online",
      fold: !isLong(entry) ? null : this.unfolded.has(entry.row) ? "open" : "folded",
    };
  }

  /** Returns the nearest row up to here that takes place. @param {number} index */
  visibleBefore(index) {
    let at = index;
    for (let entry = this.timeline.at(at); entry && index - at < MAX_LOOK_BACK && this.isHidden(at, entry); entry = this.timeline.at(at)) at--;
    return this.timeline.at(at);
  }

  /** Draws what stands above the rows: the greeting at the beginning, or the state of loading. */
  drawEnds() {
    const { timeline, loading, greeting } = this;
    // Outside a channel, nothing of it is loaded.
    const isBegin = timeline.atStart || this.app.store.conversation(this.name)?.joined === false;
    greeting.hidden = !isBegin;
    if (isBegin) loaded.drawGreeting?.(this.app, greeting, this.name, timeline);
    const text = timeline.error ? `${t("notLoaded")} ${timeline.error} ` : isBegin ? "" : t("loadingOlder");
    if (loading.dataset.text === text) return;
    loading.dataset.text = text;
    loading.hidden = text === "";
    fillWith(loading, text, timeline.error ? h("button", "link", { type: "button", onclick: () => this.loadMore(true) }, t("tryAgain")) : null);
  }

  /** @param {boolean} [again] */
  loadMore(again = false) {
    const { timeline, scroller } = this;
    if (timeline.loading !== "none" || !again && (timeline.error || !timeline.length)) return;
    const { actions } = this.app.store;
    if (!timeline.atStart && scroller.scrollTop < LOAD_DISTANCE) actions.loadOlder(this.name);
    else if (!timeline.atEnd && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < LOAD_DISTANCE) actions.loadNewer(this.name);
  }

  /** Tells the server what was read, once the end is on a screen that has the focus. */
  markRead() {
    if (this.sticks && this.timeline.atEnd && document.hasFocus() && document.visibilityState === "visible" && this.app.isConversationVisible()) this.app.store.actions.markRead(this.name);
  }

  toLatest() {
    this.sticks = true;
    if (!this.timeline.atEnd) this.app.store.actions.jumpToLatest(this.name);
    this.draw();
  }
}

/** @param {Entry} entry @param {Shape} shape */
function signatureOf(entry, { first, newDay, isNew, run, replies, quote, repeats, fold, waits }) {
  return `${entry.version}${entry.status}${entry.msgid}|${first}${newDay}${isNew}|${run?.length}|${replies}|${quote?.state}${quote?.from}${repeats}|${fold}${waits}`;
}

/** Estimates the height of a row that was never drawn. @param {Entry} entry @param {number} width */
function guess(entry, width) {
  if (entry.kind === "event") return 26;
  const letters = Math.max(20, (width || 700) / 8 - 10);
  return 24 + 22 * Math.min(16, Math.floor(entry.text.length / letters)) + (entry.reactions?.length ? 32 : 0);
}
