/** Events of a channel as sentences. */

import { formatList, t } from "../../text/index.js";
import { plainText } from "../../wire/markup.js";

/** @import { TimelineEvent } from "../../model/types.js" */

/** @param {TimelineEvent | null} event */
export function signOf(event) {
  switch (event?.type) {
    case "join": return "→";
    case "part": case "quit": case "kick": return "←";
    case "gap": return "⋯";
    default: return "•";
  }
}

/** @param {TimelineEvent | null} event @returns {string} */
export function describeEvent(event) {
  const reason = event && "reason" in event && event.reason ? ` (${event.reason})` : "";
  switch (event?.type) {
    case "join": return t("joined", { name: event.who });
    case "part": return t("left", { name: event.who }) + reason;
    case "quit": return t("wentOffline", { name: event.who }) + reason;
    case "kick": return t("kicked", { by: event.by, name: event.who }) + reason;
    case "topic": return event.text ? t("setTopic", { name: event.by, text: plainText(event.text) }) : t("clearedTopic", { name: event.by });
    case "mode": return `${event.by} ${describeModes(event.text)}`;
    case "rename": return t("renamed", { by: event.by, from: event.from, to: event.to });
    case "gap": return t("gap");
    default: return "";
  }
}

/** Describes joins and parts in a row: who came and who left. @param {(TimelineEvent | null)[]} events */
export function describeRun(events) {
  /** @type {Map<string, boolean>} */
  const here = new Map();
  for (const event of events) if (event && "who" in event) { here.delete(event.who); here.set(event.who, event.type === "join"); }
  const names = (/** @type {boolean} */ on) => [...here].filter(([, isHere]) => isHere === on).map(([name]) => name);
  const listed = (/** @type {string[]} */ all) => all.length > 4 ? formatList([...all.slice(0, 3), t("others", { count: all.length - 3 })]) : formatList(all);
  const [came, left] = [names(true), names(false)];
  return [came.length && t("cameRun", { names: listed(came), count: came.length }), left.length && t("leftRun", { names: listed(left), count: left.length })].filter(Boolean).join(" · ");
}

const flags = /** @type {const} */ ({
  i: ["modeInviteOnly", "modeOpen"], m: ["modeModerated", "modeUnmoderated"], s: ["modeSecret", "modeListed"], t: ["modeTopicLocked", "modeTopicOpen"],
  n: ["modeMembersOnly", "modeOutside"], C: ["modeNoCtcp", "modeCtcp"],
});
const statuses = /** @type {const} */ ({ q: "founder", a: "protectedMember", o: "operator", h: "halfOperator" });

/** Describes a change of modes, such as `+o-b bob carol!*@*`, as a sentence without its author. Unknown modes are named by their letters. @param {string} text */
export function describeModes(text) {
  const [letters = "", ...values] = text.split(/\s+/u).filter(Boolean);
  const parts = [];
  let on = true;
  for (const letter of letters) {
    if (letter === "+" || letter === "-") on = letter === "+";
    else {
      const part = describeLetter(on, letter, values);
      if (part === null) return t("modeUnknown", { text });
      parts.push(part);
    }
  }
  return values.length || !parts.length ? t("modeUnknown", { text }) : parts.join("; ");
}

/** @param {boolean} on @param {string} letter @param {string[]} values */
function describeLetter(on, letter, values) {
  if (letter in flags) return t(flags[/** @type {keyof typeof flags} */ (letter)][on ? 0 : 1]);
  if (letter === "k") {
    values.shift();
    return t(on ? "modeKey" : "modeNoKey");
  }
  if (letter === "l" && !on) return t("modeNoLimit");
  const value = values.shift();
  if (value === undefined) return null;
  if (letter === "l") return t("modeLimit", { count: Number(value) });
  if (letter in statuses) {
    return t(on ? "modeGiveStatus" : "modeTakeStatus", { name: value, status: t(statuses[/** @type {keyof typeof statuses} */ (letter)]) });
  }
  if (letter === "v") return t(on ? "modeVoice" : "modeNoVoice", { name: value });
  const name = maskName(value);
  if (letter === "b") return t(/^m:/iu.test(value) ? on ? "modeMute" : "modeUnmute" : on ? "modeBan" : "modeUnban", { name });
  if (letter === "e") return t(on ? "modeExcept" : "modeNoExcept", { name });
  if (letter === "I") return t(on ? "modeInvited" : "modeNotInvited", { name });
  return null;
}

/** Returns the name in a mask that stands for one account, or the whole mask. @param {string} mask */
export function maskName(mask) {
  return mask.replace(/^m:/iu, "").replace(/^a:|!\*@\*$/u, "");
}
