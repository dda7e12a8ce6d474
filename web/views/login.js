/** The form of name and password, where the page comes from the server itself. */

import { fillWith, h } from "./parts/dom.js";
import { field } from "./parts/dialog.js";
import { loginFailureText } from "./refusals.js";
import { lookup, t } from "../text/index.js";

/** @import { ConnectionState, Store } from "../model/types.js" */

/** Draws the form. An invite is given as its link or its token. @param {Store} store @param {HTMLElement} root */
export function drawLogin(store, root) {
  const state = store.connection();
  if (state.phase !== "login") return;
  const key = `${state.error?.code}|${state.error?.reason}|${state.canRegister}|${state.network}`;
  if (root.dataset.login === key && root.querySelector("form")) return;
  root.dataset.login = key;
  const old = root.querySelector("form");
  const wasRegister = old?.dataset.mode === "register";
  draw(wasRegister);

  /** @param {boolean} isRegister */
  function draw(isRegister) {
    const { network, error, canRegister } = /** @type {Extract<ConnectionState, { phase: "login" }>} */ (store.connection());
    const before = /** @type {HTMLInputElement | null} */ (root.querySelector("[name=username]"))?.value ?? "";
    const name = h("input", "", { type: "text", name: "username", value: before, required: true, autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
    const password = h("input", "", { type: "password", name: "password", required: true, autocomplete: isRegister ? "new-password" : "current-password" });
    const token = h("input", "", { type: "text", name: "token", value: /** @type {HTMLInputElement | null} */ (root.querySelector("[name=token]"))?.value ?? "", required: true, autocomplete: "off", spellcheck: "false" });
    const send = h("button", "button primary", { type: "submit" }, isRegister ? t("createAccount") : t("logIn"));
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      // The same failure again is a new one.
      delete root.dataset.login;
      send.disabled = true;
      send.textContent = t("loggingIn");
      if (isRegister) store.actions.register(name.value.trim(), password.value, tokenOf(token.value.trim()));
      else store.actions.login(name.value.trim(), password.value);
    };
    fillWith(root, h("main", "welcome", null, h("form", "card", { onsubmit, "data-mode": isRegister ? "register" : "login" },
      h("h1", "", { dir: "auto" }, network || "Parlour"),
      error ? h("p", "error", { role: "alert" }, loginFailureText(error)) : h("p", "hint", null, isRegister ? t("registerIntro") : t("loginIntro")),
      field(t("accountName"), name), field(t("password"), password), isRegister ? field(t("inviteToken"), token, t("inviteTokenHint")) : h("p", "hint", null, t("stayLoggedIn")),
      send,
      canRegister ? h("button", "link", { type: "button", onclick: () => draw(!isRegister) }, isRegister ? t("haveAccount") : t("haveInvite")) : null)));
    (before ? password : name).focus();
  }
}

/** Returns the token of an invite link, or the text if it is none. @param {string} text */
function tokenOf(text) {
  return /[?&]token=([^&#\s]+)/.exec(text)?.[1] ?? text;
}

/** Draws the end of the session for good, or the first connection while it lasts. @param {Store} store @param {HTMLElement} root */
export function drawState(store, root) {
  const state = store.connection();
  const key = JSON.stringify([state.phase, "reason" in state ? state.reason : ""]);
  if (root.dataset.state === key) return;
  root.dataset.state = key;
  const isEnded = state.phase === "ended";
  const remedy = state.phase !== "ended" ? "" : state.code === "token" ? t("tokenRemedy") : state.code === "logged-out" ? "" : t("endedRemedy");
  const reason = "reason" in state ? lookup(state.reason, undefined, state.reason) : "";
  fillWith(root, h("main", "welcome", null, h("div", "card", { role: "status" },
    h("h1", "", null, isEnded ? state.code === "logged-out" ? t("loggedOut") : t("pageEnded") : t("connecting")),
    reason && !(isEnded && state.code === "logged-out") ? h("p", isEnded ? "error" : "hint", { dir: "auto" }, reason) : null,
    remedy ? h("p", "", null, remedy) : null,
    state.phase === "waiting" ? h("p", "hint", null, t("waitingRemedy")) : null,
    state.phase === "waiting" ? h("button", "button", { type: "button", onclick: () => store.actions.reconnect() }, t("tryNow")) : null,
    isEnded ? h("button", "button primary", { type: "button", onclick: () => location.reload() }, t("reload")) : null)));
}
