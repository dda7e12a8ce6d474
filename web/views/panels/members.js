/** The members of a channel: those online by member status, then those offline. */

import { fillWith, h, replaceItems } from "../parts/dom.js";
import { avatar, presenceText } from "../parts/people.js";
import { formatNumber, t } from "../../text/index.js";

/** @import { Member, Prefix } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** Rows that are drawn at once; the others follow as one scrolls. */
const PAGE = 200;

/** @param {App} app @param {string} name */
export function membersPanel(app, name) {
  const filter = h("input", "", { type: "search", placeholder: t("filterMembers"), "aria-label": t("filterMembers"), oninput: () => { shown = PAGE; draw(); } });
  const body = h("div", "panel-body members", { onscroll: () => {
    if (body.scrollTop + body.clientHeight > body.scrollHeight - 300 && shown < total) { shown += PAGE; draw(); }
  } });
  const filters = h("div", "filters", { hidden: true }, filter);
  const note = h("span", "count");
  let shown = PAGE;
  let total = 0;

  function draw() {
    const all = app.store.members(name);
    filters.hidden = all.length < 20;
    const words = filter.value.trim().toLowerCase();
    const members = words ? all.filter((member) => `${member.name} ${member.displayName ?? ""}`.toLowerCase().includes(words)) : all;
    total = members.length;
    const online = all.filter(({ presence }) => presence !== "offline").length;
    note.textContent = online < all.length ? t("onlineOf", { online, count: all.length }) : all.length ? formatNumber(all.length) : "";
    /** @type {Map<string, Member[]>} */
    const groups = new Map();
    for (const member of members) {
      const group = member.presence === "offline" ? t("offline") : groupName(member.prefix);
      const list = groups.get(group);
      if (list) list.push(member);
      else groups.set(group, [member]);
    }
    let room = shown;
    const rows = [...groups].flatMap(([group, list]) => {
      const drawn = list.slice(0, room);
      room -= drawn.length;
      return drawn.length ? [h("h3", "", null, `${group} – ${formatNumber(list.length)}`), h("ul", "", { "aria-label": group }, drawn.map((member) => h("li", "", null, memberButton(app, member))))] : [];
    });
    replaceItems(body, rows.length || !words ? rows : [h("p", "panel-text", null, t("nobodyFound"))]);
  }

  return {
    note,
    parts: [filters, body],
    update: (/** @type {Set<string>} */ topics) => {
      if (!topics.size || topics.has("people") || [...topics].some((topic) => topic.startsWith("members:"))) draw();
    },
    destroy: () => fillWith(body),
  };
}

/** @param {Prefix} prefix */
function groupName(prefix) {
  return prefix === "~" || prefix === "&" ? t("founders") : prefix === "@" ? t("operators") : prefix === "%" ? t("halfOperators") : prefix === "+" ? t("voices") : t("members");
}

/** @param {App} app @param {Member} member */
function memberButton(app, member) {
  const about = member.awayMessage ?? (member.displayName ? member.name : "");
  return h("button", `member ${member.presence}`, { type: "button", "data-key": member.name, onclick: () => app.openProfile(member.name) },
    avatar(member.name, member.displayName, "", member.presence),
    h("span", "names", null, h("span", "line", null, h("span", "truncate", { dir: "auto", title: member.displayName ?? member.name }, member.displayName ?? member.name),
      member.isMe ? h("span", "", null, t("you")) : null, member.isBot ? h("span", "tag", null, t("bot")) : null),
      h("span", "visually-hidden", null, ` ${presenceText(member.presence)}`), about ? h("small", "truncate", { dir: "auto" }, about) : null));
}
