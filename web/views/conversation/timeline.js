/**
 * The messages of a conversation. Only the rows near the visible part are in the document, so that a hundred thousand
 * messages cost as much as a hundred. The position is held by a row, not by pixels: rows that are measured, loaded or
 * changed above it do not move it.
 */

import { fillWith, h, icon } from "../parts/dom.js";
import { describeEvent } from "./events.js";
import { continuesGroup, isFolded, isMembership, renderRow } from "./row.js";
import { startOfDay, t } from "../../text/index.js";

/**
 * @import { Entry } from "../../model/types.js"
 * @import { App } from "../app.js"
 * @import { Quote, Shape } from "./row.js"
 */

/** Pixels beyond the visible part that are drawn. */
const OVERSCAN = 700;
/** Distance from an end of the loaded part at which more is loaded, in pixels. */
const LOAD_DISTANCE = 1500;
/** Limit of the rows of one folded run. */
const MAX_RUN = 200;

export class TimelineView {
  /** @param {App} app @param {string} name */
  constructor(app, name) {
    this.app = app;
    this.name = name;
    this.timeline = app.store.timeline(name);
    this.rows = h("div", "rows", null);
    this.loading = h("div", "loading", { role: "status" });
    this.greeting = h("div", "", null);
    this.scroller = h("div", "scroller", { tabIndex: 0, role: "region", "aria-label": t("messages"), onscroll: () => this.onScroll() }, h("div", ""), this.loading, this.greeting, this.rows);
    this.latest = h("button", "to-latest", { type: "button", hidden: true, onclick: () => this.toLatest() });
    this.unread = h("div", "to-unread", { hidden: true },
      h("button", "", { type: "button", onclick: () => this.toUnread() }, t("toUnread")));
    this.element = h("div", "timeline", null, this.scroller, this.latest, this.unread);
    /** @type {Map<string, { node: HTMLElement, signature: string }>} */
    this.drawn = new Map();
    /** Measured heights by row. @type {Map<string, number>} */
    this.measured = new Map();
    /** Heights by index, measured or estimated. @type {number[]} */
    this.heights = [];
    this.offsets = new Float64Array(1);
    this.isStale = true;
    /** Sticks to the latest message. */
    this.sticks = true;
    /** @type {{ row: string, offset: number } | null} */
    this.anchor = null;
    /** Rows whose run the user has unfolded. @type {Set<string>} */
    this.unfolded = new Set();
    /** @type {Map<string, Quote>} */
    this.quotes = new Map();
    /** @type {Map<string, number>} */
    this.replies = new Map();
    /** @type {string | null} */
    this.selected = null;
    this.bounds = { length: 0, solid: 0, first: "", last: "", version: -1, settings: "" };
    this.seenNewRow = false;
    this.resize = new ResizeObserver(() => this.onResize());
    this.resize.observe(this.scroller);
    this.width = 0;
    /** Entries that were there or were announced. @type {WeakSet<Entry>} */
    this.known = new WeakSet();
    /** Set once the latest messages were loaded. */
    this.isLive = false;
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
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    this.sticks = this.timeline.atEnd && scrollTop + clientHeight >= scrollHeight - 4;
    this.keepAnchor();
    this.draw();
  }

  /** Remembers the first visible row and its place. */
  keepAnchor() {
    const top = this.scroller.scrollTop - this.rows.offsetTop;
    const index = Math.max(0, this.indexAt(top));
    const entry = this.timeline.at(index);
    this.anchor = entry ? { row: entry.row, offset: this.offsets[index] - top } : null;
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

  /** Takes over changes of the model, and draws. */
  update() {
    this.draw();
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
      this.countReplies(bounds.length, length);
    } else {
      const old = same ? timeline.indexOfRow(bounds.first) : -1;
      if (old > 0 && timeline.at(old + bounds.solid - 1)?.row === bounds.last && old + bounds.length === length) {
        this.heights = new Array(old).fill(0).concat(this.heights);
        this.estimate(0, old + 1);
      } else {
        if (bounds.settings !== settings) this.measured.clear();
        this.heights.length = length;
        this.estimate(0, length);
      }
      this.replies.clear();
      this.countReplies(0, length);
    }
    Object.assign(bounds, { length, solid, first, last, version: timeline.version, settings });
    this.isStale = true;
    this.announce();
  }

