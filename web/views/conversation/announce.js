/** What happens just now: new messages, read out to screen readers, and who is typing. */

import { h } from "../parts/dom.js";
import { describeEvent } from "./events.js";
import { plain } from "./row.js";
import { nameFiles } from "../../wire/files.js";
import { formatList, t } from "../../text/index.js";

/** @import { Entry } from "../../model/types.js" */
/** @import { Chat } from "./chat.js" */
/** @import { TimelineView } from "./timeline.js" */

/** Limits of one text, and of those that are kept. */
const MAX_TEXT = 500;
const MAX_TEXTS = 20;

/** Reads out what came in behind the newest known row, three of it at most. @param {TimelineView} view */
export function announceNew(view) {
  const { timeline, newest } = view;
  const isLive = timeline.atEnd && timeline.loading === "none";
  let index = timeline.length - 1;
  while (index >= 0 && timeline.at(index)?.status !== "sent") index--;
  view.newest = isLive ? timeline.at(index) ?? null : null;
  /** @type {Entry[]} */
  const fresh = [];
  for (; newest && isLive && fresh.length < 3; index--) {
    const entry = timeline.at(index);
    if (!entry || entry === newest || entry.time < newest.time) break;
    if (!entry.mine && !entry.isIgnored) fresh.unshift(entry);
  }
  const { live, store } = view.app;
  for (const { kind, event, from, text, files } of fresh) {
    const words = kind === "event" ? describeEvent(event) : `${store.trustedName(from) ?? from}: ${plain(nameFiles(text, files))}`;
    live.append(h("p", "", null, words.slice(0, MAX_TEXT)));
  }
  while (live.childElementCount > MAX_TEXTS) live.firstElementChild?.remove();
}

/** Shows who is typing. @param {Chat} chat */
export function drawTyping({ app: { store }, name, typing }) {
  const names = store.typing(name ?? "").map((one) => store.trustedName(one) ?? one);
  typing.textContent = names.length === 0 ? "" : names.length > 3 ? t("severalTyping") : t("typing", { names: formatList(names), count: names.length });
}
