/** What follows a typed command. */

import { openLines } from "../dialogs/lines.js";
import { chooseFiles } from "../files/attach.js";
import { ask } from "../parts/dialog.js";
import { showNotice } from "../parts/notices.js";
import { lookup, t } from "../../text/index.js";

/** @import { CommandResult } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Labels of the buttons that confirm a command. @type {Record<string, import("../../text/index.js").TextKey>} */
const actions = { "confirm.kick": "kick", "confirm.ban": "ban", "confirm.muteMember": "muteHere", "confirm.kill": "disconnect", "confirm.manyMessages": "send" };

/** Shows the result of a command; `false` if the user did not want it. @param {App} app @param {CommandResult} result @returns {Promise<boolean | void>} */
export async function showResult(app, result) {
  switch (result.type) {
    case "done":
      if (result.text) showNotice(lookup(result.text, undefined, result.text));
      break;
    case "open": return app.open(result.name);
    case "lines": return openLines(lookup(result.title, undefined, result.title), result.lines);
    case "invalid": return void showNotice(lookup(result.key, result.values, result.key), undefined, undefined, true);
    case "show": return show(app, result);
    case "confirm": {
      const question = lookup(result.key, result.values, result.key);
      const answer = await ask({ title: question, action: t(actions[result.key] ?? "yes"), danger: true });
      if (!answer) return false;
      const next = await app.attempt(result.confirm());
      if (typeof next === "object") return showResult(app, next);
    }
  }
}

/** @param {App} app @param {Extract<CommandResult, { type: "show" }>} result */
async function show(app, result) {
  switch (result.what) {
    case "search": return app.showPanel("search", result.text);
    case "profile": return app.openProfile(result.account);
    case "directory": return app.openBrowser(result.text);
    case "members": return app.showPanel("members");
    case "mentions": return app.showPanel("mentions");
    case "bookmarks": return app.showPanel("bookmarks");
    case "files": return app.showPanel("files");
    case "upload": return chooseFiles(app);
    case "pins": return app.showPanel("pins");
    case "invites": return app.openPeople("invites");
    case "audit": return app.openPeople("audit");
    case "devices": case "settings": return app.openSettings();
    case "help": return app.openHelp();
    case "bans": return app.openChannelSettings(app.chat?.name ?? "", "bans");
  }
}
