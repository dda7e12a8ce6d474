/** A channel: its topic, who may do what, bans, and leaving it. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { ask, checkbox, field, openDialog, select } from "../parts/dialog.js";
import { maskName } from "../conversation/events.js";
import { leave } from "../menus.js";
import { statusText } from "./sentences.js";
import { t } from "../../text/index.js";
import { formatShort } from "../../text/times.js";

/** @import { ChannelInfo } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Modes without a value, with the label of their checkbox. */
const flags = /** @type {const} */ ([["i", "flagInviteOnly"], ["m", "flagModerated"], ["s", "flagSecret"], ["t", "flagTopicLocked"], ["n", "flagMembersOnly"]]);

/** @param {App} app @param {string} name @param {"top" | "bans"} [start] Part that is in sight first. */
export function openChannelSettings(app, name, start = "top") {
  const channel = app.store.channel(name);
  if (!channel) return;
  const { body, dialog, close } = openDialog(name);
  const { actions } = app.store;
  const level = app.store.conversation(name)?.level ?? "mentions";
  const bans = h("div", "", null);
  const bansHeading = h("h3", "", { tabIndex: -1 }, t("bans"));
  fillWith(body,
    topicForm(app, channel),
    channel.prefix ? h("p", "hint", null, t("yourStatus", { status: statusText(channel.prefix) })) : null,
    field(t("notifications"), select([["all", t("notifyAll")], ["mentions", t("notifyMentions")], ["nothing", t("notifyNothing")]], level,
      (value) => actions.setLevel(name, /** @type {"all" | "mentions" | "nothing"} */ (value)))),
    h("hr", ""),
    h("h3", "", null, t("rules")),
    h("div", "", null, flags.map(([letter, label]) => checkbox(t(label), channel.modes.includes(letter), (on, input) => {
      void app.attempt(actions.mode(name, `${on ? "+" : "-"}${letter}`)).then((done) => { if (done === undefined) input.checked = !on; });
    }, !channel.may.operate))),
    channel.may.operate ? limits(app, channel) : h("p", "hint", null, [channel.hasKey ? t("hasKey") : "", channel.limit ? t("hasLimit", { count: channel.limit }) : "", t("rulesByOperators")].filter(Boolean).join(" ")),
    h("hr", ""),
    bansHeading, bans,
    h("hr", ""),
    h("div", "row-actions", null,
      channel.may.invite ? button(t("inviteSomebody"), () => { close(); void app.openSwitcher("+"); }) : null,
      channel.may.rename ? button(t("renameChannel"), () => void rename()) : null,
      button(t("leave"), () => { close(); void leave(app, name); }, "danger")));
  void drawBans().then(() => {
    if (start !== "bans" || !dialog.open) return;
    bansHeading.focus();
    bansHeading.scrollIntoView({ block: "start" });
  });

  async function drawBans() {
    fillWith(bans, h("p", "hint", { role: "status" }, t("loading")));
    const list = await actions.bans(name).catch(() => []);
    if (!dialog.open) return;
    if (!list.length) return fillWith(bans, h("p", "hint", null, t("noBans")));
    fillWith(bans, h("table", "", null,
      h("thead", "", null, h("tr", "", null, [t("who"), t("effect"), t("by"), ""].map((label) => h("th", "", { scope: label ? "col" : null }, label || h("span", "visually-hidden", null, t("actions")))))),
      h("tbody", "", null, list.map((ban) => h("tr", "", null,
        h("td", "", { dir: "auto" }, ban.account ?? maskName(ban.mask)),
        h("td", "", null, ban.list === "e" ? t("neverBanned") : ban.list === "I" ? t("needsNoInvitation") : ban.isMute ? t("isMuted") : t("isBanned")),
        h("td", "", null, ban.by, ban.time ? h("small", "hint", null, ` ${formatShort(ban.time)}`) : null),
        h("td", "", null, channel?.may.moderate ? button(t("lift"), () => void app.attempt(actions.mode(name, `-${ban.list}`, ban.mask)).then(drawBans), "small", { "aria-label": `${t("lift")}: ${maskName(ban.mask)}` }) : null))))));
  }

  async function rename() {
    const answer = await ask({ title: t("renameChannel"), action: t("rename"), fields: [{ label: t("newName"), value: name, required: true }] });
    if (answer && await app.attempt(actions.rename(name, answer[0]))) close();
  }
}

/** @param {App} app @param {ChannelInfo} channel */
function topicForm(app, channel) {
  const input = h("input", "", { type: "text", value: channel.topic, dir: "auto", readOnly: !channel.may.topic, placeholder: t("noTopic"), maxlength: 390 });
  const about = channel.topicBy ? t("topicBy", { name: channel.topicBy, time: channel.topicTime ? formatShort(channel.topicTime) : "" }) : "";
  const onsubmit = (/** @type {Event} */ event) => { event.preventDefault(); void app.attempt(app.store.actions.setTopic(channel.name, input.value), t("saved")); };
  return h("form", "", { onsubmit }, field(t("topic"), input, about), channel.may.topic ? h("div", "row-actions", null, h("button", "button small", { type: "submit" }, t("save"))) : null);
}

/** The key and the limit of members. @param {App} app @param {ChannelInfo} channel */
function limits(app, channel) {
  const { actions } = app.store;
  const key = h("input", "", { type: "text", autocomplete: "off", placeholder: channel.hasKey ? t("keyIsSet") : t("noKey") });
  const limit = h("input", "", { type: "number", min: 1, value: channel.limit ?? "", placeholder: t("noLimit") });
  const onsubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (key.value && await app.attempt(actions.mode(channel.name, "+k", key.value)) === undefined) return;
    if (limit.value !== String(channel.limit ?? "")) await app.attempt(limit.value ? actions.mode(channel.name, "+l", limit.value) : actions.mode(channel.name, "-l"), t("saved"));
  };
  return h("form", "", { onsubmit }, field(t("key"), key, t("keyHint")), field(t("limit"), limit),
    h("div", "row-actions", null, h("button", "button small", { type: "submit" }, t("save")),
      channel.hasKey ? button(t("removeKey"), () => void app.attempt(actions.mode(channel.name, "-k", "*"), t("saved")), "small") : null));
}
