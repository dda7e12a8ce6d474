/** The list of conversations, with the own account below. */

import { h, icon, iconButton, replaceItems } from "./parts/dom.js";
import { avatar, presenceText } from "./parts/people.js";
import { formatNumber, t } from "../text/index.js";

/** @import { ConversationItem, Session } from "../model/types.js" */
/** @import { App } from "./app.js" */

/** @typedef {ConversationItem} Item */

export class Sidebar {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.title = h("h2", "title truncate", { dir: "auto" });
    this.channels = h("ul", "", { "aria-labelledby": "channels-heading" });
    this.direct = h("ul", "", { "aria-labelledby": "direct-heading" });
    this.self = h("div", "self", null);
    this.element = h("nav", "pane sidebar", { "aria-label": t("conversations") },
      h("div", "bar", null, this.title,
        iconButton("mention", t("mentions"), () => app.togglePanel("mentions")),
        iconButton("more", t("menu"), (event) => void app.openMenu("main", event), "", { "aria-haspopup": "menu" })),
      h("button", "jump", { type: "button", onclick: () => app.openSwitcher() }, icon("search"), h("span", "", null, t("goTo")), h("kbd", "only-wide", { "aria-hidden": "true" }, "Ctrl K")),
      h("div", "lists", { onkeydown: (/** @type {KeyboardEvent} */ event) => this.onKey(event) },
        h("h2", "", { id: "channels-heading" }, h("span", "", null, t("channels")), iconButton("plus", t("browseChannels"), () => app.openBrowser(), "small")), this.channels,
        h("h2", "", { id: "direct-heading" }, h("span", "", null, t("directMessages")), iconButton("plus", t("newDirect"), () => app.openSwitcher("@"), "small")), this.direct),
      this.self);
  }

  /** @param {Set<string>} topics */
  update(topics) {
    if (topics.size && !["connection", "conversations", "people", "settings"].some((topic) => topics.has(topic))) return;
    const { store } = this.app;
    const session = store.session();
    this.title.textContent = session.network || "Parlour";
    const all = store.conversations();
    const current = this.app.chat?.name ?? null;
    const rows = (/** @type {Item["kind"]} */ kind) => all.filter((item) => item.kind === kind).map((item) => this.row(item, item.name === current));
    const [channels, direct] = [rows("channel"), rows("direct")];
    replaceItems(this.channels, channels.length ? channels : [h("li", "", null, h("p", "", null, t("noChannels")))]);
    replaceItems(this.direct, direct.length ? direct : [h("li", "", null, h("p", "", null, t("noDirect")))]);
    this.drawSelf(session);
    const waiting = all.reduce((sum, item) => sum + (item.muted ? 0 : item.mentions || (item.kind === "direct" ? item.unread : 0)), 0);
    const unread = all.some((item) => item.unread > 0 && !item.muted);
    document.title = `${waiting ? `(${waiting}) ` : unread ? "• " : ""}${current ? `${current} – ` : ""}${session.network || "Parlour"}`;
  }

  /** @param {Item} item @param {boolean} isCurrent */
  row(item, isCurrent) {
    const display = item.displayName;
    const isUnread = item.unread > 0 && !item.muted;
    const label = [item.kind === "direct" ? presenceText(item.presence) : "",
      item.unread ? t("unreadCount", { count: item.unread }) : "", item.mentions ? t("mentionCount", { count: item.mentions }) : "",
      item.hasDraft ? t("draft") : "", item.muted ? t("muted") : "", item.failed ? t("failedCount", { count: item.failed }) : ""].filter(Boolean).join(", ");
    return h("li", "", null, h("button", `conversation ${isUnread ? "unread" : ""} ${item.muted ? "muted" : ""}`, {
      type: "button", "data-key": item.key, "aria-current": isCurrent ? "page" : null,
      onclick: () => this.app.open(item.name),
      oncontextmenu: (/** @type {Event} */ event) => { event.preventDefault(); void this.app.openMenu("item", event, item.name); },
    },
    item.kind === "channel" ? h("span", "sign", { "aria-hidden": "true" }, "#") : avatar(item.name, display, "small", item.presence),
    h("span", "name truncate", { dir: "auto" }, item.kind === "channel" ? item.name.replace(/^#/, "") : display ?? item.name),
    label ? h("span", "visually-hidden", null, `, ${label}`) : null,
    item.failed ? h("span", "badge mention", { "aria-hidden": "true" }, "!") : item.hasDraft && !isCurrent ? h("span", "draft", { title: t("draft") }, icon("edit")) : null,
    badge(item)));
  }

  /** @param {Session} session */
  drawSelf(session) {
    const { app } = this;
    const display = app.store.trustedName(session.account);
    const key = `${session.account}|${display}|${session.away}|${session.isAdmin}|${app.store.connection().phase}`;
    if (this.self.dataset.key === key) return;
    this.self.dataset.key = key;
    const isOnline = app.store.connection().phase === "online";
    const status = !isOnline ? t("offline") : session.away !== null ? session.away || t("away") : session.isAdmin ? t("admin") : t("online");
    this.self.replaceChildren(
      avatar(session.account, display, "", isOnline ? session.away !== null ? "away" : "online" : "offline"),
      h("button", "who", { type: "button", "aria-haspopup": "menu", title: t("yourAccount", { name: display ?? session.account, status }),
        onclick: (/** @type {Event} */ event) => app.openMenu("own", event) },
      h("strong", "truncate", { dir: "auto" }, display ?? session.account), h("small", "truncate", { dir: "auto" }, status)),
      iconButton("gear", t("settings"), () => app.openSettings()));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key === "ContextMenu" || event.key === "F10" && event.shiftKey) return;
    if (event.altKey || event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...this.element.querySelectorAll(".lists button")];
    const at = buttons.indexOf(/** @type {Element} */ (document.activeElement));
    const next = buttons[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next instanceof HTMLElement) next.focus();
    event.preventDefault();
  }
}

/** @param {Item} item */
function badge(item) {
  const isLoud = item.mentions > 0 || item.kind === "direct";
  const count = item.kind === "channel" && item.mentions ? item.mentions : item.unread;
  if (!count || item.muted && !item.mentions) return null;
  return h("span", `badge ${isLoud ? "mention" : ""}`, { "aria-hidden": "true" }, `${count > 999 ? "999+" : formatNumber(count)}${item.unreadIsLowerBound && !item.mentions ? "+" : ""}`);
}
