/** The list of conversations, with the own account below. */

import { h, icon, iconButton, replaceItems } from "./parts/dom.js";
import { avatar, presenceText } from "./parts/people.js";
import { loaded } from "./later.js";
import { formatNumber, t } from "../text/index.js";

/** @import { ConversationItem, Session } from "../model/types.js" */
/** @import { App } from "./app.js" */

/** @typedef {ConversationItem} Item */

export class Sidebar {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.title = h("h2", "title truncate", { dir: "auto" });
    this.channels = h("ul", "", { "aria-labelledby": "channel-heading" });
    this.direct = h("ul", "", { "aria-labelledby": "direct-heading" });
    this.self = h("div", "self", null);
    this.lists = h("div", "lists", null,
      this.section("channel", t("channels"), iconButton("plus", t("browseChannels"), () => app.openBrowser(), "small")), this.channels,
      this.section("direct", t("directMessages"), iconButton("plus", t("newDirect"), () => app.openSwitcher("@"), "small")), this.direct);
    this.listsPlace = h("div", "lists-place", null, this.lists);
    /** @type {import("./unread-hints.js").UnreadHints | undefined} */
    this.hints = undefined;
    /** Conversation that was marked last. @type {string | null} */
    this.current = null;
    this.element = h("nav", "pane sidebar", { "aria-label": t("conversations") },
      h("div", "bar", null, this.title,
        iconButton("mention", t("mentions"), () => app.togglePanel("mentions")),
        iconButton("more", t("menu"), (event) => void app.openMenu("main", event), "", { "aria-haspopup": "menu" })),
      h("button", "jump", { type: "button", onclick: () => app.openSwitcher() }, icon("search"), h("span", "", null, t("goTo")), h("kbd", "only-wide", { "aria-hidden": "true" }, "Ctrl K")),
      this.listsPlace,
      this.self);
  }

  /** Makes the heading of a list, which folds it. @param {Item["kind"]} kind @param {string} label @param {HTMLElement} more */
  section(kind, label, more) {
    const { store } = this.app;
    const toggle = () => {
      const { foldedSections: folded } = store.settings();
      store.actions.setSetting("foldedSections", folded.includes(kind) ? folded.filter((one) => one !== kind) : [...folded, kind]);
    };
    return h("h2", "", { id: `${kind}-heading` }, h("button", "section", { type: "button", onclick: toggle }, label), more);
  }

  /** @param {Set<string>} topics */
  update(topics) {
    if (topics.size && !["connection", "conversations", "people", "settings"].some((topic) => topics.has(topic))) return;
    const { store } = this.app;
    const session = store.session();
    this.title.textContent = session.network || "Parlour";
    const all = store.conversations();
    const current = this.app.chat?.name ?? null;
    this.drawList(this.channels, "channel", all, current, t("noChannels"));
    this.drawList(this.direct, "direct", all, current, t("noDirect"));
    // Tab goes to one conversation, the arrows to the others.
    const start = this.lists.querySelector("[aria-current]") ?? this.lists.querySelector(".conversation");
    start?.setAttribute("tabindex", "0");
    if (current !== this.current) this.lists.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    this.current = current;
    if (loaded.UnreadHints && (this.hints || all.some((item) => item.unread > 0))) {
      this.hints ??= new loaded.UnreadHints(this.lists, this.listsPlace);
      this.hints.draw();
    }
    this.drawSelf(session);
    const waiting = all.reduce((sum, item) => sum + (item.muted ? 0 : item.mentions || (item.kind === "direct" ? item.unread : 0)), 0);
    const unread = all.some((item) => item.unread > 0 && !item.muted);
    document.title = `${waiting ? `(${waiting}) ` : unread ? "• " : ""}${current ? `${current} – ` : ""}${session.network || "Parlour"}`;
  }

  /** Draws a list; a folded one has what is unread or open. @param {HTMLElement} list @param {Item["kind"]} kind @param {Item[]} all @param {string | null} current @param {string} none */
  drawList(list, kind, all, current, none) {
    const isFolded = this.app.store.settings().foldedSections.includes(kind);
    const items = all.filter((item) => item.kind === kind);
    const shown = isFolded ? items.filter((item) => item.name === current || item.unread > 0 && !item.muted || item.mentions > 0 || item.failed > 0) : items;
    this.element.querySelector(`#${kind}-heading .section`)?.setAttribute("aria-expanded", String(!isFolded));
    replaceItems(list, items.length ? shown.map((item) => this.row(item, item.name === current)) : [h("li", "", null, h("p", "", null, none))]);
  }

  /** @param {Item} item @param {boolean} isCurrent */
  row(item, isCurrent) {
    const display = item.displayName;
    const isUnread = item.unread > 0 && !item.muted;
    const label = [item.kind === "direct" ? presenceText(item.presence) : "",
      item.unread ? t("unreadCount", { count: item.unread }) : "", item.mentions ? t("mentionCount", { count: item.mentions }) : "",
      item.hasDraft ? t("draft") : "", item.muted ? t("muted") : "", item.failed ? t("failedCount", { count: item.failed }) : ""].filter(Boolean).join(", ");
    return h("li", "", null, h("button", `conversation ${isUnread ? "unread" : ""} ${item.muted ? "muted" : ""}`, {
      type: "button", tabIndex: -1, "data-key": item.key, "aria-current": isCurrent ? "page" : null,
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
}

/** @param {Item} item */
function badge(item) {
  const isLoud = item.mentions > 0 || item.kind === "direct";
  const count = item.kind === "channel" && item.mentions ? item.mentions : item.unread;
  if (!count || item.muted && !item.mentions) return null;
  return h("span", `badge ${isLoud ? "mention" : ""}`, { "aria-hidden": "true" }, `${count > 999 ? "999+" : formatNumber(count)}${item.unreadIsLowerBound && !item.mentions ? "+" : ""}`);
}
