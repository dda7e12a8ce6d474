/** What the page does at events of its window: the focus, another width, files, Back and Forward. */

import { isNarrow } from "./parts/dom.js";
import { handleFiles } from "./files/attach.js";
import * as places from "./parts/places.js";

/** @import { App } from "./app.js" */
/** @import { Place } from "./parts/places.js" */

/** @param {App} app @param {AddEventListenerOptions} until */
export function listen(app, until) {
  window.addEventListener("focus", () => app.chat?.timeline.markRead(), until);
  app.wide.addEventListener("change", ({ matches }) => {
    if (matches) app.adaptPanel();
    else if (app.panelKind === "members" && !isNarrow()) app.closePanel();
  }, until);
  matchMedia("(max-width: 699px)").addEventListener("change", ({ matches }) => {
    // There is room for one pane.
    if (matches && app.panelKind === "members") app.closePanel();
    else if (matches && app.panelKind) app.setPane("panel");
  }, until);
  for (const type of ["paste", "drop", "dragover", "dragleave", "dragend"]) document.addEventListener(type, (event) => handleFiles(app, event), until);
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
