/** All that is loaded later, in one graph. */

import "../connection/kept-login.js";
import "../model/actions/more.js";
import "../model/actions/queries.js";
import "../model/actions/commands.js";
import "../qr.js";
import "../text/emoji.js";
import "./alerts.js";
import "./conversation/command-results.js";
import "./conversation/completion.js";
import "./dialogs/browser.js";
import "./dialogs/channel.js";
import "./dialogs/emoji.js";
import "./dialogs/help.js";
import "./dialogs/lines.js";
import "./dialogs/people.js";
import "./dialogs/profile.js";
import "./dialogs/sentences.js";
import "./dialogs/switcher.js";
import "./files/viewer.js";
import "./login.js";
import "./menus.js";
import "./panels/others.js";
import "./refusals.js";

export { MessageActions } from "./conversation/message-actions.js";
export * as tray from "./files/tray.js";
export { leaveDialogs } from "./dialogs/settings.js";
export { handleKey } from "./keys.js";
export * from "./soon.js";