  /** @param {number} from @param {number} to */
  countReplies(from, to) {
    for (let index = from; index < to; index++) {
      const answered = this.timeline.at(index)?.replyTo;
      if (answered) this.replies.set(answered, (this.replies.get(answered) ?? 0) + 1);
    }
  }

  /** @param {number} from @param {number} to */
  estimate(from, to) {
    for (let index = from; index < to; index++) {
      const entry = /** @type {Entry} */ (this.timeline.at(index));
      this.heights[index] = this.isHidden(index, entry) ? 0 : this.measured.get(entry.row) ?? guess(entry, this.width);
    }
    if (to === this.timeline.length) this.heights.length = to;
  }

  /** Returns whether a row takes no place: it is folded into the next one, or the settings hide it. @param {number} index @param {Entry} entry */
  isHidden(index, entry) {
    if (isMembership(entry) && !this.app.store.settings().showJoins) return true;
    const next = this.timeline.at(index + 1);
    return isFolded(entry, next, next?.row === this.timeline.newRow) && !this.unfolded.has(this.runEnd(index));
  }

  /** Returns the row at the end of the run of a row. @param {number} index */
  runEnd(index) {
    let at = index;
    for (; at - index < MAX_RUN; at++) {
      const [entry, next] = [this.timeline.at(at), this.timeline.at(at + 1)];
      if (!entry || !isFolded(entry, next, next?.row === this.timeline.newRow)) break;
    }
    return this.timeline.at(at)?.row ?? "";
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
    this.drawButtons();
    this.loadMore();
    this.markRead();
  }

  /**
   * Draws the rows near the visible part and measures the new ones. Returns whether heights changed, so that others may
   * have come into sight.
   */
  drawRows() {
    this.sum();
    const { scroller, timeline } = this;
    this.restore();
    const top = scroller.scrollTop - this.rows.offsetTop;
    const from = Math.max(0, this.indexAt(top - OVERSCAN));
    const to = this.heights.length ? this.indexAt(top + scroller.clientHeight + OVERSCAN) + 1 : 0;
    const wanted = new Map();
    /** @type {{ index: number, node: HTMLElement, row: string }[]} */
    const fresh = [];
    /** @type {HTMLElement | null} */
    let before = null;
    for (let index = from; index < to; index++) {
      const entry = timeline.at(index);
      if (!entry || this.heights[index] === 0 && this.isHidden(index, entry)) continue;
      const shape = this.shapeOf(index, entry);
      const signature = `${this.bounds.settings}${this.app.store.trustedName(entry.from)}|${signatureOf(entry, shape)}`;
      let drawn = this.drawn.get(entry.row);
      if (drawn?.signature !== signature) {
        const node = renderRow(this.app, entry, shape, this.name);
        this.replaceNode(drawn?.node, node, entry);
        drawn = { node, signature };
        fresh.push({ index, node, row: entry.row });
      } else if (!this.measured.has(entry.row)) {
        fresh.push({ index, node: drawn.node, row: entry.row });
      }
      wanted.set(entry.row, drawn);
      /** @type {ChildNode | null} */
      const expected = before ? before.nextSibling : this.rows.firstChild;
      if (drawn.node !== expected) this.rows.insertBefore(drawn.node, expected);
      before = drawn.node;
    }
    for (const [row, { node }] of this.drawn) if (!wanted.has(row)) node.remove();
    this.drawn = wanted;
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
      const height = node.getBoundingClientRect().height;
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
    const { scroller } = this;
    const index = this.anchor && !this.sticks ? this.timeline.indexOfRow(this.anchor.row) : -1;
    const wanted = this.sticks ? scroller.scrollHeight - scroller.clientHeight
      : index >= 0 && this.anchor ? this.offsets[index] - this.anchor.offset + this.rows.offsetTop : scroller.scrollTop;
    if (Math.abs(scroller.scrollTop - wanted) > 0.75) scroller.scrollTop = wanted;
  }

  /** Puts a new node in the place of the old one, with its focus. @param {HTMLElement | undefined} old @param {HTMLElement} node @param {Entry} entry */
  replaceNode(old, node, entry) {
    const article = node.querySelector("article");
    if (article && entry.row === this.selected) article.classList.add("selected");
    if (!old?.isConnected) return;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(node);
    if (hadFocus) article?.focus({ preventScroll: true });
  }

