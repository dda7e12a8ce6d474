/** The panel beside the conversation: its members, a thread, a search, or a list of messages. */

import { h, iconButton } from "../parts/dom.js";
import { t } from "../../text/index.js";
import { membersPanel } from "./members.js";
import { listPanel } from "./lists.js";
import { searchPanel } from "./search.js";
import { threadPanel } from "./thread.js";

/** @import { App, PanelKind, Panel } from "../app.js" */

/**
 * @param {App} app
 * @param {PanelKind} kind
 * @param {string} [about]
 * @returns {Panel}
 */
export function makePanel(app, kind, about) {
  const head = h("header", "bar", null, iconButton("back", t("back"), () => app.closePanel(), "only-narrow"), h("h2", "truncate", null, t(kind)),
    iconButton("close", t("close"), () => app.togglePanel(kind), "only-wide"));
  const name = app.chat?.name ?? "";
  /** @type {{ parts: HTMLElement[], update?: (topics: Set<string>) => void, destroy: () => void }} */
  const content = kind === "members" ? membersPanel(app, name) : kind === "search" ? searchPanel(app, name, about ?? "")
    : kind === "thread" ? threadPanel(app, name, about ?? "") : listPanel(app, kind, name);
  const element = h("div", "pane", null, head, content.parts);
  element.style.height = "100%";
  return { element, update: content.update, destroy: content.destroy };
}
