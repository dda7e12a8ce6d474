/** The files of a message: pictures in place, sound and video with a button that plays them, everything else as a card. */

import { fillWith, h, icon } from "../parts/dom.js";
import { fileCache, FileGone } from "../../connection/files.js";
import { showingOf, splitFiles } from "../../wire/files.js";
import { isMotionWanted, isStill } from "./animation.js";
import { setSize, sizeOf } from "./boxes.js";
import { download } from "./download.js";
import { describeFile, iconOf } from "./kinds.js";
import { later } from "../later.js";
import { formatSize } from "../../text/sizes.js";
import { t } from "../../text/index.js";

/** @import { FileInfo, Store } from "../../model/types.js" */
/** @import { App } from "../app.js" */
/** @import { ReadFile } from "../../connection/files.js" */

/** Size up to which a picture is loaded by itself, in bytes. */
const MAX_AUTOMATIC = 16 * 1024 * 1024;

/** Loads what comes near the screen. */
const near = new IntersectionObserver((changes) => {
  for (const { isIntersecting, target } of changes) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    loads.get(target)?.();
  }
}, /** @type {IntersectionObserverInit} */ ({ rootMargin: "600px", scrollMargin: "600px" }));
/** @type {WeakMap<Element, () => void>} */
const loads = new WeakMap();

/** Draws the files of a message. @param {App} app @param {FileInfo[]} files @param {string} conversation */
export function drawFiles(app, files, conversation) {
  return h("div", "files", null, files.map((file) => {
    switch (showingOf(file.type)) {
      case "picture": return pictureBox(app, file, () => picturesOf(app.store, conversation));
      case "sound": case "video": return player(app.store, file);
      default: return card(app.store, file);
    }
  }));
}

/** Forgets the content of files whose message was taken back. @param {Store} store @param {string} tag */
export function forgetFiles(store, tag) {
  for (const item of tag.split(",")) fileCache(store).forget(item.split(";")[0]);
}

/** Returns the loaded pictures of a conversation, oldest first. @param {Store} store @param {string} conversation */
function picturesOf(store, conversation) {
  const timeline = store.timeline(conversation);
  const shown = timeline.slice(0, timeline.length).filter(({ redacted, files }) => !redacted && files !== "");
  return shown.flatMap(({ text, files }) => splitFiles(text, files).files).filter(({ type }) => showingOf(type) === "picture");
}

/**
 * Draws a picture in a box that has its size before it is loaded. A click opens it.
 * @param {App} app
 * @param {FileInfo} file
 * @param {() => FileInfo[]} pictures What the viewer leads through.
 */
export function pictureBox(app, file, pictures) {
  const cache = fileCache(app.store);
  const box = h("button", "picture file", { type: "button", title: file.name });
  setSize(box, sizeOf(file.width, file.height));
  /** What a click does in place of opening the picture. @type {(() => void) | null} */
  let instead = null;
  box.addEventListener("click", () => {
    if (instead) return instead();
    void later(import("./viewer.js")).then(({ openViewer }) => openViewer(app, pictures(), file));
  });
  const fail = (/** @type {unknown} */ error) => {
    if (!(error instanceof FileGone)) whenOnline(app.store, box, load);
    instead = error instanceof FileGone ? () => {} : load;
    box.classList.toggle("gone", error instanceof FileGone);
    fillWith(box, h("span", "", null, t(error instanceof FileGone ? "fileGone" : "fileNotLoaded")), h("small", "truncate", null, file.name));
  };
  const show = async (/** @type {ReadFile} */ read) => {
    instead = null;
    if (isMotionWanted(app.store)) {
      // At once, so that a row that is drawn again does not blink.
      const image = h("img", "", { alt: file.name, src: read.url });
      fillWith(box, image);
      if (await image.decode().then(() => true, () => false)) return;
    } else {
      const picture = await drawPicture(app.store, file, read);
      if (picture) return fillWith(box, picture);
    }
    instead = () => download(app.store, file, () => {});
    fillWith(box, icon("picture"), h("span", "", null, t("notAPicture")), h("small", "truncate", null, file.name));
  };
  const load = () => void cache.read(file).then(show, fail);
  const known = cache.known(file);
  fillWith(box, h("span", "visually-hidden", null, file.name));
  if (known) {
    void show(known);
  } else if (file.size > MAX_AUTOMATIC) {
    instead = load;
    fillWith(box, icon("picture"), h("span", "", null, t("showPicture", { size: formatSize(file.size) })), h("small", "truncate", null, file.name));
  } else {
    loads.set(box, load);
    near.observe(box);
  }
  return box;
}

/**
 * Returns an element with a picture, which moves only where motion is wanted; `null` if the browser cannot show it.
 * @param {Store} store
 * @param {FileInfo} file
 * @param {ReadFile} read
 */
export async function drawPicture(store, file, { content, url }) {
  try {
    if (await isStill(store, content)) {
      const bitmap = await createImageBitmap(content);
      const canvas = h("canvas", "", { role: "img", "aria-label": file.name, width: bitmap.width, height: bitmap.height });
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      bitmap.close();
      return canvas;
    }
    const image = h("img", "", { alt: file.name, src: url });
    await image.decode();
    return image;
  } catch {
    return null;
  }
}

/** Loads again what could not be loaded, once the connection is back. @param {Store} store @param {Element} element @param {() => void} load */
function whenOnline(store, element, load) {
  const stop = store.subscribe((topics) => {
    if (!topics.has("connection")) return;
    if (element.isConnected && store.connection().phase !== "online") return;
    stop();
    if (element.isConnected) load();
  });
}

/** Draws what plays a sound or a video. It is loaded when that is wanted. @param {Store} store @param {FileInfo} file */
function player(store, file) {
  const isVideo = showingOf(file.type) === "video";
  const status = h("small", "truncate", null, describeFile(file));
  const play = h("button", "file-card", { type: "button" },
    icon("play"), h("span", "visually-hidden", null, `${t("play")} `), h("span", "file-text", null, h("strong", "truncate", { dir: "auto", title: file.name }, file.name), status));
  const place = h("div", "player file", null, play);
  setSize(place, isVideo ? [426, 240] : [320, 56]);
  play.addEventListener("click", async () => {
    const { url } = await fetchFor(store, file, status) ?? {};
    if (!url || !place.isConnected) return;
    const element = isVideo ? h("video", "", { src: url, controls: true, playsinline: true, "aria-label": file.name }) : h("audio", "", { src: url, controls: true, "aria-label": file.name });
    element.addEventListener("error", () => {
      fillWith(place, card(store, file));
    });
    fillWith(place, element);
    element.focus();
    // A browser that does not begin by itself shows a button for it.
    void element.play().catch(() => {});
  });
  return place;
}

/** Draws a file that is not shown in place: a click saves it. @param {Store} store @param {FileInfo} file */
export function card(store, file) {
  const status = h("small", "truncate", null, describeFile(file));
  return h("button", "file-card file", { type: "button", onclick: () => download(store, file, (text) => { status.textContent = text; }) },
    icon(iconOf(file.type)), h("span", "visually-hidden", null, `${t("download")} `), h("span", "file-text", null, h("strong", "truncate", { dir: "auto", title: file.name }, file.name), status), icon("download"));
}

/** @param {Store} store @param {FileInfo} file @param {Element} status */
async function fetchFor(store, file, status) {
  try {
    return await fileCache(store).read(file, (share) => { status.textContent = t("loadedShare", { share: Math.round(share * 100) }); });
  } catch (error) {
    status.textContent = t(error instanceof FileGone ? "fileGone" : "fileNotLoaded");
    return null;
  }
}
