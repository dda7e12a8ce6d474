/** The menus of the page, each of which a button opens. */

import { wrap as wrapText } from "./conversation/editing.js";
import { ask } from "./parts/dialog.js";
import { openMenu } from "./parts/menu.js";
import { t } from "../text/index.js";

/** @import { App } from "./app.js" */
/** @import { Composer } from "./conversation/composer.js" */
/** @import { Item } from "./parts/menu.js" */

/** @satisfies {Record<string, (app: App, opener: Element, name: string, composer?: Composer) => void>} */
export const menus = {
  main: (app, opener) => {
    const { isAdmin, servers, server, mode } = app.store.session();
    openMenu(opener, t("menu"), [
      { label: t("browseChannels"), icon: "channel", action: () => app.openBrowser() },
      { label: isAdmin ? t("peopleAndInvites") : t("people"), icon: "people", action: () => app.openPeople() },
      { label: t("search"), icon: "search", action: () => app.showPanel("search") },
      { label: t("mentions"), icon: "mention", action: () => app.showPanel("mentions") },
      { label: t("bookmarks"), icon: "bookmark", action: () => app.showPanel("bookmarks") },
      null,
      { label: t("settings"), icon: "gear", action: () => app.openSettings() },
      { label: t("help"), icon: "help", action: () => app.openHelp() },
      servers.length > 1 && null,
      ...(servers.length > 1 ? servers.map((name) => ({ label: name, checked: name === server, action: () => app.store.actions.switchServer(name) })) : []),
      mode === "server" && null,
      mode === "server" && { label: t("logOut"), icon: "exit", action: () => app.store.actions.logout() },
    ]);
  },
  own: (app, opener) => {
    const session = app.store.session();
    openMenu(opener, t("yourAccountMenu"), [
      { label: t("yourProfile"), icon: "people", action: () => app.openProfile(session.account) },
      session.away === null ? { label: t("setAway"), icon: "muted", action: () => void askAway(app) }
        : { label: t("comeBack"), icon: "bell", action: () => void app.attempt(app.store.actions.setAway("")) },
      { label: t("settings"), icon: "gear", action: () => app.openSettings() },
      session.mode === "server" && null,
      session.mode === "server" && { label: t("logOut"), icon: "exit", action: () => app.store.actions.logout() },
    ]);
  },
  item: (app, opener, name) => {
    const item = app.store.conversation(name);
    if (!item) return;
    const { actions } = app.store;
    openMenu(opener, name, [
      { label: t("markRead"), icon: "check", action: () => actions.markRead(name) },
      { label: item.muted ? t("unmute") : t("mute"), icon: item.muted ? "bell" : "muted", action: () => actions.mute(name, !item.muted) },
      about(app, name),
      null,
      leaving(app, name),
    ]);
  },
  conversation: (app, opener, name) => {
    const item = app.store.conversation(name);
    if (!item) return;
    const { actions } = app.store;
    const isChannel = item.kind === "channel";
    openMenu(opener, t("conversationMenu"), [
      about(app, name),
      { label: t("search"), icon: "search", action: () => app.showPanel("search") },
      app.store.session().uploadUrl !== "" && { label: t("files"), icon: "clip", action: () => app.showPanel("files") },
      isChannel && { label: t("pins"), icon: "pin", action: () => app.showPanel("pins") },
      isChannel && { label: t("inviteSomebody"), icon: "plus", action: () => app.openSwitcher("+") },
      null,
      ...(/** @type {const} */ ([["all", "notifyAll"], ["mentions", "notifyMentions"], ["nothing", "notifyNothing"]])).map(([value, label]) => ({
        label: t(label), checked: item.level === value, action: () => actions.setLevel(name, value),
      })),
      { label: t("mute"), checked: item.muted, action: () => actions.mute(name, !item.muted) },
      null,
      leaving(app, name),
    ]);
  },
  format: (_, opener, name, composer) => {
    const wrap = (/** @type {string} */ mark, end = mark) => composer && wrapText(composer, mark, end);
    openMenu(opener, t("format"), [
      { label: t("bold"), action: () => wrap("*") },
      { label: t("italic"), action: () => wrap("_") },
      { label: t("strike"), action: () => wrap("~") },
      { label: t("code"), action: () => wrap("`") },
      { label: t("codeBlock"), icon: "code", action: () => wrap("```\n", "\n```") },
    ]);
  },
};

/** @param {App} app @param {string} name @returns {Item} */
function about(app, name) {
  return app.store.conversation(name)?.kind === "channel" ? { label: t("channelSettings"), icon: "gear", action: () => app.openChannelSettings(name) }
    : { label: t("profile"), icon: "people", action: () => app.openProfile(name) };
}

/** @param {App} app @param {string} name @returns {Item} */
function leaving(app, name) {
  const isMember = app.store.channel(name) !== null;
  return { label: isMember ? t("leave") : t("closeConversation"), icon: "exit", danger: isMember, action: () => void leave(app, name) };
}

/** Leaves a channel, if the user is sure, or closes another conversation. @param {App} app @param {string} name */
export async function leave(app, name) {
  if (!app.store.channel(name)) return app.store.actions.close(name);
  const answer = await ask({ title: t("leaveTitle", { name }), text: t("leaveText"), action: t("leave"), danger: true });
  if (answer) await app.attempt(app.store.actions.part(name));
}

/** @param {App} app */
async function askAway(app) {
  const answer = await ask({ title: t("setAway"), action: t("setAway"), fields: [{ label: t("awayMessage"), value: t("away"), required: true }] });
  if (answer) await app.attempt(app.store.actions.setAway(answer[0]));
}
