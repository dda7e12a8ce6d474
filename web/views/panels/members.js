/** The members of a channel by member status, and the person of a direct conversation. */

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
  let shown = PAGE;
  let total = 0;

  function draw() {
    const all = app.store.members(name);
    filters.hidden = all.length < 20;
    const words = filter.value.trim().toLowerCase();
    const members = words ? all.filter((member) => `${member.name} ${member.displayName ?? ""}`.toLowerCase().includes(words)) : all;
    total = members.length;
    /** @type {Map<string, Member[]>} */
    const groups = new Map();
    for (const member of members.slice(0, shown)) {
      const group = member.presence === "offline" ? t("offline") : groupName(member.prefix);
      groups.set(group, [...groups.get(group) ?? [], member]);
    }
    const offline = groups.get(t("offline"));
    if (offline) { groups.delete(t("offline")); groups.set(t("offline"), offline); }
    const rows = [...groups].flatMap(([group, list]) => [h("h3", "", null, `${group} – ${formatNumber(list.length)}`), h("ul", "", { "aria-label": group }, list.map((member) => h("li", "", null, memberButton(app, member))))]);
    replaceItems(body, rows.length ? rows : [h("p", "panel-text", null, t("nobodyFound"))]);
  }

  return {
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
