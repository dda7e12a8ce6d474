/** The line above the panes that says the state of the connection, with its remedy. */

import { fillWith, h } from "./parts/dom.js";
import { lookup, t } from "../text/index.js";

/** @import { App } from "./app.js" */

/** Time without a connection after which it is said, in milliseconds: a short one would only flicker. */
const PATIENCE = 600;

/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
let offlineSince = 0;

/** @param {App} app */
export function drawBanner(app) {
  const state = app.store.connection();
  const { banner } = app;
  clearTimeout(timer);
  if (state.phase === "online" || state.phase === "login") {
    offlineSince = 0;
    banner.hidden = true;
    banner.dataset.text = "";
    return;
  }
  offlineSince ||= Date.now();
  const again = (/** @type {number} */ delay) => { timer = setTimeout(() => { if (app.isAlive) drawBanner(app); }, delay); };
  if (state.phase !== "ended" && Date.now() - offlineSince < PATIENCE) return again(PATIENCE);
  banner.hidden = false;
  const seconds = state.phase === "waiting" ? Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000)) : 0;
  const text = state.phase === "connecting" ? t("connecting") : state.phase === "ended" ? state.reason ? t("connectionEnded", { reason: state.reason }) : t("pageEnded")
    : lookup(state.reason, undefined, state.reason && t("disconnected", { reason: state.reason })) || t("notConnected");
  if (state.phase === "waiting") again(1000);
  const key = text + state.phase;
  if (banner.dataset.text !== key) {
    banner.dataset.text = key;
    fillWith(banner, state.phase === "ended" ? null : h("span", "spinner", { "aria-hidden": "true" }), h("span", "", null, text),
      h("span", "hint", { "aria-hidden": "true" }),
      state.phase === "waiting" ? h("button", "button small", { type: "button", onclick: () => app.store.actions.reconnect() }, t("tryNow")) : null);
  }
  const hint = banner.querySelector(".hint");
  if (hint) hint.textContent = seconds > 0 ? t("triesAgainIn", { count: seconds }) : "";
}
