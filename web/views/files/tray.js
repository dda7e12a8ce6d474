/** The tray above a message field: files on their way, each with its progress. Its messages are sent in their order, each when its files are there. */

import { h } from "../parts/dom.js";
import { loaded } from "../later.js";
import { joinFiles } from "../../wire/files.js";
import { FileItem, Line } from "./uploads.js";
import { t } from "../../text/index.js";

/** @import { Store } from "../../model/types.js" */
/** @import { Composer } from "../conversation/composer.js" */

/** Limit of the files of one message; what is more goes with the next. */
const MAX_FILES = 10;
/** Length of a text that goes as a message of its own: it may take several, and a question. */
const LONG_TEXT = 2000;

/**
 * @typedef {object} Parcel Files that go with one message.
 * @property {FileItem[]} items
 * @property {string} text
 * @property {string | null} replyTo
 * @property {boolean} isSent Set once the user has sent it.
 * @property {HTMLElement} element
 */

/** Trays by store, conversation and thread. @type {WeakMap<Store, Map<string, Tray>>} */
const all = new WeakMap();

class Tray {
  /** @param {Store} store @param {string} name @param {string | null} thread First message of a thread. */
  constructor(store, name, thread) {
    this.store = store;
    this.name = name;
    this.thread = thread;
    /** @type {Parcel[]} */
    this.parcels = [];
    this.element = h("div", "tray", { role: "group", "aria-label": t("filesToSend") });
    /** The field that it stands above. @type {Composer | null} */
    this.composer = null;
    this.line = lineOf(store);
  }

  /** Returns the parcel that is being put together. */
  begun() {
    const last = this.parcels.at(-1);
    if (last && !last.isSent && last.items.length < MAX_FILES) return last;
    const element = h("ul", "parcel", null);
    const parcel = { items: [], text: "", replyTo: null, isSent: false, element };
    this.parcels.push(parcel);
    this.element.append(element);
    return parcel;
  }

  /** @param {File[]} files */
  add(files) {
    for (const file of files) {
      const parcel = this.begun();
      const item = new FileItem(this.store, file, {
        changed: () => this.advance(),
        retry: () => this.line.add(item),
        remove: () => this.remove(parcel, item),
      });
      parcel.items.push(item);
      parcel.element.append(item.element);
      this.line.add(item);
    }
  }

  /** @param {Parcel} parcel @param {FileItem} item */
  remove(parcel, item) {
    const hadFocus = item.element.contains(document.activeElement);
    item.upload.cancel();
    item.destroy();
    parcel.items = parcel.items.filter((other) => other !== item);
    if (parcel.items.length === 0) this.drop(parcel);
    if (parcel.items.length === 0 && parcel.text !== "") this.giveBack(parcel);
    if (hadFocus) this.composer?.focus();
    this.advance();
  }

  /** @param {Parcel} parcel */
  drop(parcel) {
    this.parcels = this.parcels.filter((other) => other !== parcel);
    parcel.element.remove();
    if (this.parcels.length === 0) {
      this.element.remove();
      all.get(this.store)?.delete(keyOf(this.name, this.thread));
    }
  }

  /** Puts a text whose files were all removed back into its field. @param {Parcel} parcel */
  giveBack({ text, replyTo }) {
    const { composer, store, name } = this;
    if (composer?.element.isConnected) return composer.set([text, composer.text.value].filter(Boolean).join("\n"), composer.answered ?? replyTo);
    const draft = store.draft(name);
    store.actions.setDraft(name, [text, draft.text].filter(Boolean).join("\n"), draft.replyTo ?? replyTo);
  }

