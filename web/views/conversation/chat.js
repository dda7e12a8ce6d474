/** The middle pane: head, timeline and composer of one conversation. */

import { fillWith, h, iconButton, isNarrow } from "../parts/dom.js";
import { presenceText } from "../parts/people.js";
import { later, loaded } from "../later.js";
import { Composer } from "./composer.js";
import { plain } from "./row.js";
import { TimelineView } from "./timeline.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */
/** @import { MessageActions } from "./message-actions.js" */

export class Chat {
  /** @param {App} app @param {string | null} name */
  constructor(app, name) {
    this.app = app;
    this.name = name;
    this.head = h("header", "bar");
    this.timeline = new TimelineView(app, name ?? "");
    this.composer = new Composer(app, name ?? "", this);
    this.typing = h("div", "typing truncate", { "aria-live": "off" });
    this.empty = h("div", "empty");
    /** @type {MessageActions | undefined} */
    this.actions = undefined;
    /** Message that got the focus by the pointer: letters typed then are no commands for it, but a text. @type {Element | null} */
    this.pointed = null;
    this.timeline.rows.addEventListener("pointerdown", ({ target }) => { this.pointed = target instanceof Element ? target.closest("article") : null; });
    for (const type of ["click", "keydown", "focusin"]) this.timeline.rows.addEventListener(type, (event) => void this.act((actions) => actions.handle(event)));
    this.timeline.rows.addEventListener("pointerover", (event) => { if (loaded.MessageActions) void this.act((actions) => actions.handle(event)); });
    /** @type {HTMLElement[]} */
    this.parts = name === null ? [this.head, this.empty] : [this.head, this.timeline.element, this.typing, this.composer.element];
  }

  destroy() {
    this.composer.keepDraft();
    this.timeline.destroy();
  }

  /**
   * Does something with messages: at once, if what it takes is loaded.
   * @template T
   * @param {(actions: MessageActions) => T} run
   * @returns {T | Promise<T>}
   */
  act(run) {
    if (!this.actions && loaded.MessageActions) this.actions = new loaded.MessageActions(this.app, this);
    if (this.actions) return run(this.actions);
    return later(import("./message-actions.js")).then((module) => {
      Object.assign(loaded, module);
      return this.act(run);
    });
  }

  /** @param {Set<string>} topics */
  update(topics) {
    if (this.name === null) {
      this.drawHead();
      fillWith(this.empty, loaded.noConversation?.(this.app));
      return;
    }
    const key = this.app.store.conversation(this.name)?.key;
    const about = (/** @type {string[]} */ ...kinds) => topics.size === 0 || kinds.some((kind) => topics.has(kind) || topics.has(`${kind}:${key}`));
    if (about("channel", "conversations", "people", "connection", "members")) this.drawHead();
    if (about("timeline", "people", "settings", "held", "members", "connection")) this.timeline.draw();
    if (about("typing")) loaded.drawTyping?.(this);
    if (about("channel", "connection", "conversations")) this.composer.update();
  }

  drawHead() {
    const { app, name } = this;
    const back = iconButton("back", t("backToList"), () => app.leaveChat(), "only-narrow");
    const item = name === null ? null : app.store.conversation(name);
    if (!item || name === null) return fillWith(this.head, back, h("div", "title"));
    const isChannel = item.kind === "channel";
    const channel = app.store.channel(name);
    const about = isChannel ? plain(channel?.topic ?? item.topic) : presenceText(item.presence);
    const key = JSON.stringify([item.displayName, about, channel?.may, channel?.pinned.length, item.muted, app.panelKind, isNarrow()]);
    if (this.head.dataset.key === key) return;
    this.head.dataset.key = key;
    const open = () => isChannel ? app.openChannelSettings(name) : app.openProfile(name);
    const toggle = (/** @type {"pin" | "people" | "search"} */ picture, /** @type {"pins" | "members" | "search"} */ kind, className = "") =>
      iconButton(picture, t(kind), () => app.togglePanel(kind), className, { "aria-pressed": String(app.panelKind === kind) });
    fillWith(this.head, back,
      h("div", "title", null,
        h("h2", "", null, h("span", "truncate", { dir: "auto" }, item.displayName ?? name), item.displayName ? h("small", "", null, name) : null),
        about || channel?.may.topic ? h("button", "topic truncate", { type: "button", dir: "auto", title: about, onclick: open }, about || t("setTopicAction")) : null),
      channel?.pinned.length ? toggle("pin", "pins") : null,
      toggle("search", "search", "only-wide"),
      isChannel ? toggle("people", "members") : null,
      iconButton("more", t("conversationMenu"), (event) => app.openMenu("conversation", event), "", { "aria-haspopup": "menu" }));
  }
}
