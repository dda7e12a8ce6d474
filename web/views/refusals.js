/** Refusals of the server as sentences that say what to do. */

import { showNotice } from "./parts/notices.js";
import { openLines } from "./dialogs/lines.js";
import { lookup, t } from "../text/index.js";

/** @import { TextKey } from "../text/index.js" */
/** @import { App } from "./app.js" */

/** Texts by numeric or code of FAIL. What is not here keeps the words of the server. @type {Record<string, TextKey>} */
const texts = {
  401: "refusal.noAccount", 403: "errNoChannel", 404: "errCannotSend", 405: "errTooManyChannels", 442: "refusal.notMember", 443: "errAlreadyThere", 464: "errWrongPassword",
  471: "errFull", 473: "errInviteOnly", 474: "errBanned", 475: "errNeedsKey", 476: "errChannelName", 478: "errListFull", 479: "errChannelName",
  481: "errAdminOnly", 482: "errNotOperator", 712: "errKnockedAlready",
  ACCESS_DENIED: "errAdminOnly", CHANNEL_NAME_IN_USE: "errNameTaken", INTERNAL_ERROR: "errServerFailed", INVALID_TARGET: "errNoChannel",
  KEY_NO_PERMISSION: "errNotOperator", NO_SUCH_ACCOUNT: "refusal.noAccount", NO_SUCH_INVITE: "errNoInvite", REDACT_FORBIDDEN: "errMayNotRemove",
  TEMPORARILY_UNAVAILABLE: "errServerFailed", TOKEN_SPENT: "errTokenSpent", UNKNOWN_MSGID: "refusal.gone", WEAK_PASSWORD: "errWeakPassword", WRONG_PASSWORD: "errWrongPassword",
  432: "errAccountName", 433: "errAccountName", BAD_ACCOUNT_NAME: "errAccountName", ACCOUNT_EXISTS: "errAccountExists", TOKEN_UNKNOWN: "errTokenUnknown",
  TOKEN_NEEDED: "errTokenUnknown", TOKEN_EXPIRED: "errTokenSpent", TOKEN_REVOKED: "errTokenSpent", TOKEN_USELESS: "errTokenSpent", TOKEN_OF_ANOTHER: "errTokenOfAnother",
  CAP: "errServerLacks", offline: "refusal.offline", timeout: "errTimeout",
};

/** Returns the sentence for a refusal, or a notice of the model. @param {unknown} error @returns {string} */
export function refusalText(error) {
  const { code, text, message } = /** @type {{ code?: string, text?: string, message?: unknown }} */ (error ?? {});
  if (typeof message === "object" && message !== null) {
    const { key, values } = /** @type {{ key: string, values: Record<string, string> }} */ (message);
    return lookup(key, values, text || key);
  }
  // Where a part of the page cannot be fetched, browsers reject its import with a sentence of their own.
  if (error instanceof TypeError && /import|module/i.test(error.message)) return t("errNotLoaded");
  const words = lookup(text ?? "", undefined, text ?? "");
  const key = code === undefined ? undefined : texts[code];
  if (key) return t(key, { reason: words });
  if (words) return words;
  console.error(error);
  return t("errUnknown");
}

/** Returns the sentence for a login that failed. @param {import("../model/types.js").LoginFailure} failure */
export function loginFailureText({ code, reason }) {
  const words = reason.replace(/^SASL authentication failed:? ?/, "");
  const isWrong = code === "904" && (words === "" || words === "Wrong account name or password");
  return refusalText({ code: isWrong ? "464" : code, text: words || reason || code });
}

/** Shows why something was refused. @param {unknown} error */
export function showRefusal(error) {
  showNotice(refusalText(error), undefined, undefined, true);
}

/** Shows what the model or the server tells the user. @param {App} app */
export function showNotices(app) {
  for (const notice of app.store.notices()) {
    app.store.actions.dismissNotice(notice.id);
    const channel = notice.conversation;
    if (notice.kind === "motd") {
      openLines(t("motd"), notice.text.split("\n"));
      continue;
    }
    const text = refusalText(notice);
    if (notice.kind === "invited" && channel) showNotice(text, { label: t("join"), run: () => app.openChannel(channel) });
    else showNotice(channel && channel !== app.chat?.name && !text.includes(channel) ? `${channel}: ${text}` : text);
  }
}

/** Says that files cannot be sent. */
export function refuseFiles() {
  showNotice(t("noFiles"));
}
