/** The channel browser: all channels that the server lists, to join one or to make one. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { openDialog } from "../parts/dialog.js";
import { refusalText } from "../refusals.js";
import { t } from "../../text/index.js";
import { plainText } from "../../wire/markup.js";

/** @import { ListedChannel } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Rows that are drawn at most; more are found by words. */
const MAX_ROWS = 300;

/** @param {App} app @param {string} words */
export function openBrowser(app, words) {
  const { body, dialog, close } = openDialog(t("browseChannels"));
  const input = h("input", "", { type: "search", value: words, placeholder: t("channelFilter"), "aria-label": t("channelFilter"), autocomplete: "off", oninput: draw, onkeydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter") { event.preventDefault(); list.querySelector("button")?.click(); }
  } });
  const status = h("p", "hint", { role: "status" });
  const list = h("ul", "", null);
  fillWith(body, input, status, list);
  input.focus();
  /** @type {unknown} */
  let failure = null;
  app.store.actions.loadDirectory().then(draw, (error) => { failure = error; draw(); });
  draw();

  function draw() {
    if (!dialog.open) return;
    const directory = app.store.directory();
    const parts = input.value.trim().toLowerCase().split(/\s+/u).filter(Boolean);
    const found = directory.channels.filter((channel) => parts.every((part) => `${channel.name} ${channel.topic}`.toLowerCase().includes(part)))
      .sort((a, b) => b.members - a.members || a.name.localeCompare(b.name));
    status.textContent = failure ? refusalText(failure) : directory.loading ? t("loading") : t("channelsCount", { count: found.length });
    const rows = found.slice(0, MAX_ROWS).map((channel) => row(channel));
    const name = `#${input.value.trim().replace(/^#+/u, "").replace(/[\s,]+/gu, "-").toLowerCase()}`;
    if (name.length > 1 && !directory.channels.some((channel) => channel.name.toLowerCase() === name)) {
      rows.push(h("li", "browse-row", null, h("div", "", null, h("strong", "", null, name), h("small", "", null, t("makesChannel"))), button(t("create"), () => go(name), "small")));
    }
    fillWith(list, rows);
  }

  /** @param {ListedChannel} channel */
  function row(channel) {
    return h("li", "browse-row", null,
      h("div", "", null, h("strong", "", { dir: "auto" }, channel.name), h("small", "", { dir: "auto" }, [t("membersCount", { count: channel.members }), plainText(channel.topic)].filter(Boolean).join(" · "))),
      button(channel.joined ? t("open") : t("join"), () => go(channel.name), channel.joined ? "small" : "small primary", { "aria-label": `${channel.joined ? t("open") : t("join")}: ${channel.name}` }));
  }

  /** @param {string} name */
  function go(name) {
    close();
    void app.openChannel(name);
  }
}
