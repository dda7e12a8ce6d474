/** The page after the login: the panes, what they share, and the keys that work everywhere. */

import { fillWith, h, isNarrow } from "./parts/dom.js";
import { Sidebar } from "./sidebar.js";
import { Chat } from "./conversation/chat.js";
import { showPanel } from "./panels/index.js";
import { completeView, later, loaded, viewComplete } from "./later.js";
import { t } from "../text/index.js";
import { parseAddress } from "../wire/address.js";

/** @import { Store } from "../model/types.js" */
/** @import { Composer } from "./conversation/composer.js" */
/** @import { Panel, PanelKind } from "./types.js" */

export class App {
  /** @param {Store} store @param {HTMLElement} root */
  constructor(store, root) {
    this.store = store;
    this.root = root;
    this.heading = h("h1", "visually-hidden");
    this.banner = h("div", "banner", { role: "status", hidden: true });
    this.sidebar = new Sidebar(this);
    this.chatPlace = h("section", "pane chat", { id: "chat", tabIndex: -1, "aria-label": t("conversation") });
    this.panelPlace = h("section", "pane panel", { hidden: true, tabIndex: -1 });
    this.live = h("div", "visually-hidden", { role: "log", "aria-live": "polite", "aria-label": t("newMessages") });
    /** @type {Chat | null} */
    this.chat = null;
    /** @type {Panel | null} */
    this.panel = null;
    /** @type {PanelKind | null} */
    this.panelKind = null;
    this.isAlive = true;
    /** Conversations that were open, the latest first. @type {string[]} */
    this.visited = [];
    /** Set once the first conversation is open, or there is none. */
    this.hasBegun = false;
    /** Topics that are not drawn yet. @type {Set<string>} */
    this.changed = new Set();
    root.id = "app";
    root.setAttribute("role", "main");
    fillWith(root, h("a", "skip", { href: "#chat", onclick: (/** @type {Event} */ event) => { event.preventDefault(); this.focusComposer(); } }, t("skipToMessages")),
      this.heading, this.banner, this.sidebar.element, this.chatPlace, this.panelPlace, this.live);
    root.dataset.pane = "list";
    this.ending = new AbortController();
    const until = { signal: this.ending.signal };
    document.addEventListener("keydown", (event) => this.onKey(event), until);
    window.addEventListener("pagehide", () => this.chat?.composer.keepDraft(), until);
    // There, the members have a place of their own. Otherwise, the conversation needs the room, until one asks for them.
    this.wide = matchMedia("(min-width: 1100px)");
    void viewComplete.then(() => {
      if (this.isAlive) loaded.listen?.(this, until);
      this.update(new Set());
    });
    this.unsubscribe = store.subscribe((topics) => this.schedule(topics));
    this.openFirst();
    this.update(new Set());
  }

  destroy() {
    this.isAlive = false;
    this.ending.abort();
    this.unsubscribe();
    this.chat?.destroy();
    this.panel?.destroy?.();
  }

  /** Opens the conversation that the address names, or that of the last visit. A narrow page without an address begins with the list. */
  openFirst() {
    const { store } = this;
    const current = store.current();
    this.hasBegun = current !== null || store.session().isReady;
    const first = current ?? (this.hasBegun ? store.conversations().find((item) => item.joined) : undefined);
    const named = store.conversation(parseAddress(location.hash) ?? "");
    if (first && (!isNarrow() || named?.key === first.key)) return void this.open(first.name);
    if (current) store.actions.open(null);
    if (this.chat?.name !== null) this.showChat();
    if (this.hasBegun) this.setPane("list");
  }

  notePlace() {
    const pane = isNarrow() && this.root.dataset.pane === "list" ? "list" : "chat";
    if (this.hasBegun) loaded.places?.goTo({ pane, name: this.chat?.name ?? null });
  }

  /** Draws changes with the next frame, all of them at once. A hidden page has no frames. @param {Set<string>} topics */
  schedule(topics) {
    const isScheduled = this.changed.size > 0;
    for (const topic of topics) this.changed.add(topic);
    if (isScheduled) return;
    const run = () => {
      const changed = this.changed;
      this.changed = new Set();
      this.update(changed);
    };
    if (document.hidden) setTimeout(run, 100);
    else requestAnimationFrame(run);
  }

