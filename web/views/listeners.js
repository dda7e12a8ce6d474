/** What the page does at events of its window: the focus, another width, files, Back and Forward. */

import { isNarrow } from "./parts/dom.js";
import * as places from "./parts/places.js";
import { later } from "./later.js";

/** @import { App } from "./app.js" */
/** @import { Place } from "./parts/places.js" */

/** @param {App} app @param {AddEventListenerOptions} until */
export function listen(app, until) {
  window.addEventListener("focus", () => app.chat?.timeline.markRead(), until);
  app.wide.addEventListener("change", ({ matches }) => {
    if (matches) app.adaptPanel();
    else if (app.panelKind === "members" && !isNarrow()) app.closePanel();
  }, until);
  for (const type of ["paste", "drop", "dragover"]) document.addEventListener(type, (event) => void refuseFiles(event), until);
  const { server, account } = app.store.session();
  places.begin(`${server} ${account}`);
  window.addEventListener("popstate", () => places.onTravel((place) => showPlace(app, place)), until);
  // A conversation may have been opened before. On a narrow page, Back leads from it to the list.
  if (isNarrow() && history.state === null && app.root.dataset.pane !== "list") places.goTo({ pane: "list", name: null });
  app.notePlace();
}

/** Shows what the user went back or forward to. @param {App} app @param {Place} place */
function showPlace(app, { pane, name }) {
  if (isNarrow() && (name === null || pane === "list")) app.setPane("list");
  else if (name !== null && (name !== app.chat?.name || isNarrow())) void app.open(name);
}

/** Says that files cannot be sent, where one pastes or drops one. Otherwise the browser would leave the page for it. @param {Event} event */
async function refuseFiles(event) {
  const data = /** @type {DragEvent} */ (event).dataTransfer ?? /** @type {ClipboardEvent} */ (event).clipboardData;
  // What a spreadsheet copies is a text as well as a picture.
  if (!data?.types.includes("Files") || event.type === "paste" && data.types.includes("text/plain")) return;
  event.preventDefault();
  if (event.type !== "dragover") (await later(import("./refusals.js"))).refuseFiles();
}
