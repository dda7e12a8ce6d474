/** All keys and commands. */

import { h } from "../parts/dom.js";
import { openDialog } from "../parts/dialog.js";
import { lookup, t } from "../../text/index.js";
import { commands } from "../../model/actions/commands.js";

const keys = /** @type {const} */ ([
  ["Ctrl K", "keySwitcher"], ["Alt ↑ ↓", "keyNext"], ["Alt A", "keyUnread"], ["Alt L", "browseChannels"], ["Alt M", "mentions"], ["Ctrl F", "search"], ["Ctrl ,", "settings"], ["F6", "keyPanes"],
  ["Enter", "send"], ["Shift Enter", "keyNewLine"], ["Tab", "keyComplete"], ["Ctrl B, I, E", "keyFormat"], ["↑", "keySelect"], ["PgUp, PgDn", "keyScroll"], ["Alt U", "toUnread"], ["Esc", "keyLatest"],
  ["R", "keyReply"], ["E", "keyReact"], ["T", "keyThread"], ["Y", "keyCopy"], ["P, B", "keyPin"], ["D, U", "keyTakeBack"],
]);

export function openHelp() {
  const { body } = openDialog(t("help"));
  body.tabIndex = 0;
  body.append(h("p", "", null, t("helpIntro")),
    h("h3", "", null, t("keys")),
    h("table", "", null, h("tbody", "", null, keys.map(([key, text]) => h("tr", "", null, h("th", "", { scope: "row" }, h("kbd", "", null, key)), h("td", "", null, t(text)))))),
    h("h3", "", null, t("commands")), h("p", "hint", null, t("commandsHint")),
    h("table", "", null, h("tbody", "", null, commands.map(({ name, usage, description }) => h("tr", "", null, h("th", "", { scope: "row" }, h("code", "", null, `/${name}${usage ? ` ${usage}` : ""}`)), h("td", "", null, lookup(`cmd_${name}`, undefined, description)))))));
}
