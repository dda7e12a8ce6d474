/** Entry of the page: the model, the language, the theme, and the screen for the state of the connection. */

import { start } from "./connection/start.js";
import { App } from "./views/app.js";
import { startAlerts } from "./views/alerts.js";
import { drawLogin, drawState } from "./views/login.js";
import { useLanguage } from "./text/index.js";

/** @import { Store } from "./model/types.js" */

/**
 * Runs the page with a store.
 * @param {Store} store
 */
export async function run(store) {
  const root = /** @type {HTMLElement} */ (document.getElementById("page") ?? document.body);
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {App | null} */
  let app = null;
  let language = "";
  system.addEventListener("change", applyTheme);
  applyTheme();
  await applyLanguage();
  startAlerts(store, (name, msgid) => void app?.open(name, msgid ?? undefined));
  store.subscribe((topics) => {
    if (topics.has("settings")) {
      applyTheme();
      void applyLanguage();
    }
    if (topics.has("connection")) draw();
  });
  draw();

  /** Shows the conversations once there was a session, even without a connection. */
  function draw() {
    const { phase } = store.connection();
    const hasSession = store.session().account !== "" && (phase === "online" || app !== null || store.conversations().length > 0);
    if (phase !== "login" && phase !== "ended" && hasSession) {
      app ??= makeApp();
      return;
    }
    if (app && phase === "ended" && store.connection().phase === "ended" && hasSession && isRecoverable()) return;
    app?.destroy?.();
    app = null;
    root.removeAttribute("data-pane");
    root.removeAttribute("role");
    root.id = "page";
    if (phase === "login") drawLogin(store, root);
    else drawState(store, root);
  }

  function isRecoverable() {
    const state = store.connection();
    return state.phase === "ended" && state.code === "refused";
  }

  function makeApp() {
    delete root.dataset.state;
    delete root.dataset.login;
    return new App(store, root);
  }

  function applyTheme() {
    const { theme, reducedMotion } = store.settings();
    document.documentElement.dataset.theme = theme === "system" ? system.matches ? "dark" : "light" : theme;
    document.documentElement.toggleAttribute("data-still", reducedMotion === "on");
  }

  async function applyLanguage() {
    const settings = store.settings();
    const wanted = `${settings.language} ${settings.hour12}`;
    if (wanted === language) return;
    language = wanted;
    await useLanguage(settings.language, settings.hour12);
    if (app) {
      const dialogs = document.querySelectorAll("dialog[open]");
      app.destroy?.();
      app = makeApp();
      dialogs.forEach((dialog) => /** @type {HTMLDialogElement} */ (dialog).close());
    }
  }
}

if (!document.documentElement.hasAttribute("data-test")) void run(start());
