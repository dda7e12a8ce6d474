/** The card of an account, with what one can do: write, ignore, and moderate. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { ask, openDialog } from "../parts/dialog.js";
import { avatar, presenceText } from "../parts/people.js";
import { refusalText } from "../refusals.js";
import { statusText } from "./sentences.js";
import { formatDateTime, t } from "../../text/index.js";
import { formatDuration } from "../../text/times.js";

/** @import { Ban, Prefix, Profile } from "../../model/types.js" */
/** @import { TextKey } from "../../text/index.js" */
/** @import { App } from "../app.js" */

/** Order of the member statuses, the highest first. */
const ORDER = ["~", "&", "@", "%", "+", ""];

/** @param {App} app @param {string} name */
export function openProfile(app, name) {
  const { store } = app;
  const { body, close, dialog } = openDialog(t("profile"), "narrow");
  const isMe = name === store.session().account;
  /** @type {Profile | null} */
  let profile = null;
  /** Why there is none. */
  let failure = "";
  /** Bans and mutes of the account in the channel; `null` while they are not known. @type {Ban[] | null} */
  let bans = null;
  draw();
  load();
  if (!isMe && mayModerate(app)) {
    store.actions.bans(app.chat?.name ?? "").catch(() => []).then((all) => {
      bans = all.filter((ban) => ban.list === "b" && ban.account?.toLowerCase() === name.toLowerCase());
      if (dialog.open) draw();
    });
  }

  function load() {
    store.actions.profile(name).then((found) => { profile = found; }, (error) => { failure = refusalText(error); }).then(() => { if (dialog.open) draw(); });
  }

  function draw() {
    const display = store.trustedName(name);
    fillWith(body,
      h("div", "profile", null, avatar(name, display, "large", store.presence(name)),
        h("div", "", null, h("h3", "", { dir: "auto" }, display ?? name), display && display !== name ? h("p", "hint", null, name) : null, h("p", "hint", null, presenceText(store.presence(name)) || (profile ? t(profile.isOnline ? "online" : "offline") : "")))),
      failure ? h("p", "error", { role: "alert" }, failure) : profile ? facts(profile) : h("p", "hint", { role: "status" }, t("loading")),
      // Nothing can be done with an account that there is not.
      ...failure ? [] : [isMe ? h("div", "row-actions", null, button(t("editProfile"), () => { close(); void app.openSettings(); }), logOutButton(app, close))
        : h("div", "row-actions", null,
          button(t("writeTo"), () => { close(); void app.open(name); }, "primary"),
          button(profile?.isWatched ? t("unwatch") : t("watch"), () => { store.actions.watch(name, !profile?.isWatched); if (profile) profile.isWatched = !profile.isWatched; draw(); }),
          button(profile?.isIgnored ? t("unignore") : t("ignore"), () => { store.actions.ignore(name, !profile?.isIgnored); if (profile) profile.isIgnored = !profile.isIgnored; draw(); })),
      moderation(app, name, isMe, close, bans),
      administration(app, name, isMe, close)]);
  }
}

/** Returns the button that logs out, on the server's own page. @param {App} app @param {() => void} close */
export function logOutButton(app, close) {
  return app.store.session().mode === "server" ? button(t("logOut"), () => { close(); app.store.actions.logout(); }) : null;
}

/** @param {Profile} profile */
function facts(profile) {
  /** @type {[string, string | null][]} */
  const rows = [
    [t("fullName"), profile.fullName !== profile.name ? profile.fullName : null],
    [t("pronouns"), profile.pronouns],
    [t("role"), [profile.isAdmin ? t("admin") : "", profile.isBot ? t("bot") : ""].filter(Boolean).join(", ") || null],
    [t("awayMessage"), profile.away],
    [t("onlineSince"), profile.signOn ? formatDateTime(profile.signOn) : null],
    [t("silentFor"), profile.idleSeconds !== null && profile.idleSeconds >= 60 ? formatDuration(profile.idleSeconds) : null],
    [t("accountSince"), profile.created ? formatDateTime(profile.created) : null],
    [t("devices"), profile.devices !== null ? String(profile.devices) : null],
    [t("sharedChannels"), profile.channels.map(({ name, prefix }) => prefix ? `${name} (${statusText(prefix)})` : name).join(", ") || null],
  ];
  return h("dl", "facts", null, rows.filter(([, value]) => value).flatMap(([label, value]) => [h("dt", "", null, label), h("dd", "", { dir: "auto" }, value)]));
}

