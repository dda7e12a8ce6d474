/** The field that a message is written in, with its completion, formats and emoji. */

import { fillWith, h, iconButton, isTouch } from "../parts/dom.js";
import { openMenu } from "../parts/menu.js";
import { showNotice } from "../parts/notices.js";
import { Completion } from "./completion.js";
import { showResult } from "./command-results.js";
import { refusalText } from "../refusals.js";
import { lookup, t } from "../../text/index.js";

/**
 * @import { App } from "../app.js"
 * @import { Chat } from "./chat.js"
 */

export class Composer {
  /** @param {App} app @param {string} name @param {Chat} chat */
  constructor(app, name, chat) {
    this.app = app;
    this.name = name;
    this.chat = chat;
    const draft = app.store.draft(name);
    /** @type {string | null} */
    this.answered = draft.replyTo;
    this.text = h("textarea", "", {
      rows: 1, value: draft.text, dir: "auto", autocomplete: "off", spellcheck: "true", enterkeyhint: isTouch() ? "enter" : "send",
      "aria-autocomplete": "list", "aria-label": t("composer"),
      oninput: () => this.onInput(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.onKey(event), onblur: () => this.completion.close(),
    });
    this.completion = new Completion(app, this);
    this.context = h("div", "", null);
    this.sendButton = iconButton("send", t("send"), () => void this.submit());
    this.entry = h("div", "entry", null, this.text,
      iconButton("format", t("format"), (event) => this.openFormats(/** @type {Element} */ (event.currentTarget)), "", { "aria-haspopup": "menu" }),
      iconButton("smile", t("emoji"), (event) => void app.openEmoji(/** @type {Element} */ (event.currentTarget), (emoji) => this.insert(emoji)), "", { "aria-haspopup": "dialog" }),
      this.sendButton);
    this.locked = h("div", "locked", { hidden: true });
    this.element = h("footer", "composer", { "aria-label": t("composer") }, this.completion.element, this.context, this.entry, this.locked);
    this.drawContext();
    requestAnimationFrame(() => this.fit());
  }

  /** Shows whether the account may write here. */
  update() {
    const { store } = this.app;
    const item = store.conversation(this.name);
    const channel = item?.kind === "channel" ? store.channel(this.name) : null;
    const label = t("messageTo", { name: item?.displayName ?? this.name });
    this.text.placeholder = label;
    this.text.setAttribute("aria-label", label);
    const reason = item && !item.joined ? "notMember" : channel && !channel.may.speak ? "needsVoice" : null;
    this.locked.hidden = reason === null;
    this.entry.hidden = reason !== null;
    if (this.locked.dataset.reason !== String(reason)) {
      this.locked.dataset.reason = String(reason);
      fillWith(this.locked, reason === "notMember" ? t("notMember") : t("needsVoice"),
        reason === "notMember" ? h("button", "button small primary", { type: "button", onclick: () => void this.app.openChannel(this.name) }, t("join")) : null);
    }
  }

  /** Puts the focus into the field. Returns whether one may write here. */
  focus() {
    if (this.entry.hidden || !this.text.isConnected || this.name === "") return false;
    this.text.focus({ preventScroll: true });
    return true;
  }

  keepDraft() {
    if (this.name) this.app.store.actions.setDraft(this.name, this.text.value, this.answered);
  }

  onInput() {
    this.fit();
    void this.completion.update();
    if (this.draftTimer !== undefined) clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.keepDraft(), 400);
    const { value } = this.text;
    if (!value.startsWith("/") || value.startsWith("//")) this.app.store.actions.typing(this.name, value ? "active" : "done");
  }