  /** @param {Set<string>} topics */
  update(topics) {
    if (!this.isAlive) return;
    const { store, chat } = this;
    this.heading.textContent = store.session().network || "Parlour";
    if (store.connection().phase !== "online" || !this.banner.hidden) void this.drawBanner();
    if (!this.hasBegun || !chat?.name && !isNarrow() && store.conversations().some((item) => item.joined)) this.openFirst();
    if (chat?.name && !store.conversation(chat.name)) {
      // It was renamed, or left: then the one before it is next.
      const next = store.current()?.name ?? (isNarrow() ? undefined : this.lastVisited());
      loaded.places?.stayAt({ pane: next ? "chat" : "list", name: next ?? null });
      if (next) void this.open(next);
      else { this.showChat(); this.setPane("list"); }
    }
    this.sidebar.update(topics);
    this.chat?.update(topics);
    this.panel?.update?.(topics);
    if (this.isStarted()) void completeView(this.store);
    if (topics.has("notices")) void later(import("./refusals.js")).then(({ showNotices }) => showNotices(this));
  }

  async drawBanner() {
    const { drawBanner } = await later(import("./banner.js"));
    if (this.isAlive) drawBanner(this);
  }

  /** Whether there is nothing to wait for before one can read and write. */
  isStarted() {
    return this.store.connection().phase === "online" && (!this.chat?.name || this.chat.timeline.timeline.atEnd) && Boolean(this.panel) === Boolean(this.panelKind);
  }

  /** What the drawing of rows depends on beside the rows. */
  viewSettings() {
    const { rawText, showJoins, language, hour12, highlights } = this.store.settings();
    return `${Boolean(loaded.completeMessage)}${rawText}${showJoins}${language}${hour12}${highlights.join()}`;
  }

  isConversationVisible() {
    return !isNarrow() || this.root.dataset.pane === "chat";
  }

  /** Shows a conversation. @param {string} name @param {string} [msgid] Message to jump to. */
  async open(name, msgid) {
    if (this.chat?.name !== name) {
      this.store.actions.open(name);
      this.showChat();
      this.adaptPanel();
    }
    this.setPane("chat");
    if (msgid) await this.attempt(Promise.resolve(this.chat?.act((actions) => actions.jumpTo(msgid))));
    else if (!isNarrow()) this.focusComposer();
  }

  showChat() {
    this.chat?.destroy();
    this.chat = new Chat(this, this.store.current()?.name ?? null);
    this.chatPlace.replaceChildren(...this.chat.parts);
    this.chat.update(new Set());
    const { name } = this.chat;
    if (name !== null) this.visited = [name, ...this.visited.filter((one) => one !== name)];
  }

  /** Returns the conversation that was open last and still exists, or else the one with the latest message. */
  lastVisited() {
    const all = this.store.conversations().filter((item) => item.joined).sort((a, b) => b.time - a.time).map((item) => item.name);
    return this.visited.find((name) => all.includes(name)) ?? all[0];
  }

  /** Joins a channel if the account is not in it, and shows it. @param {string} name */
  async openChannel(name) {
    const known = this.store.conversation(name);
    if (!known?.joined && await this.attempt(this.store.actions.join(name)) === undefined) return;
    await this.open(this.store.conversation(name)?.name ?? name);
  }

  /** Shows the panel that suits the conversation: its members, unless the user has hidden them. */
  adaptPanel() {
    const isChannel = this.store.current()?.kind === "channel";
    if (this.panelKind === "search" || this.panelKind === "mentions" || this.panelKind === "bookmarks") return;
    if (isChannel && this.wide.matches && this.store.settings().showMembers) void this.showPanel("members", undefined, false);
    else if (this.panelKind) this.closePanel();
  }

  /** Shows or hides a panel. @param {PanelKind} kind */
  togglePanel(kind) {
    if (kind === "members" && !isNarrow()) this.store.actions.setSetting("showMembers", this.panelKind !== kind);
    if (this.panelKind === kind) this.closePanel();
    else void this.showPanel(kind);
  }

