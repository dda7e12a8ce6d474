/** What the server says of actions and invites, as sentences in the user's language. What is not known here keeps its words. */

import { describeModes } from "../conversation/events.js";
import { t } from "../../text/index.js";
import { formatMoment } from "../../text/times.js";

/** @import { Prefix } from "../../model/types.js" */
/** @import { TextKey } from "../../text/index.js" */

/** Characters of a fingerprint that are shown. */
const SHOWN_FINGERPRINT = 16;

/** @param {string} fingerprint */
export function shortFingerprint(fingerprint) {
  return fingerprint.length > SHOWN_FINGERPRINT ? `${fingerprint.slice(0, SHOWN_FINGERPRINT)}…` : fingerprint;
}

/** Actions whose sentence names their target and nothing else. @type {Record<string, TextKey>} */
const PLAIN = {
  "server accept-loss": "actAcceptLoss", "server oper": "actOper", "invite revoke": "actInviteRevoke", "user passwd": "actUserPassword", "user disable": "actUserDisable",
  "user enable": "actUserEnable", "user remove": "actUserRemove", "account passwd": "actOwnPassword", "message redact": "actRedact", "channel topic": "actTopic",
};

/**
 * Describes an action of an admin or moderator without its author. The server writes `<group> <action> [<target>][: <detail>]`.
 * @param {string} text
 */
export function describeAction(text) {
  const [, action = "", target = "", detail = ""] = /^(\S+ [a-z-]+)(?: ([^\s:]\S*?))?(?:: (.*))?$/su.exec(text) ?? [];
  const [, rest = detail, revoked] = /^(.*?)(?:, )?invites revoked: (\d+)$/su.exec(detail) ?? [];
  const sentence = describeKnown(action, target, rest) ?? text;
  return revoked && sentence !== text ? `${sentence}; ${t("actInvitesRevoked", { count: Number(revoked) })}` : sentence;
}

/** @param {string} action @param {string} target @param {string} detail @returns {string | null} */
function describeKnown(action, target, detail) {
  const withReason = (/** @type {string} */ sentence, /** @type {string} */ reason) => reason ? `${sentence} (${reason})` : sentence;
  if (Object.hasOwn(PLAIN, action)) return t(PLAIN[action], { name: target });
  switch (action) {
    case "server rehash":
    case "server reload": return withReason(t("actRehash"), detail);
    case "server kill": return withReason(t("actKill", { name: target }), detail);
    case "invite create": return describeNewInvite(target, detail);
    case "invite redeem": {
      const id = /^invite (\d+)/u.exec(detail)?.[1] ?? "?";
      return t(/password and devices reset/u.test(detail) ? "actReset" : "actRedeem", { name: target, id });
    }
    case "user add": return t(/^admin/u.test(detail) ? "actAddAdmin" : "actAdd", { name: target });
    case "user role": return t(detail === "admin" ? "actMakeAdmin" : "actMakeMember", { name: target });
    case "user set": return t("actUserSet", { name: target, text: detail });
    case "device add": return t("actDeviceAdd", { name: shortFingerprint(target) });
    case "device remove": return t("actDeviceRemove", { name: shortFingerprint(target) });
    case "channel rename": return t("actRename", { from: target, to: detail });
    case "channel mode": return t("actMode", { channel: target, text: describeModes(detail) });
    case "channel metadata": return detail === "parlour/pinned-messages" ? t("actPins", { channel: target }) : t("actMetadata", { channel: target, text: detail });
    case "channel kick": {
      const [, channel = "", reason = ""] = /^(\S+?): ?(.*)$/su.exec(detail) ?? [];
      return channel ? withReason(t("actKick", { name: target, channel }), reason) : null;
    }
    default: return null;
  }
}

/** @param {string} id @param {string} detail */
function describeNewInvite(id, detail) {
  const [, accounts, name, until = ""] = /^(?:((?:member|admin), \d+) uses|resets (\S+)), until (\S+)$/u.exec(detail) ?? [];
  const time = momentOf(until);
  if (time === null) return null;
  if (name) return t("actInviteReset", { id, name, time });
  return t(accounts?.startsWith("admin") ? "actInviteAdmin" : "actInvite", { id, count: Number(accounts?.split(" ")[1]), time });
}

/**
 * Describes an open invite: what it does, how often it was used, how long it lasts, and who made it.
 * @param {string} text
 */
export function describeInvite(text) {
  const [, id = "", effect = "", spent = "", uses = "", until = "", by] = /^Invite (\d+): (.+); used (\d+) of (\d+), until ([-\d]+ [\d:]+) UTC, made (?:by (\S+)|on the command line)$/u.exec(text) ?? [];
  const time = momentOf(`${until.replace(" ", "T")}Z`);
  if (id === "" || time === null) return text;
  const reset = /^resets the password and devices of (\S+)$/u.exec(effect)?.[1];
  const [, role = "", channel = ""] = /^(?:one|\d+) (\w+) accounts?(?:, landing in (\S+))?$/u.exec(effect) ?? [];
  if (!reset && !role) return text;
  const what = reset ? t("inviteResets", { name: reset }) : t(role === "admin" ? "inviteMakesAdmins" : "inviteMakes", { count: Number(uses) });
  return [channel && !reset ? `${what}, ${t("inviteLandsIn", { channel })}` : what, reset ? "" : t("inviteUsed", { spent, uses }), t("inviteUntil", { time }), by ? t("inviteBy", { name: by }) : t("inviteByCommandLine")].filter(Boolean).join(" · ");
}

/** Formats a time of the server for the user's clock; `null` for what is none. @param {string} text */
function momentOf(text) {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : formatMoment(time);
}

/** Returns the text of a member status. @param {Prefix} prefix */
export function statusText(prefix) {
  switch (prefix) {
    case "~": return t("founder");
    case "&": return t("protectedMember");
    case "@": return t("operator");
    case "%": return t("halfOperator");
    case "+": return t("voice");
    default: return "";
  }
}