  /** Makes the field as high as its text. */
  fit() {
    const wasAtEnd = this.chat.timeline.sticks;
    this.text.style.height = "auto";
    // None while the pane is hidden.
    if (this.text.scrollHeight > 0) this.text.style.height = `${this.text.scrollHeight}px`;
    if (wasAtEnd) this.chat.timeline.draw();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.isComposing) return;
    const command = event.ctrlKey || event.metaKey;
    const mark = command && !event.shiftKey && !event.altKey ? { b: "*", i: "_", e: "`" }[event.key] : command && event.shiftKey && event.key.toLowerCase() === "x" ? "~" : undefined;
    if (mark) this.wrap(mark);
    else if (this.completion.onKey(event)) return event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey && !event.altKey && (command || !isTouch())) void this.submit();
    else if (event.key === "Enter" && event.altKey) this.insert("\n");
    else if (event.key === "ArrowUp" && !event.shiftKey && !event.altKey && !command && this.text.value === "") { if (!this.chat.timeline.selectNext(-1)) return; }
    else if (event.key === "Escape" && this.answered !== null) this.replyTo(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string | null} msgid Message that the next one answers. */
  replyTo(msgid) {
    this.answered = msgid;
    this.keepDraft();
    this.drawContext();
    this.focus();
  }

  drawContext() {
    this.context.hidden = this.answered === null;
    this.context.className = "context";
    if (this.answered === null) return;
    const entry = this.chat.timeline?.timeline.byMsgid(this.answered);
    fillWith(this.context, h("span", "truncate", null, t("replyingTo", { name: entry ? this.app.store.trustedName(entry.from) ?? entry.from : "…" }), entry ? h("span", "", { dir: "auto" }, ` – ${entry.text.slice(0, 200)}`) : null),
      iconButton("close", t("cancelReply"), () => this.replyTo(null), "small"));
  }

  async submit() {
    const text = this.text.value;
    if (text.trim() === "") return;
    this.completion.close();
    clearTimeout(this.draftTimer);
    const isMessage = !text.startsWith("/") || text.startsWith("//");
    const { answered } = this;
    // A message leaves the field at once, also where it cannot be sent yet.
    this.set("", null);
    if (isMessage) this.chat.timeline.sticks = this.chat.timeline.timeline.atEnd || this.chat.timeline.sticks;
    try {
      const result = await this.app.store.actions.submit(this.name, text, answered);
      if (result.type === "invalid") {
        showNotice(lookup(result.key, result.values, result.key));
        if (this.text.value === "") this.set(text, answered);
      } else {
        await showResult(this.app, result);
      }
      if (isMessage && !this.chat.timeline.timeline.atEnd) this.chat.timeline.toLatest();
      if (isMessage) this.chat.timeline.toLatest();
    } catch (error) {
      showNotice(refusalText(error));
      if (this.text.value === "") this.set(text, answered);
    }
  }

  /** @param {string} text @param {string | null} answered */
  set(text, answered) {
    this.text.value = text;
    this.answered = answered;
    this.drawContext();
    this.fit();
  }

  /** Inserts a text at the cursor. @param {string} text */
  insert(text) {
    this.focus();
    this.text.setRangeText(text, this.text.selectionStart, this.text.selectionEnd, "end");
    this.onInput();
  }

  /** Puts marks around the selection. @param {string} mark @param {string} [end] */
  wrap(mark, end = mark) {
    this.focus();
    const { selectionStart: from, selectionEnd: to, value } = this.text;
    const inner = value.slice(from, to);
    this.text.setRangeText(mark + inner + end, from, to, "end");
    this.text.setSelectionRange(from + mark.length, from + mark.length + inner.length);
    this.onInput();
  }

  /** @param {Element} opener */
  openFormats(opener) {
    openMenu(opener, t("format"), [
      { label: t("bold"), action: () => this.wrap("*") },
      { label: t("italic"), action: () => this.wrap("_") },
      { label: t("strike"), action: () => this.wrap("~") },
      { label: t("code"), action: () => this.wrap("`") },
      { label: t("codeBlock"), icon: "code", action: () => this.wrap("```\n", "\n```") },
    ]);
  }
}

