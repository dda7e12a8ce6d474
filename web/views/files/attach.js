/** The ways by which files come into the page: a button beside the message field, drag and drop, pasting. */

import { h, iconButton, isTouch } from "../parts/dom.js";
import { later, loaded } from "../later.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */
/** @import { Composer } from "../conversation/composer.js" */

/** Message fields by their elements. @type {WeakMap<Element, Composer>} */
const composers = new WeakMap();

/** Offers files beside a message field, if the server takes any, and shows again what is on its way from there. @param {Composer} composer */
export function attach(composer) {
  const { app, element, entry } = composer;
  composers.set(element, composer);
  const isOffered = app.store.session().uploadUrl !== "";
  const button = entry.querySelector(".attach");
  if (isOffered && !button) {
    entry.querySelector(".icon")?.before(iconButton("clip", t("attach"), ({ currentTarget }) => void choose(composer, /** @type {Element} */ (currentTarget)), "attach", { "aria-haspopup": isTouch() ? "menu" : null }));
  } else if (!isOffered) {
    button?.remove();
  }
  loaded.tray?.show(composer);
}

/** Lets the user choose files for the conversation on the screen. @param {App} app */
export function chooseFiles(app) {
  if (app.store.session().uploadUrl === "") return void later(import("../refusals.js")).then(({ refuseFiles }) => refuseFiles());
  const composer = app.chat?.composer;
  if (composer && !composer.entry.hidden) pick(composer, {});
}

/** @param {Composer} composer @param {Element} opener */
async function choose(composer, opener) {
  if (!isTouch()) return pick(composer, {});
  const { openMenu } = await later(import("../parts/menu.js"));
  openMenu(opener, t("attach"), [
    { label: t("takePhoto"), icon: "camera", action: () => pick(composer, { accept: "image/*", capture: "environment" }) },
    { label: t("photosAndVideos"), icon: "picture", action: () => pick(composer, { accept: "image/*,video/*", multiple: true }) },
    { label: t("anyFile"), icon: "file", action: () => pick(composer, { multiple: true }) },
  ]);
}

/** Lets the user choose files. @param {Composer} composer @param {{ accept?: string, capture?: string, multiple?: boolean }} options */
function pick(composer, { multiple = true, ...options }) {
  composer.element.querySelector("input[type=file]")?.remove();
  const input = h("input", "", { type: "file", hidden: true, multiple: multiple && !options.capture, ...options, oncancel: () => input.remove(), onchange: () => {
    input.remove();
    void add(composer, [...input.files ?? []]);
  } });
  // Some browsers open the choice for a field of the document only.
  composer.element.append(input);
  input.click();
}

/** @param {Composer} composer @param {File[]} files */
async function add(composer, files) {
  Object.assign(loaded, { tray: loaded.tray ?? await later(import("./tray.js")) });
  loaded.tray?.add(composer, files);
}

/** Handles that files are dragged over the page, dropped or pasted. Otherwise the browser would leave the page for them. @param {App} app @param {Event} event */
export function handleFiles(app, event) {
  const { dataTransfer, clipboardData } = /** @type {DragEvent & ClipboardEvent} */ (event);
  const data = dataTransfer ?? clipboardData;
  if (event.type === "dragleave" || event.type === "dragend") {
    if (/** @type {DragEvent} */ (event).relatedTarget === null) showTarget(null);
    return;
  }
  // What a spreadsheet copies is a text as well as a picture.
  if (!data?.types.includes("Files") || clipboardData?.types.includes("text/plain")) return;
  event.preventDefault();
  const composer = document.querySelector("dialog[open]") ? null : composerAt(app, event);
  const isOffered = app.store.session().uploadUrl !== "";
  if (event.type === "dragover") {
    data.dropEffect = composer && isOffered ? "copy" : "none";
    return showTarget(isOffered ? composer : null);
  }
  showTarget(null);
  if (!isOffered) return void later(import("../refusals.js")).then(({ refuseFiles }) => refuseFiles());
  if (!composer) return;
  const files = dataTransfer ? [...dataTransfer.items].map(fileOf) : [...data.files];
  void add(composer, files.filter((file) => file !== null));
  if (files.includes(null)) void later(import("../parts/notices.js")).then(({ showNotice }) => showNotice(t("noFolders")));
}

/** Returns the file of what was dropped; `null` for a folder. @param {DataTransferItem} item */
function fileOf(item) {
  return item.webkitGetAsEntry?.()?.isDirectory ? null : item.getAsFile();
}

/** Returns the message field that files go to: that of the pane, where one may write. @param {App} app @param {Event} event */
function composerAt(app, { type, target }) {
  const pane = target instanceof Element ? target.closest(".pane") : null;
  const field = pane?.querySelector(":scope > .composer");
  const composer = field ? composers.get(field) : type === "paste" ? app.chat?.composer : null;
  return composer && !composer.entry.hidden && composer.name !== "" ? composer : null;
}

const place = h("div", "drop-here", { "aria-hidden": "true" });

/** Shows where files would be dropped. @param {Composer | null} composer */
function showTarget(composer) {
  const pane = composer?.element.parentElement;
  if (!pane || !composer) return place.remove();
  if (place.parentElement === pane) return;
  place.textContent = t("dropHere", { name: composer.app.store.conversation(composer.name)?.displayName ?? composer.name });
  pane.append(place);
}
