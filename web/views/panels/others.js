/** The panels that are not there from the start. */

import { galleryPanel } from "../files/gallery.js";
import { listPanel } from "./lists.js";
import { searchPanel } from "./search.js";
import { threadPanel } from "./thread.js";

/** @import { App } from "../app.js" */
/** @import { PanelContent, PanelKind } from "../types.js" */

/** @param {App} app @param {Exclude<PanelKind, "members">} kind @param {string} name @param {string} about @returns {PanelContent} */
export function panelOf(app, kind, name, about) {
  switch (kind) {
    case "search": return searchPanel(app, name, about);
    case "files": return galleryPanel(app, name);
    case "thread": return threadPanel(app, name, about);
    default: return listPanel(app, kind, name);
  }
}
