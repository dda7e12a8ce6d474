/** The middle pane: head, timeline and composer of one conversation. */

import { fillWith, h, iconButton, isNarrow } from "../parts/dom.js";
import { openMenu } from "../parts/menu.js";
import { presenceText } from "../parts/people.js";
import { noConversation } from "../greeting.js";
import { Composer } from "./composer.js";
import { MessageActions } from "./message-actions.js";
import { TimelineView } from "./timeline.js";
import { formatList, t } from "../../text/index.js";

/** @import { App } from "../app.js" */

export class Chat {
  /** @param {App} app @param {string | null} name */
  constructor(app, name) {
    this.app = app;
    this.name = name;
    this.head = h("header", "bar", null);
    this.timeline = new TimelineView(app, name ?? "");
    this.composer = new Composer(app, name ?? "", this);
    this.typing = h("div", "typing truncate", { "aria-live": "off" });
    this.empty = h("div", "", null);
    this.actions = new MessageActions(app, this);
    /** @type {HTMLElement[]} */
    this.parts = name === null ? [this.head, this.empty] : [this.head, this.timeline.element, this.typing, this.composer.element];
  }

  destroy() {
    this.composer.keepDraft();
    this.timeline.destroy();
  }

  /** @param {Set<string>} topics */
  update(topics) {
    if (this.name === null) {
      this.drawHead();
      fillWith(this.empty, noConversation(this.app));
      this.empty.className = "empty";
      return;
    }
    const key = this.app.store.conversation(this.name)?.key;
    const about = (/** @type {string[]} */ ...kinds) => topics.size === 0 || kinds.some((kind) => topics.has(kind) || topics.has(`${kind}:${key}`));
    if (about("channel", "conversations", "people", "connection", "members")) this.drawHead();
    if (about("timeline", "people", "settings", "held", "members", "connection")) this.timeline.update();
    if (about("typing")) this.drawTyping();
    if (about("channel", "connection", "conversations")) this.composer.update();
  }

  drawHead() {
    const { app, name } = this;
    const back = iconButton("back", t("backToList"), () => app.setPane("list"), "only-narrow");
    const item = name === null ? null : app.store.conversation(name);
    if (!item || name === null) {
      fillWith(this.head, back, h("div", "title", null));
      return;
    }
    const isChannel = item.kind === "channel";
    const channel = isChannel ? app.store.channel(name) : null;
    const about = isChannel ? channel?.topic ?? item.topic : presenceText(item.presence);
    const key = JSON.stringify([item.displayName, about, channel?.may, channel?.pinned.length, item.muted, app.panelKind, isNarrow()]);
    if (this.head.dataset.key === key) return;
    this.head.dataset.key = key;
    const open = () => isChannel ? app.openChannelSettings(name) : app.openProfile(name);
    fillWith(this.head, back,
      h("div", "title", null,
        h("h2", "", null, h("span", "truncate", { dir: "auto" }, item.displayName ?? name), item.displayName ? h("small", "", null, name) : null),
        about ? h("button", "topic truncate", { type: "button", dir: "auto", title: about, onclick: open }, about)
          : channel?.may.topic ? h("button", "topic truncate", { type: "button", onclick: open }, t("setTopicAction")) : null),
      channel?.pinned.length ? this.toggle("pin", "pins") : null,
      iconButton("search", t("search"), () => app.togglePanel("search"), "only-wide", { "aria-pressed": String(app.panelKind === "search") }),
      isChannel ? this.toggle("people", "members") : null,
      iconButton("more", t("conversationMenu"), (event) => this.openMenu(/** @type {Element} */ (event.currentTarget)), "", { "aria-haspopup": "menu" }));
  }

  /** @param {"pin" | "people"} picture @param {"pins" | "members"} kind */
  toggle(picture, kind) {
    return iconButton(picture, t(kind), () => this.app.togglePanel(kind), "", { "aria-pressed": String(this.app.panelKind === kind) });
  }

  /** @param {Element} opener */
  openMenu(opener) {
    const { app, name } = this;
    const item = name && app.store.conversation(name);
    if (!item) return;
    const { actions } = app.store;
    const isChannel = item.kind === "channel";
    const level = item.level;
    openMenu(opener, t("conversationMenu"), [
      isChannel ? { label: t("channelSettings"), icon: "gear", action: () => app.openChannelSettings(item.name) } : { label: t("profile"), icon: "people", action: () => app.openProfile(item.name) },
      { label: t("search"), icon: "search", action: () => app.showPanel("search") },
      isChannel && { label: t("pins"), icon: "pin", action: () => app.showPanel("pins") },
      isChannel && { label: t("inviteSomebody"), icon: "plus", action: () => app.openSwitcher("+") },
      null,
      ...(/** @type {const} */ ([["all", "notifyAll"], ["mentions", "notifyMentions"], ["nothing", "notifyNothing"]])).map(([value, label]) => ({
        label: t(label), checked: level === value, action: () => actions.setLevel(item.name, value),
      })),
      { label: t("mute"), checked: item.muted, action: () => actions.mute(item.name, !item.muted) },
      null,
      { label: isChannel ? t("leave") : t("closeConversation"), icon: "exit", danger: isChannel, action: () => void app.leave(item.name) },
    ]);
  }

  drawTyping() {
    const { store } = this.app;
    const names = this.name === null ? [] : store.typing(this.name).map((name) => store.trustedName(name) ?? name);
    this.typing.textContent = names.length === 0 ? "" : names.length > 3 ? t("severalTyping") : t("typing", { names: formatList(names), count: names.length });
  }

  /** Scrolls by a page. @param {-1 | 1} direction */
  page(direction) {
    const { scroller } = this.timeline;
    scroller.scrollBy({ top: direction * (scroller.clientHeight - 60) });
  }
}

