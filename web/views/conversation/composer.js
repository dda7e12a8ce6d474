/** The field that a message is written in. What it completes and formats is loaded when it is used. */

import { h, iconButton, isTouch } from "../parts/dom.js";
import { later, loaded } from "../later.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */
/** @import { Chat } from "./chat.js" */
/** @import { Completion } from "./completion.js" */

export class Composer {
  /** @param {App} app @param {string} name @param {Chat | null} chat Whose latest messages stay in sight above it. */
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
      oninput: () => this.onInput(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.onKey(event), onblur: () => this.completion?.close(),
    });
    /** @type {Completion | undefined} */
    this.completion = undefined;
    this.context = h("div", "context");
    this.entry = h("div", "entry", null, this.text,
      iconButton("format", t("format"), (event) => app.openMenu("format", event, "", this), "", { "aria-haspopup": "menu" }),
      iconButton("smile", t("emoji"), ({ currentTarget }) => this.edit(({ openEmoji }) => openEmoji(this, /** @type {Element} */ (currentTarget))), "", { "aria-haspopup": "dialog" }),
      iconButton("send", t("send"), () => this.submit()));
    this.locked = h("div", "locked", { hidden: true });
    this.element = h("footer", "composer", { "aria-label": t("composer") }, this.context, this.entry, this.locked);
    this.drawContext();
    requestAnimationFrame(() => this.fit());
  }

  /** Shows whether the account may write here. */
  update() {
    const { store } = this.app;
    const item = store.conversation(this.name);
    const label = t("messageTo", { name: item?.displayName ?? this.name });
    this.text.placeholder = label;
    this.text.setAttribute("aria-label", label);
    const reason = item && !item.joined ? "notMember" : store.channel(this.name)?.may.speak === false ? "needsVoice" : null;
    this.locked.hidden = reason === null;
    this.entry.hidden = reason !== null;
    loaded.attach?.(this);
    if (reason !== null && this.locked.dataset.reason !== reason) void this.edit(({ drawLock }) => drawLock(this, reason));
  }

  /** Puts the focus into the field. Returns whether one may write here. */
  focus() {
    if (this.entry.hidden || !this.text.isConnected || this.name === "") return false;
    this.text.focus({ preventScroll: true });
    return true;
  }

  keepDraft() {
    clearTimeout(this.draftTimer);
    if (this.name) this.app.store.actions.setDraft(this.name, this.text.value, this.answered);
  }

  onInput() {
    this.fit();
    const { value } = this.text;
    if (this.completion || /[@#:/]/.test(value)) void this.edit(({ complete }) => complete(this));
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.keepDraft(), 400);
    if (loaded.editing && (!value.startsWith("/") || value.startsWith("//"))) this.app.store.actions.typing(this.name, value ? "active" : "done");
  }

  /** Makes the field as high as its text. */
  fit() {
    const timeline = this.chat?.timeline;
    const wasAtEnd = timeline?.sticks;
    this.text.style.height = "auto";
    // None while the pane is hidden.
    if (this.text.scrollHeight > 0) this.text.style.height = `${this.text.scrollHeight}px`;
    if (wasAtEnd) timeline?.draw();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.isComposing) return;
    const { key, shiftKey, altKey } = event;
    const { value, selectionStart } = this.text;
    const command = event.ctrlKey || event.metaKey;
    const isPlain = !command && !shiftKey && !altKey;
    const mark = command && !altKey ? shiftKey ? { x: "~" }[key.toLowerCase()] : { b: "*", i: "_", e: "`" }[key] : undefined;
    if (mark) void this.edit(({ wrap }) => wrap(this, mark));
    else if (this.completion?.onKey(event)) return event.preventDefault();
    else if (key === "Tab" && isPlain && /\S$/u.test(value.slice(0, selectionStart))) void this.edit(({ complete }) => complete(this, true));
    else if (key === "Enter" && !shiftKey && !altKey && (command || !isTouch())) void this.submit();
    else if (key === "Enter" && altKey) void this.edit(({ insert }) => insert(this, "\n"));
    else if (key === "ArrowUp" && isPlain && value === "" && this.chat) void this.chat.act((actions) => actions.selectLatest());
    else if (key === "Escape" && !this.context.hidden) this.replyTo(null);
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

  /** Does what takes more than writing: at once, if the code for it is loaded. @param {(editing: typeof import("./editing.js")) => void} run */
  async edit(run) {
    run(loaded.editing ?? await later(import("./editing.js")));
  }

  drawContext() {
    this.context.hidden = this.answered === null;
    if (this.answered !== null) void this.edit(({ drawContext }) => drawContext(this));
  }

  async submit() {
    if (loaded.tray?.submit(this)) return;
    const text = this.text.value;
    if (text.trim() === "") return;
    this.completion?.close();
    clearTimeout(this.draftTimer);
    const { answered } = this;
    // A message leaves the field at once, also where it cannot be sent yet.
    this.set("", null);
    const restore = () => { if (this.text.value === "") this.set(text, answered); };
    try {
      const result = await this.app.store.actions.submit(this.name, text, answered);
      const isWanted = result.type === "sent" || await (await later(import("./command-results.js"))).showResult(this.app, result) !== false;
      if (result.type === "invalid" || !isWanted) return restore();
      if (result.type === "sent" || result.type === "confirm") this.chat?.timeline.toLatest();
      document.querySelectorAll(".toast.refusal").forEach((toast) => toast.dispatchEvent(new Event("outdated")));
    } catch (error) {
      restore();
      (await later(import("../refusals.js"))).showRefusal(error);
    }
  }

  /** @param {string} text @param {string | null} answered */
  set(text, answered) {
    this.text.value = text;
    this.answered = answered;
    this.drawContext();
    this.fit();
  }
}