  /** Sends what was put together, with the text of the field. Returns whether there is anything. @param {Composer} composer */
  submit(composer) {
    const begun = this.parcels.filter((parcel) => !parcel.isSent);
    const text = composer.text.value;
    if (begun.length === 0 || /^\/(?!\/)/.test(text)) return false;
    const isLong = text.length > LONG_TEXT;
    // Then the field sends it by itself, before the files.
    if (!isLong) {
      [begun[0].text, begun[0].replyTo] = [text.replace(/^\/\//, "/"), composer.answered];
      composer.set("", null);
      composer.keepDraft();
    } else {
      begun[0].replyTo = composer.answered;
    }
    for (const parcel of begun) {
      parcel.isSent = true;
      if (parcel.text.trim() !== "") parcel.element.prepend(h("li", "parcel-text truncate", { dir: "auto" }, parcel.text));
    }
    this.advance();
    return !isLong;
  }

  /** Sends the messages whose files are there, up to the first that waits. */
  advance() {
    for (let [first] = this.parcels; first?.isSent && first.items.every(({ upload }) => upload.state === "done"); [first] = this.parcels) {
      const { uploadUrl } = this.store.session();
      // A connection that has just begun does not know the server's address yet.
      if (!URL.canParse(uploadUrl)) return;
      const { origin } = new URL(uploadUrl);
      const urls = first.items.map(({ upload }) => origin + upload.path);
      const files = first.items.map((item) => item.describe()).join();
      for (const item of first.items) item.destroy();
      this.drop(first);
      this.store.actions.send(this.name, joinFiles(first.text, urls), first.replyTo, files);
      this.composer?.chat?.timeline.toLatest();
    }
    this.drawNotes();
  }

  /** Says of each message that it waits for a file that the server did not take. */
  drawNotes() {
    for (const { isSent, items, element } of this.parcels) {
      const note = element.querySelector(".parcel-note");
      const isBlocked = isSent && items.some(({ upload }) => upload.state === "refused");
      if (!isBlocked) note?.remove();
      else if (!note) element.append(h("li", "parcel-note", null, h("span", "error", { role: "alert" }, t("notSentYet"))));
    }
  }
}

/** @param {string} name @param {string | null} thread */
function keyOf(name, thread) {
  return `${name.toLowerCase()} ${thread ?? ""}`;
}

/** @type {WeakMap<Store, Line>} */
const lines = new WeakMap();

/** @param {Store} store */
function lineOf(store) {
  const known = lines.get(store);
  if (known) return known;
  const line = new Line();
  lines.set(store, line);
  const goOn = () => line.goOn();
  window.addEventListener("online", goOn);
  store.subscribe((topics) => {
    if (!topics.has("connection")) return;
    const { phase } = store.connection();
    if (phase === "online") {
      goOn();
      for (const tray of all.get(store)?.values() ?? []) tray.advance();
    }
    // Nothing of one account is sent by the next.
    if (phase === "login") for (const tray of all.get(store)?.values() ?? []) for (const parcel of [...tray.parcels]) clear(tray, parcel);
  });
  window.addEventListener("beforeunload", (event) => {
    if (all.get(store)?.size) event.preventDefault();
  });
  return line;
}

/** @param {Tray} tray @param {Parcel} parcel */
function clear(tray, parcel) {
  for (const item of parcel.items) {
    item.upload.cancel();
    item.destroy();
  }
  tray.drop(parcel);
}

/** Returns the tray of a message field. @param {Composer} composer */
function trayOf({ app: { store }, name, chat, answered }) {
  return all.get(store)?.get(keyOf(name, chat ? null : answered));
}

/** Adds files to the tray of a message field, and begins to send them. @param {Composer} composer @param {File[]} files */
export function add(composer, files) {
  if (files.length === 0) return;
  const { app: { store }, name, chat, answered } = composer;
  const trays = all.get(store) ?? new Map();
  all.set(store, trays);
  const thread = chat ? null : answered;
  const tray = trays.get(keyOf(name, thread)) ?? new Tray(store, name, thread);
  trays.set(keyOf(name, thread), tray);
  tray.add(files);
  show(composer);
  composer.focus();
}

/** Shows the tray above its message field, where there is one. @param {Composer} composer */
export function show(composer) {
  const tray = trayOf(composer);
  if (!tray || tray.element.parentElement === composer.element) return;
  tray.composer = composer;
  composer.element.insertBefore(tray.element, composer.entry);
}

/** Sends what is in the tray with the text of the field. Returns whether there is anything. @param {Composer} composer */
export function submit(composer) {
  return trayOf(composer)?.submit(composer) ?? false;
}

// The field asks here with each message.
Object.assign(loaded, { tray: { add, show, submit } });
