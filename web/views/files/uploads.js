/** Uploads as they stand in the tray, and the line that they wait in. */

import { fillWith, h, icon, iconButton } from "../parts/dom.js";
import { fileCache, ownPath, request } from "../../connection/files.js";
import { Upload, UploadRefusal } from "../../connection/upload.js";
import { refusalText } from "../refusals.js";
import { showingOf } from "../../wire/files.js";
import { iconOf } from "./kinds.js";
import { formatSize } from "../../text/sizes.js";
import { t } from "../../text/index.js";

/** @import { Store } from "../../model/types.js" */

/** Uploads at one time: half of what a server takes of an account, which may have other pages open. */
const MAX_AT_ONCE = 2;
/** Size of a thumbnail, in pixels, and of a picture that is read for one, in bytes. */
const THUMBNAIL = 88;
const MAX_THUMBNAIL_SOURCE = 40 * 1024 * 1024;

/** Uploads that wait for their turn. */
export class Line {
  constructor() {
    /** @type {FileItem[]} */
    this.waiting = [];
    /** @type {Set<FileItem>} */
    this.running = new Set();
  }

  /** @param {FileItem} item */
  add(item) {
    this.waiting.push(item);
    this.advance();
  }

  advance() {
    while (this.running.size < MAX_AT_ONCE) {
      const item = this.waiting.shift();
      if (!item) return;
      if (item.upload.state !== "waiting") continue;
      this.running.add(item);
      void item.upload.run().finally(() => {
        this.running.delete(item);
        this.advance();
      });
    }
  }

  /** Goes on with what waits for a connection. */
  goOn() {
    for (const { upload } of this.running) upload.goOn();
  }
}

export class FileItem {
  /** @param {Store} store @param {File} file @param {{ changed: () => void, retry: () => void, remove: () => void }} events `changed` at each step of the upload. */
  constructor(store, file, { changed, retry, remove }) {
    this.file = file;
    this.upload = new Upload(file, file.name, {
      token: () => tokenOf(store),
      request: (one) => request({ ...one, path: ownPath(store, one.path) }),
      later: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      random: Math.random,
      changed: () => {
        this.draw();
        changed();
      },
    });
    /** Width and height of a picture that the browser can show. */
    this.sides = "";
    this.store = store;
    this.status = h("small", "", null);
    this.bar = h("progress", "", { max: file.size || 1, "aria-label": t("progressOf", { name: file.name }) });
    this.again = iconButton("again", t("tryAgain"), () => {
      this.upload.state = "waiting";
      this.upload.reason = "";
      this.draw();
      retry();
    }, "small", { hidden: true });
    this.picture = h("span", "thumb", null, icon(iconOf(file.type)));
    this.element = h("li", "upload", null, this.picture,
      h("div", "upload-text", null, h("strong", "truncate", { dir: "auto", title: file.name }, file.name), this.status, this.bar),
      this.again, iconButton("close", t("removeFile", { name: file.name }), remove, "small"));
    this.draw();
    void this.drawThumbnail();
  }

  draw() {
    const { state, sent, reason } = this.upload;
    const size = formatSize(this.file.size);
    const text = {
      waiting: `${size} · ${t("uploadWaits")}`, sending: t("uploadProgress", { done: formatSize(sent), size }), broken: t("uploadBroken"),
      done: `${size} · ${t("uploadReady")}`, refused: reason || t("uploadFailed"), cancelled: "",
    }[state];
    this.element.dataset.state = state;
    // How far it is would be read out all the time.
    this.status.setAttribute("aria-live", state === "sending" ? "off" : "polite");
    this.status.className = state === "refused" ? "error" : "";
    if (state === "refused") this.status.setAttribute("role", "alert");
    else this.status.removeAttribute("role");
    if (this.status.textContent !== text) this.status.textContent = text;
    this.bar.value = this.file.size ? sent : Number(state === "done");
    this.bar.hidden = state === "refused" || state === "done";
    this.again.hidden = state !== "refused";
  }

  /** Draws a picture small, as the browser shows it. It is sent as it is. */
  async drawThumbnail() {
    const { file } = this;
    if (!/^image\/(?!svg)/.test(file.type) || file.size > MAX_THUMBNAIL_SOURCE) return;
    try {
      const bitmap = await createImageBitmap(file);
      this.sides = `${bitmap.width}x${bitmap.height}`;
      const canvas = h("canvas", "", { width: THUMBNAIL, height: THUMBNAIL, "aria-hidden": "true" });
      const scale = THUMBNAIL / Math.min(bitmap.width, bitmap.height);
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      canvas.getContext("2d")?.drawImage(bitmap, (THUMBNAIL - width) / 2, (THUMBNAIL - height) / 2, width, height);
      bitmap.close();
      fillWith(this.picture, canvas);
    } catch {
      // It is no picture that the browser can show.
    }
  }

  /** Returns what the server will say of the file, as far as it is known here, and keeps a picture, so that it is not loaded. */
  describe() {
    const { file, sides, upload } = this;
    const id = upload.path.split("/")[2];
    const isPicture = sides !== "" && showingOf(file.type) === "picture";
    if (isPicture) fileCache(this.store).keep(id, file);
    return `${id};${isPicture ? `${file.type};${file.size};${sides}` : `${showingOf(file.type) === "picture" ? "" : file.type.replace(/[;,].*/, "")};${file.size}`}`;
  }

  destroy() {
    this.element.remove();
  }
}

/** @param {Store} store */
async function tokenOf(store) {
  try {
    return (await store.actions.fileToken()).token;
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    // What is not a refusal of the server passes.
    throw code === undefined || code === "offline" ? error : new UploadRefusal(403, refusalText(error));
  }
}