/** Returns the current channel if the account moderates it. @param {App} app */
function mayModerate({ chat, store }) {
  const place = chat?.name ?? "";
  const channel = store.conversation(place)?.kind === "channel" ? store.channel(place) : null;
  return channel?.may.moderate ? channel : null;
}

/** Actions in the current channel. @param {App} app @param {string} name @param {boolean} isMe @param {() => void} close @param {Ban[] | null} bans */
function moderation(app, name, isMe, close, bans) {
  const { store } = app;
  const channel = mayModerate(app);
  const place = channel?.name ?? "";
  if (isMe || !channel) return null;
  const { actions } = store;
  const member = store.members(place).find((one) => one.name === name);
  const [muted, banned] = [true, false].map((isMute) => (bans ?? []).filter((ban) => ban.isMute === isMute));
  const status = member?.prefix ?? "";
  const run = (/** @type {Promise<void>} */ promise, /** @type {string} */ done) => { close(); void app.attempt(promise, done); };
  const change = (/** @type {string} */ letters, /** @type {TextKey} */ label) => button(t(label), () => run(actions.mode(place, letters, name), t("done")));
  const toggle = (/** @type {Prefix} */ prefix, /** @type {string} */ letter, /** @type {TextKey} */ give, /** @type {TextKey} */ take) =>
    status === prefix ? change(`-${letter}`, take) : ORDER.indexOf(status) > ORDER.indexOf(prefix) ? change(`+${letter}`, give) : null;
  return h("div", "dialog-section", null, h("hr", ""), h("h3", "", null, t("inChannel", { name: place })),
    status ? h("p", "hint", null, statusText(status)) : null,
    h("div", "row-actions", null,
      member ? toggle("+", "v", "giveVoice", "takeVoice") : null,
      member && channel.may.operate ? toggle("%", "h", "makeHalfOp", "takeHalfOp") : null,
      member && channel.may.operate ? toggle("@", "o", "makeOp", "takeOp") : null,
      muted.length ? button(t("unmuteHere"), () => run(lift(muted), t("done"))) : button(t("muteHere"), () => run(actions.muteMember(place, name, true), t("mutedIn", { name, channel: place })), "", { disabled: bans === null }),
      member ? button(t("kick"), () => void confirm("kick")) : null,
      banned.length ? button(t("unban"), () => run(lift(banned), t("done"))) : button(t("ban"), () => void confirm("ban"), "danger", { disabled: bans === null })));

  /** @param {Ban[]} lifted */
  async function lift(lifted) {
    for (const ban of lifted) await actions.mode(place, "-b", ban.mask);
  }

  /** @param {"kick" | "ban"} what */
  async function confirm(what) {
    const answer = await ask({ title: t(what === "kick" ? "kickTitle" : "banTitle", { name, channel: place }), text: t(what === "kick" ? "kickText" : "banText", { name }), action: t(what), danger: true, fields: [{ label: t("reasonOptional") }] });
    if (!answer) return;
    close();
    if (what === "ban" && await app.attempt(actions.ban(place, name, true)) === undefined) return;
    if (member) await app.attempt(actions.kick(place, name, answer[0] || undefined));
  }
}

/** Actions of admins of the server. @param {App} app @param {string} name @param {boolean} isMe @param {() => void} close */
function administration(app, name, isMe, close) {
  if (isMe || !app.store.session().isAdmin) return null;
  return h("div", "dialog-section", null, h("hr", ""), h("h3", "", null, t("onServer")), h("div", "row-actions", null,
    button(t("newPasswordLink"), () => { close(); void import("./people.js").then(({ openInvite }) => openInvite(app, { for: name })); }),
    button(t("disconnect"), () => void disconnect(), "danger")),
  h("p", "hint", null, t("accountsByCommand", { name })));

  async function disconnect() {
    const answer = await ask({ title: t("disconnectTitle", { name }), text: t("disconnectText"), action: t("disconnect"), danger: true, fields: [{ label: t("reasonOptional") }] });
    if (!answer) return;
    close();
    await app.attempt(app.store.actions.kill(name, answer[0] || undefined), t("done"));
  }
}
