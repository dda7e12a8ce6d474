/** The quick switcher: goes to a conversation, a channel or a person by a few letters. */

import { fillWith, h } from "../parts/dom.js";
import { openBareDialog } from "../parts/dialog.js";
import { avatar, presenceText } from "../parts/people.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */

/** Limit of the options. */
const MAX_OPTIONS = 40;

/**
 * @typedef {object} Option
 * @property {string} key
 * @property {string} label
 * @property {string} detail
 * @property {Node} picture
 * @property {number} score
 * @property {() => void} open
 */

/** Opens the switcher. `start` narrows it: `#` to channels, `@` to people, `+` to people to invite into this channel. @param {App} app @param {string} start */
export function openSwitcher(app, start) {
  const invitesTo = start === "+" ? app.chat?.name ?? null : null;
  const label = invitesTo ? t("inviteTo", { name: invitesTo }) : t("goTo");
  const input = h("input", "", {
    type: "text", value: invitesTo ? "" : start, placeholder: invitesTo ? label : t("switcherHint"), "aria-label": label, autocomplete: "off", spellcheck: "false",
    role: "combobox", "aria-expanded": "true", "aria-controls": "switch-options", "aria-autocomplete": "list", oninput: () => { at = 0; draw(); }, onkeydown,
  });
  const list = h("div", "options", { id: "switch-options", role: "listbox", "aria-label": label, tabIndex: -1 });
  const status = h("div", "visually-hidden", { role: "status" });
  const dialog = openBareDialog(label, "switcher", h("div", "switch-field", null, input), list, status);
  /** @type {Option[]} */
  let options = [];
  let at = 0;
  draw();
  input.setSelectionRange(input.value.length, input.value.length);
  const { actions } = app.store;
  if (Date.now() - app.store.directory().time > 60_000) actions.loadDirectory().then(() => { if (dialog.open) draw(); }, () => {});

  function draw() {
    options = findOptions(app, input.value.trim(), invitesTo);
    fillWith(list, options.map((option, index) => h("div", "option", {
      role: "option", id: `switch-${index}`, "aria-selected": String(index === at), onclick: () => choose(index),
      onpointermove: () => { if (at !== index) { at = index; mark(); } },
    }, option.picture, h("span", "truncate", { dir: "auto" }, option.label), h("span", "spacer"), h("small", "truncate", null, option.detail))),
    options.length ? null : h("p", "panel-text", null, t("nothingFound")));
    status.textContent = t("resultsCount", { count: options.length });
    mark();
  }

  function mark() {
    [...list.children].forEach((child, index) => { if (child.role === "option") child.setAttribute("aria-selected", String(index === at)); });
    if (options.length) input.setAttribute("aria-activedescendant", `switch-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} index */
  function choose(index) {
    const option = options[index];
    if (!option) return;
    dialog.close();
    option.open();
  }

  /** @param {KeyboardEvent} event */
  function onkeydown(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") at = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % (options.length || 1);
    else if (event.key === "Enter" && !event.isComposing) return choose(at);
    else return;
    event.preventDefault();
    mark();
  }
}

/** @param {App} app @param {string} text @param {string | null} invitesTo @returns {Option[]} */
function findOptions(app, text, invitesTo) {
  const { store } = app;
  const sign = text[0];
  const words = (sign === "@" || sign === "#" ? text.slice(1) : text).toLowerCase();
  /** @type {Map<string, Option>} */
  const found = new Map();
  const add = (/** @type {Omit<Option, "score">} */ option, /** @type {number} */ bonus, /** @type {(string | null)[]} */ ...names) => {
    // The name that is somebody's alone, which comes first, counts more than those that people choose as they like.
    const score = Math.max(...names.map((name, index) => matches(name, words) / (index + 1)));
    if (score > 0 && !found.has(option.key)) found.set(option.key, { ...option, score: score + bonus });
  };
  const channelSign = () => h("span", "sign", { "aria-hidden": "true" }, "#");
  const goOrInvite = (/** @type {string} */ name) => () => void (invitesTo ? app.attempt(store.actions.inviteTo(invitesTo, name), t("invited", { name, channel: invitesTo })) : app.open(name));
  for (const item of store.conversations()) {
    if (item.kind === "channel" ? sign === "@" || invitesTo : sign === "#") continue;
    const detail = item.mentions ? t("mentionCount", { count: item.mentions }) : item.unread ? t("unreadCount", { count: item.unread }) : item.kind === "direct" ? presenceText(item.presence) : "";
    add({
      key: item.name.toLowerCase(), label: item.displayName ?? item.name, detail: [item.displayName ? item.name : "", detail].filter(Boolean).join(" · "),
      picture: item.kind === "channel" ? channelSign() : avatar(item.name, item.displayName, "small", item.presence), open: goOrInvite(item.name),
    }, 4 + (item.mentions ? 3 : item.unread ? 2 : 0), item.name.replace(/^#/, ""), item.displayName);
  }
  const directory = store.directory();
  if (sign !== "#") {
    for (const { name, fullName, online } of directory.accounts) {
      if (name === store.session().account) continue;
      const displayName = store.trustedName(name);
      add({ key: name.toLowerCase(), label: displayName ?? name, detail: [displayName ? name : "", online ? t("online") : t("offline")].filter(Boolean).join(" · "), picture: avatar(name, displayName, "small", online ? "online" : "offline"), open: goOrInvite(name) },
        online ? 2 : 1, name, displayName, fullName);
    }
  }
  if (sign !== "@" && !invitesTo) {
    for (const channel of directory.channels) {
      add({ key: channel.name.toLowerCase(), label: channel.name, detail: t("membersCount", { count: channel.members }), picture: channelSign(), open: () => void app.openChannel(channel.name) }, 0, channel.name.slice(1), channel.topic);
    }
  }
  return [...found.values()].sort((a, b) => b.score - a.score || a.label.localeCompare(b.label)).slice(0, MAX_OPTIONS);
}

/** Returns how well a name fits: its start, the start of a word in it, a part, or its letters in order. @param {string | null} name @param {string} words */
function matches(name, words) {
  if (!name) return 0;
  if (!words) return 1;
  const lower = name.toLowerCase();
  if (lower === words) return 50;
  if (lower.startsWith(words)) return 40;
  if (lower.split(/[\s_.-]+/u).some((part) => part.startsWith(words))) return 30;
  if (lower.includes(words)) return 20;
  let at = -1;
  for (const char of words) {
    at = lower.indexOf(char, at + 1);
    if (at < 0) return 0;
  }
  return 10;
}