  /** @param {PanelKind} kind @param {string} [about] Message id of a thread, or words to search for. @param {boolean} [focus] */
  async showPanel(kind, about, focus = true) {
    await showPanel(this, kind, about, focus);
  }

  /** Closes the panel; the members come back in its place, unless the user has hidden them. */
  closePanel() {
    const wasMembers = this.panelKind === "members";
    const hadFocus = this.panelPlace.contains(document.activeElement);
    this.panel?.destroy?.();
    this.panel = this.panelKind = null;
    this.panelPlace.hidden = true;
    this.panelPlace.replaceChildren();
    if (this.root.dataset.pane === "panel") this.setPane("chat");
    if (hadFocus) this.focusComposer();
    if (!wasMembers) this.adaptPanel();
    this.chat?.drawHead();
  }

  /** Leaves the conversation for the list, on a narrow page. */
  leaveChat() {
    if (!loaded.places?.goBackTo({ pane: "list", name: null })) this.setPane("list");
  }

  /** Chooses the pane that fills a narrow page. @param {"list" | "chat" | "panel"} pane */
  setPane(pane) {
    const before = this.root.dataset.pane;
    this.root.dataset.pane = pane;
    if (pane !== "panel" && isNarrow() && this.panelKind) this.closePanel();
    if (pane === "list" && isNarrow() && this.chat?.name) {
      // Out of sight, a conversation counts its unread messages.
      this.store.actions.open(null);
      this.showChat();
    }
    if (pane === "chat") {
      this.chat?.composer.fit();
      this.chat?.timeline.draw();
    }
    if (pane !== "panel") this.notePlace();
    else if (before !== "panel") loaded.places?.cover(() => this.root.dataset.pane === "panel" && this.panelKind !== null, () => this.closePanel());
  }

  focusComposer() {
    if (!this.chat?.composer.focus()) this.chatPlace.focus();
  }

  /**
   * Waits for an action and shows why it was refused.
   * @template T
   * @param {Promise<T> | undefined} promise
   * @param {string} [done] Sentence to show when it is done.
   * @returns {Promise<T | true | undefined>} `undefined` if it was refused.
   */
  async attempt(promise, done) {
    try {
      const result = await promise;
      if (done) (await later(import("./parts/notices.js"))).showNotice(done);
      return result ?? true;
    } catch (error) {
      (await later(import("./refusals.js"))).showRefusal(error);
      return undefined;
    }
  }

  async openSwitcher(start = "") { (await later(import("./dialogs/switcher.js"))).openSwitcher(this, start); }
  async openBrowser(words = "") { (await later(import("./dialogs/browser.js"))).openBrowser(this, words); }
  async openSettings() { (await later(import("./dialogs/settings.js"))).openSettings(this); }
  async openHelp() { (await later(import("./dialogs/help.js"))).openHelp(); }
  /** @param {"accounts" | "invites" | "audit"} [tab] */
  async openPeople(tab) { (await later(import("./dialogs/people.js"))).openPeople(this, tab); }
  /** @param {string} name */
  async openProfile(name) { (await later(import("./dialogs/profile.js"))).openProfile(this, name); }
  /** @param {string} name @param {"top" | "bans"} [start] */
  async openChannelSettings(name, start) { (await later(import("./dialogs/channel.js"))).openChannelSettings(this, name, start); }
  /** @param {Element} opener @param {(emoji: string) => void} choose */
  async openEmoji(opener, choose) { (await later(import("./dialogs/emoji.js"))).openEmoji(this, opener, choose); }
  /** @param {"main" | "own" | "item" | "conversation" | "format"} kind @param {Event} event Click on the button that opens it. @param {string} [name] @param {Composer} [composer] */
  async openMenu(kind, { currentTarget }, name, composer = this.chat?.composer) {
    const { menus } = await later(import("./menus.js"));
    menus[kind](this, /** @type {Element} */ (currentTarget), name ?? this.chat?.name ?? "", composer);
  }

  /** Handles a key: at once, if what it takes is loaded. @param {KeyboardEvent} event */
  onKey(event) {
    if (loaded.handleKey) loaded.handleKey(this, event);
    else void later(import("./keys.js")).then(({ handleKey }) => handleKey(this, event));
  }
}
