/** Settings of this browser, and of the account. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { ask, checkbox, field, openDialog, select } from "../parts/dialog.js";
import { showNotice } from "../parts/notices.js";
import { logOutButton } from "./profile.js";
import { shortFingerprint } from "./sentences.js";
import { formatTime, languages, t } from "../../text/index.js";
import { formatMoment } from "../../text/times.js";

/** @import { App } from "../app.js" */
/** @import { Child } from "../parts/dom.js" */

/** Limits of names, in characters: other clients cut what is longer. */
const MAX_DISPLAY_NAME = 64;
const MAX_FULL_NAME = 128;

/** @param {App} app */
export function openSettings(app) {
  const { body, dialog } = openDialog(t("settings"), "settings");
  fillWith(body, account(app), h("hr", ""), appearance(app), h("hr", ""), notifications(app), h("hr", ""), privacy(app), h("hr", ""), security(app, dialog));
}

/** @param {string} heading @param {...(Child | Child[])} children */
function section(heading, ...children) {
  return h("section", "dialog-section", { "aria-label": heading }, h("h3", "", null, heading), ...children);
}

/** @param {App} app */
function account(app) {
  const session = app.store.session();
  const { actions } = app.store;
  const display = h("input", "", { type: "text", value: session.displayName ?? "", placeholder: session.account, dir: "auto" });
  const full = h("input", "", { type: "text", dir: "auto" });
  let known = "";
  actions.profile(session.account).then((profile) => { known = full.value = profile.fullName; }, () => {});
  const form = h("form", "dialog-section", { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); void save(); } },
    session.features.metadata ? field(t("displayName"), display, t("displayNameHint", { name: session.account })) : null, field(t("fullName"), full, t("fullNameHint")),
    h("div", "row-actions", null, h("button", "button primary small", { type: "submit" }, t("save"))));
  limit(display, MAX_DISPLAY_NAME);
  limit(full, MAX_FULL_NAME);
  return section(t("yourProfile"), form);

  async function save() {
    const wanted = display.value.trim();
    if (wanted !== (app.store.session().displayName ?? "") && await app.attempt(actions.setDisplayName(wanted || null)) === undefined) return;
    if (full.value && full.value !== known && await app.attempt(actions.setFullName(full.value)) === undefined) return;
    known = full.value;
    showNotice(wanted && app.store.trustedName(session.account) === null ? t("displayNamePoses", { name: session.account }) : t("saved"));
  }
}

/** Refuses a text that is too long, in place of cutting it off. @param {HTMLInputElement} input @param {number} most */
function limit(input, most) {
  input.addEventListener("input", () => input.setCustomValidity([...input.value.trim()].length > most ? t("textTooLong", { count: most }) : ""));
}

/** @param {App} app */
function appearance(app) {
  const settings = app.store.settings();
  const { actions } = app.store;
  return section(t("appearance"),
    field(t("theme"), select([["system", t("themeSystem")], ["light", t("themeLight")], ["dark", t("themeDark")]], settings.theme, (value) => actions.setSetting("theme", /** @type {"system"} */ (value)))),
    field(t("language"), select([["auto", t("languageAuto")], ...Object.entries(languages)], settings.language, (value) => actions.setSetting("language", value), "language")),
    field(t("timeFormat"), select([["auto", t("timeAuto")], ["24", "18:30"], ["12", "6:30 PM"]], settings.hour12, (value) => actions.setSetting("hour12", /** @type {"auto"} */ (value)))),
    h("div", "", null, toggle(app, "showJoins", t("showJoins")), toggle(app, "rawText", t("rawText")),
      checkbox(t("reduceMotion"), settings.reducedMotion === "on", (on) => actions.setSetting("reducedMotion", on ? "on" : "system"))));
}