  /** @param {number} index @param {Entry} entry @returns {Shape} */
  shapeOf(index, entry) {
    const before = this.timeline.at(index - 1);
    const run = this.runOf(index, entry);
    const start = run ? this.timeline.at(index - run.length) : before;
    const time = run ? run[0].time : entry.time;
    return {
      first: !continuesGroup(this.timeline, index) || entry.row === this.timeline.newRow,
      newDay: start ? startOfDay(start.time) !== startOfDay(time) : this.timeline.atStart || index === 0,
      isNew: entry.row === this.timeline.newRow || run !== null && run[0].row === this.timeline.newRow,
      run: run && (run.length > 1 || entry.isIgnored) && !this.unfolded.has(entry.row) ? run : null,
      replies: entry.msgid && !entry.redacted ? this.replies.get(entry.msgid) ?? 0 : 0,
      quote: entry.replyTo && !entry.redacted ? this.quoteOf(entry.replyTo) : null,
    };
  }

  /** Returns the run that ends with a row; `null` if it is none. @param {number} index @param {Entry} entry */
  runOf(index, entry) {
    if (!isMembership(entry) && !entry.isIgnored) return null;
    const run = [entry];
    while (run.length < MAX_RUN) {
      const before = this.timeline.at(index - run.length);
      if (!before || !isFolded(before, run[0], run[0].row === this.timeline.newRow)) break;
      run.unshift(before);
    }
    return run;
  }

  /** @param {string} msgid @returns {Quote} */
  quoteOf(msgid) {
    const entry = this.timeline.byMsgid(msgid);
    if (entry) return { from: entry.from, text: entry.text, state: entry.redacted ? "gone" : "loaded" };
    const known = this.quotes.get(msgid);
    if (known) return known;
    const loading = { from: "", text: "", state: /** @type {const} */ ("loading") };
    this.quotes.set(msgid, loading);
    this.app.store.actions.message(this.name, msgid).catch(() => null).then((found) => {
      this.quotes.set(msgid, { from: found?.from ?? "", text: found?.text ?? "", state: found && !found.isGone ? "loaded" : "gone" });
      this.draw();
    });
    return loading;
  }

  /** Draws what stands above the rows: the greeting at the beginning, or the state of loading. */
  drawEnds() {
    const { timeline } = this;
    const atTop = timeline.atStart;
    this.greeting.hidden = !atTop;
    if (atTop) this.app.drawGreeting(this.greeting, this.name, timeline);
    const text = timeline.error ? `${t("notLoaded")} ${timeline.error}` : atTop ? "" : t("loadingOlder");
    if (this.loading.dataset.text === text) return;
    this.loading.dataset.text = text;
    this.loading.hidden = text === "";
    fillWith(this.loading, text, timeline.error ? " " : null,
      timeline.error ? h("button", "link", { type: "button", onclick: () => this.loadMore(true) }, t("tryAgain")) : null);
  }

  /** @param {boolean} [again] */
  loadMore(again = false) {
    const { timeline, scroller } = this;
    if (timeline.loading !== "none" || timeline.error && !again || !timeline.length && !again) return;
    const { actions } = this.app.store;
    if (!timeline.atStart && scroller.scrollTop < LOAD_DISTANCE) actions.loadOlder(this.name);
    else if (!timeline.atEnd && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < LOAD_DISTANCE) actions.loadNewer(this.name);
  }

  drawButtons() {
    const { timeline } = this;
    const away = !this.sticks && (timeline.length > 0);
    if (away === this.latest.hidden) {
      this.latest.hidden = !away;
      fillWith(this.latest, icon("down"), t("toLatest"));
    }
    const index = timeline.newRow === null ? -1 : timeline.indexOfRow(timeline.newRow);
    const top = this.scroller.scrollTop - this.rows.offsetTop;
    if (index >= 0 && this.offsets[index] >= top - 40) this.seenNewRow = true;
    this.unread.hidden = index < 0 || this.seenNewRow;
  }

