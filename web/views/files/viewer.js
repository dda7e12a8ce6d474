/** The viewer of pictures: one fills the page, and the arrow keys lead to the others of the conversation. */

import { fillWith, h, iconButton } from "../parts/dom.js";
import { openBareDialog } from "../parts/dialog.js";
import { fileCache, FileGone } from "../../connection/files.js";
import { describeFile } from "./kinds.js";
import { download } from "./download.js";
import { drawPicture } from "./message-files.js";
import { t } from "../../text/index.js";

/** @import { FileInfo } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Opens the viewer. @param {App} app @param {FileInfo[]} pictures @param {FileInfo} first */
export function openViewer(app, pictures, first) {
  const { store } = app;
  const all = pictures.some(({ id }) => id === first.id) ? pictures : [first];
  let at = all.findIndex(({ id }) => id === first.id);
  const stage = h("div", "stage", { "aria-live": "polite" });
  const name = h("strong", "truncate", { dir: "auto" });
  const note = h("small", "", null);
  const step = (/** @type {number} */ by) => {
    if (!all[at + by]) return;
    at += by;
    void draw();
  };
  const [previous, next] = [iconButton("back", t("previousPicture"), () => step(-1), "previous"), iconButton("back", t("nextPicture"), () => step(1), "next")];
  const zoom = iconButton("search", t("actualSize"), () => setActual(!stage.classList.contains("actual")), "", { "aria-pressed": "false" });
  const dialog = openBareDialog(t("picture"), "viewer",
    h("header", "", null, h("div", "file-text", null, name, note), zoom, iconButton("download", t("download"), () => void download(store, all[at], (text) => { note.textContent = text; })), iconButton("close", t("close"), () => dialog.close(), "", { autofocus: true })),
    stage, previous, next);
  dialog.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowLeft" || key === "ArrowRight") step(key === "ArrowLeft" ? -1 : 1);
  });
  // The dark around a picture is no part of it.
  stage.addEventListener("click", ({ target }) => {
    if (target === stage) dialog.close();
    else if (target instanceof HTMLImageElement || target instanceof HTMLCanvasElement) setActual(!stage.classList.contains("actual"));
  });
  void draw();

  /** Shows the picture with a pixel for each of its own, or as large as there is room for. @param {boolean} on */
  function setActual(on) {
    stage.classList.toggle("actual", on);
    stage.tabIndex = on ? 0 : -1;
    zoom.setAttribute("aria-pressed", String(on));
  }

  async function draw() {
    const file = all[at];
    name.textContent = file.name;
    note.textContent = describeFile(file);
    for (const [button, by] of /** @type {const} */ ([[previous, -1], [next, 1]])) button.disabled = !all[at + by];
    setActual(false);
    fillWith(stage, h("p", "", null, t("loading")));
    /** @type {HTMLElement} */
    let shown;
    try {
      shown = await drawPicture(store, file, await fileCache(store).read(file)) ?? h("p", "", null, t("notAPicture"));
    } catch (error) {
      shown = h("p", "", null, t(error instanceof FileGone ? "fileGone" : "fileNotLoaded"));
    }
    if (file === all[at]) fillWith(stage, shown);
  }
}
