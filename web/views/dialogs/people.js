/** The people of the server; for admins also invites with their QR code, and the latest actions. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { ask, checkbox, field, openDialog, select } from "../parts/dialog.js";
import { avatar } from "../parts/people.js";
import { refusalText } from "../refusals.js";
import { describeAction, describeInvite } from "./sentences.js";
import { formatDateTime, t } from "../../text/index.js";
import { formatShort } from "../../text/times.js";

/** @import { InviteOptions } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Channel that new accounts land in. */
const LOBBY = "#lobby";
/** Rows that are drawn at most; more are found by words. */
const MAX_ROWS = 300;

/** @param {App} app @param {"accounts" | "invites" | "audit"} [start] */
export function openPeople(app, start = "accounts") {
  const { isAdmin } = app.store.session();
  const { body, dialog, close } = openDialog(isAdmin ? t("peopleAndInvites") : t("people"));
  const content = h("div", "dialog-section", { id: "people-tab", role: isAdmin ? "tabpanel" : null });
  const tabs = /** @type {const} */ ([["accounts", "people"], ["invites", "invites"], ["audit", "audit"]]);
  const bar = h("div", "row-actions", { role: "tablist", "aria-label": t("peopleAndInvites"), onkeydown: (/** @type {KeyboardEvent} */ event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const at = tabs.findIndex(([key]) => key === shown);
    if (step) show(tabs[(at + step + tabs.length) % tabs.length][0]);
  } });
  let shown = isAdmin ? start : "accounts";
  fillWith(body, isAdmin ? bar : null, content);
  show(shown);

  /** @param {"accounts" | "invites" | "audit"} tab */
  function show(tab) {
    shown = tab;
    fillWith(bar, tabs.map(([key, label]) => button(t(label), () => show(key), key === tab ? "small primary" : "small", {
      role: "tab", "aria-selected": String(key === tab), "aria-controls": "people-tab", tabIndex: key === tab ? 0 : -1,
    })));
    const isOpen = () => dialog.open && shown === tab;
    if (tab === "accounts") accounts(app, content, isOpen, close);
    else if (tab === "invites") void invites(app, content, isOpen);
    else void audit(app, content, isOpen);
    if (dialog.contains(document.activeElement) && bar.isConnected) /** @type {HTMLElement | null} */ (bar.querySelector("[aria-selected=true]"))?.focus();
  }
}

