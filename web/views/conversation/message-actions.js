/** What a user can do with a message, by mouse, touch and keys. */

import { isTouch } from "../parts/dom.js";
import { addQuickReactions, quickReactions } from "./quick-reactions.js";
import { ask } from "../parts/dialog.js";
import { openMenu } from "../parts/menu.js";
import { showNotice } from "../parts/notices.js";
import { t } from "../../text/index.js";

/** @import { Entry } from "../../model/types.js" */
/** @import { App } from "../app.js" */
/** @import { Chat } from "./chat.js" */

export class MessageActions {
  /** @param {App} app @param {Chat} chat */
  constructor(app, chat) {
    this.app = app;
    this.chat = chat;
  }

  /** @param {Event} event */
  handle(event) {
    const { target } = event;
    const { timeline } = this.chat;
    const article = target instanceof Element ? target.closest("article") : null;
    const entry = article && ["pointerover", "focusin"].includes(event.type) ? this.entryOf(article) : undefined;
    if (article && entry) addQuickReactions(this.app, article, entry);
    if (event.type === "click") this.onClick(/** @type {MouseEvent} */ (event));
    else if (event.type === "keydown") this.onKey(/** @type {KeyboardEvent} */ (event));
    // A tap gives the focus, too, and selects as a click.
    else if (event.type === "focusin" && article && target === article && !isTouch()) {
      const row = article.closest(".row");
      if (row instanceof HTMLElement && row.dataset.row !== timeline.selected) this.select(row.dataset.row ?? null);
    }
  }

  get name() {
    return this.chat.name ?? "";
  }

  /** @param {EventTarget | null} target */
  entryOf(target) {
    const row = target instanceof Element ? target.closest(".row") : null;
    const index = row instanceof HTMLElement ? this.chat.timeline.timeline.indexOfRow(row.dataset.row ?? "") : -1;
    return index < 0 ? undefined : this.chat.timeline.timeline.at(index);
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const entry = this.entryOf(event.target);
    if (!entry || !(event.target instanceof Element)) return;
    if (event.target.closest(".unfold")) return this.unfold(entry.row);
    const reaction = event.target.closest(".reaction, .quick");
    if (reaction instanceof HTMLElement && entry.msgid) return this.app.store.actions.react(this.name, entry.msgid, reaction.dataset.emoji ?? "");
    const doer = event.target.closest("[data-do]");
    if (doer instanceof HTMLElement) return this.run(doer.dataset.do ?? "", entry, doer);
    // A tap shows what one can do with a message.
    if (isTouch() && event.target.closest("article") && !event.target.closest("a, button")) {
      const isSelected = this.chat.timeline.selected === entry.row;
      this.select(isSelected ? null : entry.row);
      if (isSelected && document.activeElement instanceof HTMLElement) document.activeElement.blur();
    }
  }

  /** Shows all of a folded row, or folds it again. @param {string} row */
  unfold(row) {
    const { timeline } = this.chat;
    if (!timeline.unfolded.delete(row)) timeline.unfolded.add(row);
    timeline.sticks = false;
    timeline.keepAnchor();
    timeline.draw();
    // A text that is folded again may have begun above.
    if (!timeline.unfolded.has(row)) this.reveal(timeline.timeline.indexOfRow(row), row);
  }

  /** Scrolls a row into sight, at this distance from the top. @param {string} row @param {number} [offset] */
  show(row, offset = this.chat.timeline.scroller.clientHeight / 3) {
    const { timeline } = this.chat;
    timeline.sync();
    timeline.sum();
    timeline.sticks = false;
    timeline.anchor = { row, offset };
    timeline.draw();
    timeline.keepAnchor();
  }

  toUnread() {
    const { timeline } = this.chat;
    if (timeline.timeline.newRow !== null) this.show(timeline.timeline.newRow, 60);
    timeline.seenNewRow = true;
    timeline.draw();
  }

  /** Shows a message, which is loaded if it has to be, and lights it up. @param {string} msgid */
  async jumpTo(msgid) {
    const row = await this.app.store.actions.jumpTo(this.name, msgid);
    this.show(row);
    this.select(row, true);
    const article = this.chat.timeline.drawn.get(row)?.node.querySelector("article");
    article?.classList.add("flash");
    setTimeout(() => article?.classList.remove("flash"), 1600);
  }

  /** Marks a message as the selected one. @param {string | null} row @param {boolean} [focus] */
  select(row, focus = false) {
    const { timeline } = this.chat;
    for (const [key, { node }] of timeline.drawn) node.querySelector("article")?.classList.toggle("selected", key === row);
    timeline.selected = row;
    if (focus) this.chat.pointed = null;
    if (row !== null && focus) timeline.drawn.get(row)?.node.querySelector("article")?.focus({ preventScroll: true });
  }

  /** Selects the next message in a direction, or the latest one. @param {-1 | 1} step */
  selectNext(step) {
    const { timeline: view } = this.chat;
    const { timeline, selected } = view;
    let index = selected === null ? timeline.length : timeline.indexOfRow(selected);
    for (index += step; index >= 0 && index < timeline.length; index += step) {
      const entry = timeline.at(index);
      if (!entry || entry.kind === "event" || view.isHidden(index, entry)) continue;
      this.reveal(index, entry.row);
      this.select(entry.row, true);
      return true;
    }
    return false;
  }

  /** Selects the latest message, whatever was selected before. */
  selectLatest() {
    this.select(null);
    return this.selectNext(-1);
  }

