/** Mentions, bookmarks and pinned messages. */

import { fillWith, h } from "../parts/dom.js";
import { refusalText } from "../refusals.js";
import { resultRow, stepThroughResults } from "./results.js";
import { t } from "../../text/index.js";

/** @import { ListedMessage } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** @param {App} app @param {"mentions" | "bookmarks" | "pins"} kind @param {string} name */
export function listPanel(app, kind, name) {
  const body = h("div", "panel-body", { tabIndex: 0, onkeydown: (/** @type {KeyboardEvent} */ event) => stepThroughResults(event) });
  const { store } = app;
  /** @type {ListedMessage[] | null} */
  let messages = null;
  let round = 0;

  function load() {
    const mine = ++round;
    const promise = kind === "mentions" ? store.actions.loadMentions() : kind === "bookmarks" ? store.actions.loadBookmarks() : store.actions.pinned(name);
    promise.then((found) => { if (mine === round) { messages = found; draw(); } }, (error) => { if (mine === round) fillWith(body, h("p", "panel-text error", { role: "alert" }, refusalText(error))); });
  }

  /** @param {ListedMessage} message */
  function removal(message) {
    if (kind === "bookmarks") return () => void app.attempt(store.actions.bookmark(message.conversation, message.msgid, false)).then(load);
    if (kind === "pins" && store.channel(name)?.may.operate) return () => void app.attempt(store.actions.pin(name, message.msgid, false)).then(load);
    return undefined;
  }

  function draw() {
    if (!messages) return fillWith(body, h("p", "panel-text", { role: "status" }, t("loading")));
    const none = kind === "mentions" ? t("noMentions") : kind === "bookmarks" ? t("noBookmarks") : t("noPins");
    fillWith(body, messages.length ? h("ul", "results", null, messages.map((message) => resultRow(app, message, {
      withConversation: kind !== "pins", onRemove: removal(message), removeLabel: kind === "pins" ? t("unpin") : t("removeBookmark"),
    }))) : h("p", "panel-text", null, none));
  }

  load();
  return {
    parts: [body],
    update: (/** @type {Set<string>} */ topics) => {
      if (!topics.size) draw();
      else if (kind !== "pins" && topics.has(kind) || kind === "pins" && topics.has(`channel:${store.conversation(name)?.key}`)) load();
    },
    destroy: () => { round++; },
  };
}
