/** What a user can do with a message, by mouse, touch and keys. */

import { isTouch } from "../parts/dom.js";
import { ask } from "../parts/dialog.js";
import { openMenu } from "../parts/menu.js";
import { showNotice } from "../parts/notices.js";
import { t } from "../../text/index.js";

/**
 * @import { Entry } from "../../model/types.js"
 * @import { App } from "../app.js"
 * @import { Chat } from "./chat.js"
 */

export class MessageActions {
  /** @param {App} app @param {Chat} chat */
  constructor(app, chat) {
    this.app = app;
    this.chat = chat;
    const { rows } = chat.timeline;
    rows.addEventListener("click", (event) => this.onClick(event));
    rows.addEventListener("keydown", (event) => this.onKey(event));
    rows.addEventListener("focusin", (event) => {
      const row = event.target instanceof Element && event.target.matches("article") ? event.target.closest(".row") : null;
      if (row instanceof HTMLElement && row.dataset.row !== chat.timeline.selected) chat.timeline.select(row.dataset.row ?? null);
    });
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
    if (event.target.closest(".unfold")) {
      this.chat.timeline.unfolded.add(entry.row);
      this.chat.timeline.bounds.version = -1;
      this.chat.timeline.bounds.length = 0;
      this.chat.timeline.sticks = false;
      this.chat.timeline.keepAnchor();
      return this.chat.timeline.draw();
    }
    const reaction = event.target.closest(".reaction");
    if (reaction instanceof HTMLElement && entry.msgid) return this.app.store.actions.react(this.name, entry.msgid, reaction.dataset.emoji ?? "");
    const doer = event.target.closest("[data-do]");
    if (doer instanceof HTMLElement) return this.run(doer.dataset.do ?? "", entry, doer);
    // A tap shows what one can do with a message.
    if (isTouch() && event.target.closest("article") && !event.target.closest("a, button")) {
      this.chat.timeline.select(this.chat.timeline.selected === entry.row ? null : entry.row);
    }
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
    }
    if (!msgid) return;
    switch (action) {
      case "undo": return actions.undoRedact(this.name, msgid);
      case "jump": return void this.app.attempt(this.chat.timeline.jumpTo(entry.replyTo ?? ""));
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
      if (!timeline.selectNext(step) && step === 1) { timeline.select(null); composer.focus(); }
    } else if (event.key === "Escape") {
      timeline.select(null);
      timeline.toLatest();
      composer.focus();
    } else if (onMessage && event.key === "Enter") {
      this.openMenu(entry, article.querySelector("[data-do=more]") ?? article);
    } else if (onMessage) {
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