/** @param {App} app @param {HTMLElement} place @param {() => boolean} isOpen @param {() => void} close */
function accounts(app, place, isOpen, close) {
  const input = h("input", "", { type: "search", placeholder: t("findPerson"), "aria-label": t("findPerson"), oninput: () => { draw(); clearTimeout(timer); timer = setTimeout(load, 300); } });
  const list = h("ul", "members", null);
  const status = h("p", "hint", { role: "status" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  fillWith(place, input, status, list);
  load();

  function load() {
    app.store.actions.loadDirectory(input.value.trim() || undefined).then(() => { if (isOpen()) draw(); }, (error) => { status.textContent = refusalText(error); });
  }

  function draw() {
    const words = input.value.trim().toLowerCase();
    const { accounts: all, loading } = app.store.directory();
    const found = all.filter((account) => `${account.name} ${app.store.trustedName(account.name) ?? ""} ${account.fullName}`.toLowerCase().includes(words)).sort((a, b) => Number(b.online) - Number(a.online) || a.name.localeCompare(b.name));
    status.textContent = loading && !found.length ? t("loading") : t("accountsCount", { count: found.length });
    fillWith(list, found.slice(0, MAX_ROWS).map(({ name, fullName, online, isAdmin }) => accountRow(name, fullName, online, isAdmin)));
  }

  /** @param {string} name @param {string} fullName @param {boolean} online @param {boolean} isAdmin */
  function accountRow(name, fullName, online, isAdmin) {
    const displayName = app.store.trustedName(name);
    return h("li", "", null,
      h("button", `member ${online ? "" : "offline"}`, { type: "button", onclick: () => { close(); void app.openProfile(name); } },
        avatar(name, displayName, "", online ? "online" : "offline"),
        h("span", "names", null, h("span", "line", null, h("span", "truncate", { dir: "auto" }, displayName ?? name), isAdmin ? h("span", "tag", null, t("admin")) : null),
          h("span", "visually-hidden", null, t(online ? "online" : "offline")), h("small", "truncate", { dir: "auto" }, [displayName ? name : "", fullName !== name ? fullName : ""].filter(Boolean).join(" · ")))));
  }
}

/** @param {App} app @param {HTMLElement} place @param {() => boolean} isOpen */
async function invites(app, place, isOpen) {
  const list = h("div", "", null, h("p", "hint", { role: "status" }, t("loading")));
  const result = h("div", "", null);
  const uses = h("input", "", { type: "number", min: 1, max: 1000, value: 1 });
  const lifetime = select([["24h", t("oneDay")], ["7d", t("oneWeek")], ["30d", t("oneMonth")]], "24h", () => {});
  const channels = app.store.conversations().filter((item) => item.kind === "channel" && item.joined).map((item) => item.name);
  // The server takes #lobby where none is named.
  const names = [...new Set([LOBBY, ...channels])];
  const channel = select(names.map((name) => /** @type {[string, string]} */ ([name, name])), LOBBY, () => {});
  let admin = false;
  const onsubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const link = await app.attempt(app.store.actions.createInvite({ uses: Number(uses.value) || 1, lifetime: lifetime.value, channel: channel.value, admin }));
    if (typeof link !== "string" || !isOpen()) return;
    await showLink(app, result, link);
    void load();
  };
  fillWith(place,
    h("form", "dialog-section", { onsubmit }, h("p", "", null, t("inviteIntro")),
      h("div", "invite-fields", null, field(t("inviteUses"), uses), field(t("inviteLifetime"), lifetime), field(t("inviteChannel"), channel)),
      checkbox(t("inviteAdmin"), false, (on) => { admin = on; }),
      h("div", "row-actions", null, h("button", "button primary", { type: "submit" }, t("makeInvite")))),
    result, h("hr", ""), h("h3", "", null, t("openInvites")), list);
  await load();

  async function load() {
    try {
      const open = await app.store.actions.invites();
      if (!isOpen()) return;
      fillWith(list, open.length ? h("ul", "", null, open.map((invite) => h("li", "browse-row", null, h("div", "", { dir: "auto" }, describeInvite(invite.text)), button(t("revoke"), () => void revoke(invite.id), "small", { "aria-label": `${t("revoke")}: ${invite.id}` }))))
        : h("p", "hint", null, t("noInvites")));
    } catch (error) {
      fillWith(list, h("p", "error", { role: "alert" }, refusalText(error)));
    }
  }

  /** @param {number} id */
  async function revoke(id) {
    const answer = await ask({ title: t("revokeTitle"), text: t("revokeText"), action: t("revoke"), danger: true });
    if (answer && await app.attempt(app.store.actions.revokeInvite(id), t("done"))) await load();
  }
}

/** Makes an invite in a dialog of its own. @param {App} app @param {InviteOptions} options */
export async function openInvite(app, options) {
  const link = await app.attempt(app.store.actions.createInvite(options));
  if (typeof link !== "string") return;
  const { body } = openDialog(options.for ? t("newPasswordFor", { name: options.for }) : t("inviteLink"), "narrow");
  await showLink(app, body, link);
}

/** @param {App} app @param {HTMLElement} place @param {string} link */
async function showLink(app, place, link) {
  const { encodeQr } = await import("../../qr.js");
  const cells = encodeQr(link);
  const scale = Math.max(4, Math.floor(480 / (cells.length + 8)));
  const size = (cells.length + 8) * scale;
  const canvas = h("canvas", "qr", { width: size, height: size, role: "img", "aria-label": t("qrCode") });
  const context = canvas.getContext("2d");
  if (context) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, size, size);
    context.fillStyle = "#000";
    cells.forEach((row, y) => row.forEach((dark, x) => { if (dark) context.fillRect((x + 4) * scale, (y + 4) * scale, scale, scale); }));
  }
  const group = h("div", "dialog-section", { role: "group", "aria-label": t("inviteLink") }, h("p", "", null, t("linkIsSecret")), h("p", "secret", null, link),
    h("div", "row-actions", null, button(t("copyLink"), () => void app.attempt(navigator.clipboard.writeText(link), t("copied")), "primary")),
    h("p", "hint", null, t(app.store.session().mode === "server" ? "inviteHowPage" : "inviteHow")), canvas);
  fillWith(place, group);
  group.scrollIntoView({ block: "start" });
}

/** @param {App} app @param {HTMLElement} place @param {() => boolean} isOpen */
async function audit(app, place, isOpen) {
  fillWith(place, h("p", "hint", { role: "status" }, t("loading")));
  try {
    const items = await app.store.actions.audit(100);
    if (!isOpen()) return;
    fillWith(place, items.length ? h("table", "", null,
      h("thead", "", null, h("tr", "", null, [t("when"), t("by"), t("action")].map((label) => h("th", "", { scope: "col" }, label)))),
      h("tbody", "", null, items.map((item) => h("tr", "", null, h("td", "", { title: formatDateTime(item.time) }, formatShort(item.time)), h("td", "", null, item.account ?? t("commandLine")), h("td", "", { dir: "auto" }, describeAction(item.text))))))
      : h("p", "hint", null, t("noAudit")));
  } catch (error) {
    fillWith(place, h("p", "error", { role: "alert" }, refusalText(error)));
  }
}
