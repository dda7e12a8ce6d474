/** What stands at the beginning of a conversation, and the first steps on an empty server. */

import { button } from "./parts/button.js";
import { fillWith, h } from "./parts/dom.js";
import { formatList, t } from "../text/index.js";
import { plainText } from "../wire/markup.js";

/** @import { ConversationItem, Member, Timeline } from "../model/types.js" */
/** @import { App } from "./app.js" */

/** Limit of the members that are named. */
const MAX_NAMES = 4;

/**
 * Draws the greeting of a conversation whose beginning is loaded.
 * @param {App} app
 * @param {HTMLElement} place
 * @param {string} name
 * @param {Timeline} timeline
 */
export function drawGreeting(app, place, name, timeline) {
  const { store } = app;
  const item = store.conversation(name);
  if (!item) return;
  const session = store.session();
  const isEmpty = timeline.length < 100 && timeline.slice(0, timeline.length).every((entry) => entry.kind === "event");
  const others = item.kind === "channel" ? store.members(name).filter((member) => !member.isMe) : [];
  const isOnly = store.conversations().length === 1;
  const key = `${name}|${item.joined}|${isOnly}|${JSON.stringify(store.channel(name)?.may)}|${store.channel(name)?.prefix}|${isEmpty}|${session.isAdmin}|${item.presence}|${item.topic}|${others.map((member) => member.name)}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  fillWith(place, item.kind === "direct" ? directGreeting(app, item, isEmpty)
    : !item.joined && isEmpty ? h("div", "greeting", null, h("h2", "", { dir: "auto" }, name)) : channelGreeting(app, name, others, isEmpty, isOnly));
}

/** @param {App} app @param {ConversationItem} item @param {boolean} isEmpty */
function directGreeting(app, item, isEmpty) {
  const name = item.displayName ?? item.name;
  const text = isEmpty && item.presence === "offline" ? t("waitsForThem", { name }) : t("onlyYouAnd", { name });
  return h("div", "greeting", null, h("h2", "", { dir: "auto" }, isEmpty ? t("noMessagesWith", { name }) : name), h("p", "", null, text));
}

/** @param {App} app @param {string} name @param {Member[]} others @param {boolean} isEmpty @param {boolean} isOnly Set if it is the only conversation of the account: where one lands on a server. */
function channelGreeting(app, name, others, isEmpty, isOnly) {
  const { store } = app;
  const session = store.session();
  if (!isEmpty) {
    const topic = store.channel(name)?.topic;
    return h("div", "greeting", null, h("h2", "", null, name), h("p", "", null, t("beginningOf", { name })), topic ? h("p", "", { dir: "auto" }, plainText(topic)) : null);
  }
  const names = others.slice(0, MAX_NAMES).map((member) => member.displayName ?? member.name);
  if (others.length > MAX_NAMES) names.push(t("others", { count: others.length - MAX_NAMES }));
  const alone = others.length === 0;
  const runsServer = session.isAdmin && alone && isOnly;
  const channel = store.channel(name);
  const made = alone && channel?.prefix === "~" && !isOnly;
  return h("div", "greeting", null,
    h("h2", "", { dir: "auto" }, isOnly ? t("welcome", { network: session.network || "Parlour", name: store.trustedName(session.account) ?? session.account }) : name),
    h("p", "", { dir: "auto" }, runsServer ? t("youRunThisServer", { name }) : made ? t("youMadeChannel", { name }) : alone ? t("nobodyElse", { name }) : t("withYou", { name, names: formatList(names) })),
    h("div", "actions", null,
      session.isAdmin && isOnly ? button(t("makeInvite"), () => app.openPeople("invites"), runsServer ? "primary" : "") : null,
      !runsServer && channel?.may.invite ? button(t("inviteSomebody"), () => app.openSwitcher("+"), made ? "primary" : "") : null,
      channel?.may.topic ? button(t("setTopicAction"), () => app.openChannelSettings(name)) : null,
      isOnly ? button(t("browseChannels"), () => app.openBrowser()) : null,
      isOnly ? button(t("help"), () => app.openHelp()) : null));
}

/** Returns the first screen of an account that is in no conversation, or has none open. @param {App} app */
export function noConversation(app) {
  const session = app.store.session();
  const isOnline = app.store.connection().phase === "online";
  return h("div", "empty", null, h("div", "greeting", null,
    h("h2", "", { dir: "auto" }, isOnline ? t("welcome", { network: session.network || "Parlour", name: app.store.trustedName(session.account) ?? session.account }) : t("connecting")),
    isOnline ? h("p", "", null, app.store.conversations().length ? t("chooseConversation") : t("inNoChannel")) : null,
    isOnline ? h("div", "actions", null, button(t("browseChannels"), () => app.openBrowser(), "primary"), button(t("goTo"), () => app.openSwitcher()), button(t("help"), () => app.openHelp())) : null));
}