/** @param {App} app */
function notifications(app) {
  const { actions } = app.store;
  const settings = app.store.settings();
  const desktop = checkbox(t("desktopNotifications"), settings.notifications && "Notification" in window && Notification.permission === "granted", async (on, input) => {
    if (on && (!("Notification" in window) || await Notification.requestPermission() !== "granted")) {
      input.checked = false;
      showNotice(t("notificationsBlocked"));
      return;
    }
    actions.setSetting("notifications", on);
  });
  const levels = /** @type {[string, string][]} */ ([["all", t("notifyAll")], ["mentions", t("notifyMentions")], ["nothing", t("notifyNothing")]]);
  const set = (/** @type {"channels" | "direct"} */ kind) => (/** @type {string} */ value) => actions.setSetting("levels", { ...app.store.settings().levels, [kind]: value });
  const highlights = h("input", "", { type: "text", value: settings.highlights.join(", "), dir: "auto", onchange: () => actions.setSetting("highlights", highlights.value.split(",").map((word) => word.trim()).filter(Boolean)) });
  const until = settings.doNotDisturbUntil;
  const isQuiet = until === -1 || until > Date.now();
  const quiet = select([["", isQuiet && until > 0 ? t("quietUntil", { time: formatTime(until) }) : isQuiet ? t("quietForever") : t("quietOff")], ...(isQuiet ? [/** @type {[string, string]} */ (["0", t("quietOff")])] : []),
    ["3600000", t("oneHour")], ["28800000", t("eightHours")], ["-1", t("quietForever")]], "", (value) => {
    if (value) actions.setSetting("doNotDisturbUntil", Number(value) > 0 ? Date.now() + Number(value) : Number(value));
  });
  return section(t("notifications"), h("div", "", null, desktop, toggle(app, "sound", t("sound"))),
    field(t("inChannels"), select(levels, settings.levels.channels, set("channels"))), field(t("inDirect"), select(levels, settings.levels.direct, set("direct"))),
    field(t("doNotDisturb"), quiet), field(t("highlights"), highlights, t("highlightsHint")));
}

/** @param {App} app */
function privacy(app) {
  const ignored = app.store.ignored();
  return section(t("privacy"), h("div", "", null, toggle(app, "sendTyping", t("sendTyping")), toggle(app, "sendReadMarks", t("sendReadMarks"))),
    ignored.length ? h("ul", "", { "aria-label": t("ignoredPeople") }, ignored.map((name) => {
      const row = h("li", "browse-row", null, h("div", "", null, name), button(t("unignore"), () => { app.store.actions.ignore(name, false); row.remove(); }, "small", { "aria-label": `${t("unignore")}: ${name}` }));
      return row;
    })) : null);
}

/** @param {App} app @param {HTMLDialogElement} dialog */
function security(app, dialog) {
  const { actions } = app.store;
  const list = h("ul", "", null);
  const load = () => actions.devices().then((devices) => {
    if (!dialog.open) return;
    fillWith(list, devices.length ? devices.map((device) => {
      const name = shortFingerprint(device.fingerprint);
      const isThis = device.fingerprint === app.store.session().device;
      const about = [device.added === null ? "" : t("added", { time: formatMoment(device.added) }), device.lastUsed === null ? t("neverUsed") : t("lastUsed", { time: formatMoment(device.lastUsed) })];
      return h("li", "browse-row", null,
        h("div", "", null, h("strong", "", { title: device.fingerprint }, name), isThis ? ` ${t("thisDevice")}` : "", h("small", "", null, about.filter(Boolean).join(" · "))),
        isThis ? null : button(t("revoke"), () => void revoke(device.fingerprint), "small danger", { "aria-label": `${t("revoke")}: ${name}` }));
    }) : h("li", "hint", null, t("noDevices")));
  }, () => {});
  void load();
  return section(t("security"), h("div", "row-actions", null, button(t("changePassword"), () => void changePassword(app)), logOutButton(app, () => dialog.close())), h("h3", "", null, t("devices")), list);

  /** @param {string} fingerprint */
  async function revoke(fingerprint) {
    const answer = await ask({ title: t("revokeDeviceTitle"), text: t("revokeDeviceText"), action: t("revoke"), danger: true });
    if (answer && await app.attempt(actions.revokeDevice(fingerprint), t("done"))) await load();
  }
}

/** @param {App} app */
async function changePassword(app) {
  const answer = await ask({ title: t("changePassword"), action: t("changePassword"), fields: [{ label: t("oldPassword"), type: "password", required: true }, { label: t("newPassword"), type: "password", required: true }, { label: t("repeatPassword"), type: "password", required: true }] });
  if (!answer) return;
  if (answer[1] !== answer[2]) return void showNotice(t("passwordsDiffer"));
  const text = await app.attempt(app.store.actions.changePassword(answer[0], answer[1]));
  if (text) showNotice(typeof text === "string" ? text : t("saved"));
}

/** @param {App} app @param {"showJoins" | "rawText" | "sound" | "sendTyping" | "sendReadMarks"} key @param {string} label */
function toggle(app, key, label) {
  return checkbox(label, app.store.settings()[key], (on) => app.store.actions.setSetting(key, on));
}

/** Leaves the dialogs before the page is drawn in another language. Returns what closes them then; the settings go on in the language that was chosen in them. */
export function leaveDialogs() {
  const dialogs = document.querySelectorAll("dialog");
  const inSettings = document.querySelector("dialog.settings [name=language]") !== null;
  return (/** @type {App} */ app) => {
    dialogs.forEach((dialog) => dialog.close());
    if (!inSettings) return;
    openSettings(app);
    // The closed ones are still there for a moment.
    /** @type {HTMLElement | null} */ (document.querySelector("dialog.settings[open] [name=language]"))?.focus();
  };
}