  /** Tells the server what was read, once the end is on a screen that has the focus. */
  markRead() {
    if (this.sticks && document.hasFocus() && document.visibilityState === "visible" && this.app.isConversationVisible()) this.app.store.actions.markRead(this.name);
  }

  toLatest() {
    this.sticks = true;
    if (!this.timeline.atEnd) this.app.store.actions.jumpToLatest(this.name);
    this.draw();
  }

  toUnread() {
    if (this.timeline.newRow !== null) this.show(this.timeline.newRow, 60);
    this.seenNewRow = true;
    this.draw();
  }

  /** Scrolls a row into sight, at this distance from the top. @param {string} row @param {number} [offset] */
  show(row, offset = this.scroller.clientHeight / 3) {
    this.sync();
    this.sum();
    this.sticks = false;
    this.anchor = { row, offset };
    this.draw();
    this.keepAnchor();
  }

  /** Shows a message, which is loaded if it has to be, and lights it up. @param {string} msgid */
  async jumpTo(msgid) {
    const row = await this.app.store.actions.jumpTo(this.name, msgid);
    this.show(row);
    this.select(row, true);
    const article = this.drawn.get(row)?.node.querySelector("article");
    article?.classList.add("flash");
    setTimeout(() => article?.classList.remove("flash"), 1600);
  }

  /** Marks a message as the selected one. @param {string | null} row @param {boolean} [focus] */
  select(row, focus = false) {
    for (const [key, { node }] of this.drawn) node.querySelector("article")?.classList.toggle("selected", key === row);
    this.selected = row;
    if (row !== null && focus) this.drawn.get(row)?.node.querySelector("article")?.focus({ preventScroll: true });
  }

  /** Selects the next message in a direction, or the latest one. @param {-1 | 1} step */
  selectNext(step) {
    let index = this.selected === null ? this.timeline.length : this.timeline.indexOfRow(this.selected);
    for (index += step; index >= 0 && index < this.timeline.length; index += step) {
      const entry = this.timeline.at(index);
      if (entry && entry.kind !== "event" && !this.isHidden(index, entry)) {
        this.reveal(entry.row);
        this.select(entry.row, true);
        return true;
      }
    }
    return false;
  }

  /** Scrolls as far as it takes to see a row. @param {string} row */
  reveal(row) {
    const index = this.timeline.indexOfRow(row);
    const top = this.scroller.scrollTop - this.rows.offsetTop;
    const height = this.scroller.clientHeight;
    if (this.offsets[index] < top) this.show(row, 24);
    else if (this.offsets[index + 1] > top + height) this.show(row, Math.max(0, height - this.heights[index] - 16));
  }

  /** Reads new messages of others out to screen readers. */
  announce() {
    const { timeline, known } = this;
    const fresh = [];
    // Without a known message before them, they were there before: a jump to the end has loaded them.
    let areNew = this.isLive && timeline.length < 30;
    for (let index = timeline.length - 1; timeline.atEnd && index >= Math.max(0, timeline.length - 30); index--) {
      const entry = /** @type {Entry} */ (timeline.at(index));
      if (known.has(entry) && entry.status === "sent") {
        areNew = true;
        break;
      }
      if (!known.has(entry) && !entry.mine && !entry.isIgnored) fresh.unshift(entry);
      known.add(entry);
    }
    this.isLive ||= timeline.atEnd && timeline.loading === "none";
    if (!areNew) return;
    for (const entry of fresh.slice(-3)) {
      this.app.announce(entry.kind === "event" ? describeEvent(entry.event) : `${this.app.store.trustedName(entry.from) ?? entry.from}: ${entry.text}`);
    }
  }
}

/** @param {Entry} entry @param {Shape} shape */
function signatureOf(entry, shape) {
  const { first, newDay, isNew, run, replies, quote } = shape;
  return `${entry.version}${entry.status}${entry.msgid}|${first}${newDay}${isNew}|${run?.length}|${replies}|${quote?.state}${quote?.from}`;
}

/** Estimates the height of a row that was never drawn. @param {Entry} entry @param {number} width */
function guess(entry, width) {
  if (entry.kind === "event") return 26;
  const letters = Math.max(20, (width || 700) / 8 - 10);
  return 24 + 22 * Math.min(40, Math.floor(entry.text.length / letters)) + (entry.reactions?.length ? 32 : 0);
}
