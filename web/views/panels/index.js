/** The panel beside the conversation: its members, a thread, a search, or a list of messages. */

import { h, iconButton, isNarrow } from "../parts/dom.js";
import { later } from "../later.js";
import { membersPanel } from "./members.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */
/** @import { PanelKind } from "../types.js" */

/** What the focus goes to, on a wide page. @type {Partial<Record<PanelKind, string>>} */
const FOCUS = { search: "input", thread: "textarea" };

let round = 0;

/** @param {App} app @param {PanelKind} kind @param {string | undefined} about Message id of a thread, or words to search for. @param {boolean} focus */
export async function showPanel(app, kind, about, focus) {
  const mine = ++round;
  app.panelKind = kind;
  const name = app.chat?.name ?? "";
  const content = kind === "members" ? membersPanel(app, name) : (await later(import("./others.js"))).panelOf(app, kind, name, about ?? "");
  // Another panel was opened or this one closed meanwhile.
  if (mine !== round || app.panelKind !== kind || !app.isAlive) return content.destroy();
  app.panel?.destroy?.();
  const place = app.panelPlace;
  const head = h("header", "bar", null, iconButton("back", t("back"), () => app.closePanel(), "only-narrow"), h("h2", "truncate", null, t(kind)), content.note,
    iconButton("close", t("close"), () => app.togglePanel(kind), "only-wide"));
  app.panel = { element: h("div", "pane", null, head, content.parts), update: content.update, destroy: content.destroy };
  place.className = `pane panel ${kind === "members" ? "" : "wide"}`;
  place.setAttribute("aria-label", t(kind));
  place.hidden = false;
  place.replaceChildren(app.panel.element);
  if (focus && isNarrow()) app.setPane("panel");
  app.panel.update?.(new Set());
  if (focus && (kind !== "members" || isNarrow())) {
    const target = FOCUS[kind] ?? (isNarrow() ? ".icon.only-narrow" : ".icon.only-wide");
    /** @type {HTMLElement | null} */ (place.querySelector(target))?.focus();
  }
  app.chat?.drawHead();
}