  /** Scrolls as far as it takes to see a row. @param {number} index @param {string} row */
  reveal(index, row) {
    const { offsets, heights, top, scroller } = this.chat.timeline;
    const height = scroller.clientHeight;
    if (offsets[index] < top) this.show(row, 24);
    else if (offsets[index + 1] > top + height) this.show(row, Math.max(0, height - heights[index] - 16));
  }

  /** @param {string} action @param {Entry} entry @param {Element} opener */
  run(action, entry, opener) {
    const { actions } = this.app.store;
    const { msgid, row } = entry;
    switch (action) {
      case "profile": return void this.app.openProfile(entry.from);
      case "resend": return actions.resend(this.name, row);
      case "discard": return actions.discard(this.name, row);
      case "more": return this.openMenu(entry, opener);
      case "fold": return this.unfold(row);
    }
    if (!msgid) return;
    switch (action) {
      case "undo": return actions.undoRedact(this.name, msgid);
      case "jump": return void this.app.attempt(this.jumpTo(entry.replyTo ?? ""));
      case "react": return void this.app.openEmoji(opener, (emoji) => actions.react(this.name, msgid, emoji));
      case "reply": return this.chat.composer.replyTo(msgid);
      case "thread": return void this.app.showPanel("thread", msgid);
      case "delete": return void this.remove(entry, msgid);
      case "copy": return void this.copy(entry.text);
      case "pin": return void this.app.attempt(actions.pin(this.name, msgid, !this.isPinned(msgid)));
      case "bookmark": return void this.app.attempt(actions.bookmark(this.name, msgid, !this.isBookmarked(msgid)), t(this.isBookmarked(msgid) ? "bookmarkRemoved" : "bookmarkAdded"));
    }
  }

  /** @param {string} msgid */
  isPinned(msgid) {
    return this.app.store.channel(this.name)?.pinned.includes(msgid) ?? false;
  }

  /** @param {string} msgid */
  isBookmarked(msgid) {
    return this.app.store.bookmarks().some((message) => message.msgid === msgid);
  }

  /** @param {Entry} entry @param {Element} opener */
  openMenu(entry, opener) {
    const { features, isAdmin } = this.app.store.session();
    const may = this.app.store.channel(this.name)?.may;
    const msgid = entry.msgid ?? "";
    const item = (/** @type {string} */ action) => () => this.run(action, entry, opener);
    openMenu(opener, t("messageActions"), [
      features.reactions && { label: t("react"), row: quickReactions(this.app, entry).map(({ emoji, name, mine }) => ({
        label: name.replaceAll("_", " "), text: emoji, checked: mine, action: () => this.app.store.actions.react(this.name, msgid, emoji),
      })) },
      features.reactions && { label: t("react"), icon: "smile", action: item("react") },
      { label: t("reply"), icon: "reply", action: item("reply") },
      { label: t("openThread"), icon: "thread", action: item("thread") },
      { label: t("copyText"), icon: "copy", action: item("copy") },
      features.metadata && { label: this.isBookmarked(msgid) ? t("removeBookmark") : t("addBookmark"), icon: "bookmark", action: item("bookmark") },
      features.metadata && may?.operate === true && { label: this.isPinned(msgid) ? t("unpin") : t("pinMessage"), icon: "pin", action: item("pin") },
      features.redaction && (entry.mine || may?.moderate === true || isAdmin) && null,
      features.redaction && (entry.mine || may?.moderate === true || isAdmin) && { label: entry.mine ? t("takeBack") : t("removeMessage"), icon: "trash", danger: true, action: item("delete") },
    ]);
  }

  /** @param {Entry} entry @param {string} msgid */
  async remove(entry, msgid) {
    const { actions } = this.app.store;
    if (entry.mine) {
      actions.redact(this.name, msgid);
      showNotice(t("willBeTakenBack"), { label: t("undo"), run: () => actions.undoRedact(this.name, msgid) }, 9000);
      return;
    }
    const answer = await ask({ title: t("removeTitle", { name: entry.from }), text: t("removeText"), action: t("removeMessage"), danger: true, fields: [{ label: t("reasonOptional") }] });
    if (answer) await this.app.attempt(actions.redactOther(this.name, msgid, answer[0] || undefined));
  }

  /** @param {string} text */
  async copy(text) {
    await this.app.attempt(navigator.clipboard.writeText(text), t("copied"));
  }

  /** Keys on a selected message, as in the terminal client. @param {KeyboardEvent} event */
  onKey(event) {
    const article = event.target instanceof Element ? event.target.closest("article") : null;
    const entry = article ? this.entryOf(article) : undefined;
    if (!article || !entry || event.ctrlKey || event.metaKey || event.altKey) return;
    const { timeline, composer } = this.chat;
    const onMessage = event.target === article;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const step = event.key === "ArrowUp" ? -1 : 1;
      if (!this.selectNext(step) && step === 1) { this.select(null); composer.focus(); }
    } else if (event.key === "Escape") {
      this.select(null);
      timeline.toLatest();
      composer.focus();
    } else if (onMessage && event.key === "Enter") {
      this.openMenu(entry, article.querySelector("[data-do=more]") ?? article);
    } else if (onMessage && article !== this.chat.pointed) {
      const action = { r: "reply", e: "react", "+": "react", t: "thread", d: "delete", Delete: "delete", y: "copy", c: "copy", p: "pin", b: "bookmark", u: "undo", s: "resend", o: "jump" }[event.key];
      if (!action || entry.redacted && action !== "copy") return;
      this.run(action, entry, article.querySelector("[data-do=more]") ?? article);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
