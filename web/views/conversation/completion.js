/** Completion in the composer: names, #channels, :emoji: and /commands. */

import { fillWith, h } from "../parts/dom.js";
import { avatar } from "../parts/people.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */
/** @import { Composer } from "./composer.js" */

/** Lists of options that were made, by which their ids differ. */
let count = 0;

/** Limit of the options. */
const MAX_OPTIONS = 8;

/**
 * @typedef {object} Option
 * @property {string} text What replaces the word.
 * @property {string} label
 * @property {string} [detail]
 * @property {Node} [picture]
 */

export class Completion {
  /** @param {App} app @param {Composer} composer */
  constructor(app, composer) {
    this.app = app;
    this.composer = composer;
    this.id = `suggestions-${++count}`;
    this.element = h("div", "suggest", { role: "listbox", id: this.id, hidden: true, "aria-label": t("suggestions") });
    /** @type {Option[]} */
    this.options = [];
    this.at = 0;
    this.from = 0;
    this.word = "";
    this.round = 0;
    composer.element.prepend(this.element);
  }

  close() {
    this.round++;
    this.element.hidden = true;
    this.composer.text.removeAttribute("aria-activedescendant");
  }

  /**
   * Looks for options for the word before the cursor.
   * @param {boolean} [asked] Set by Tab: a bare word counts as a name, and the first option is taken, as if the list had
   *   been there before the key. Only several names for a bare word are shown first.
   */
  async update(asked = false) {
    const round = ++this.round;
    const { text } = this.composer;
    const before = text.value.slice(0, text.selectionStart);
    const word = before.match(/\S*$/u)?.[0] ?? "";
    const closed = word.match(/:([a-z0-9_+-]+):$/u);
    if (closed) {
      const { findEmoji } = await import("../../text/emoji.js");
      const emoji = findEmoji(closed[1]);
      if (emoji && round === this.round) {
        text.setRangeText(emoji, text.selectionStart - closed[0].length, text.selectionStart, "end");
        return this.close();
      }
    }
    const options = text.selectionStart === text.selectionEnd ? await this.find(word, before, asked) : [];
    if (round !== this.round) return;
    this.options = options.slice(0, MAX_OPTIONS);
    this.word = word;
    this.from = text.selectionStart - word.length;
    this.at = 0;
    if (!this.options.length) return this.close();
    if (asked && (this.options.length === 1 || /^[@#:/]/u.test(word))) return this.accept(0);
    this.draw();
  }

  /** Whether the options are for what is before the cursor now: they are found after a key. */
  get isCurrent() {
    return this.composer.text.value.slice(this.from, this.composer.text.selectionStart) === this.word;
  }

  /** @param {string} word @param {string} before @param {boolean} asked @returns {Promise<Option[]>} */
  async find(word, before, asked) {
    const { store } = this.app;
    const sign = word[0];
    const rest = word.slice(1).toLowerCase();
    if (sign === "/" && before === word && !word.startsWith("//")) {
      const { commands } = await import("../../model/actions/commands.js");
      // What is written completely comes first.
      return commands.filter((command) => command.name.startsWith(rest)).sort((a, b) => Number(b.name === rest) - Number(a.name === rest)).map(({ name, usage, description }) => ({ text: `/${name} `, label: `/${name}${usage ? ` ${usage}` : ""}`, detail: description }));
    }
    if (sign === ":" && rest.length >= 2 && /^[a-z0-9_+-]+$/u.test(rest)) {
      const { searchEmoji } = await import("../../text/emoji.js");
      return searchEmoji(rest, MAX_OPTIONS).map(({ emoji, name }) => ({ text: emoji, label: `:${name}:`, picture: h("span", "sign", null, emoji) }));
    }
    if (sign === "#") {
      const names = new Set([...store.conversations().filter((item) => item.kind === "channel").map((item) => item.name), ...store.directory().channels.map((channel) => channel.name)]);
      return [...names].filter((name) => name.toLowerCase().startsWith(word.toLowerCase())).map((name) => ({ text: `${name} `, label: name }));
    }
    const query = sign === "@" ? rest : asked ? word.toLowerCase() : null;
    return query === null ? [] : this.findPeople(query, before === word);
  }

  /** @param {string} query @param {boolean} isFirst */
  findPeople(query, isFirst) {
    const { store } = this.app;
    const { name } = this.composer;
    const item = store.conversation(name);
    const members = item?.kind === "channel" ? store.members(name) : [];
    const people = new Map(members.filter((member) => !member.isMe).map((member) => [member.name, member.displayName]));
    for (const account of store.directory().accounts) if (!people.has(account.name) && account.name !== store.session().account) people.set(account.name, store.trustedName(account.name));
    if (item?.kind === "direct") people.set(item.name, item.displayName);
    const found = [...people].filter(([nick, display]) => nick.toLowerCase().startsWith(query) || display?.toLowerCase().split(/\s+/u).some((part) => part.startsWith(query)));
    return found.slice(0, MAX_OPTIONS).map(([nick, display]) => ({ text: isFirst ? `${nick}: ` : `${nick} `, label: display ?? nick, detail: display ? nick : "", picture: avatar(nick, display, "small") }));
  }

  draw() {
    const { text } = this.composer;
    fillWith(this.element, this.options.map((option, index) => h("div", "option", {
      role: "option", id: `${this.id}-${index}`, "aria-selected": String(index === this.at),
      onpointerdown: (/** @type {Event} */ event) => { event.preventDefault(); this.accept(index); },
    }, option.picture, h("span", "truncate", { dir: "auto" }, option.label), option.detail ? h("small", "truncate", { dir: "auto" }, option.detail) : null)));
    this.element.hidden = false;
    this.element.children[this.at]?.scrollIntoView({ block: "nearest" });
    text.setAttribute("aria-controls", this.id);
    text.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
  }

  /** @param {number} index */
  accept(index) {
    const { text } = this.composer;
    text.setRangeText(this.options[index].text, this.from, text.selectionStart, "end");
    this.close();
    this.composer.onInput();
  }

  /** Returns whether the key was used. @param {KeyboardEvent} event */
  onKey(event) {
    if (this.element.hidden || event.ctrlKey || event.metaKey || event.altKey) return false;
    switch (event.key) {
      case "ArrowDown": case "ArrowUp":
        this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.options.length) % this.options.length;
        this.draw();
        return true;
      case "Enter": {
        // A complete command, channel or name is sent as it is, and so is what was typed after the options were found.
        if (!this.isCurrent || this.options[this.at].text.trim().replace(/:$/u, "").toLowerCase() === this.word.toLowerCase().replace(/^@/u, "")) { this.close(); return false; }
        this.accept(this.at);
        return true;
      }
      case "Tab":
        if (this.isCurrent) this.accept(this.at);
        else void this.update(true);
        return true;
      case "Escape": this.close(); event.stopPropagation(); return true;
      default: return false;
    }
  }
}
