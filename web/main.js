/** Entry of the page: the model, the language, the theme, and the screen for the state of the connection. */

import { start } from "./connection/start.js";
import { App } from "./views/app.js";
import { later, loaded, preload } from "./views/later.js";
import { useLanguage } from "./text/index.js";

/** @import { Store } from "./model/types.js" */

/**
 * Runs the page with a store.
 * @param {Store} store
 */
export async function run(store) {
  const root = document.getElementById("page") ?? document.body;
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {App | null} */
  let app = null;
  let language = "";
  system.addEventListener("change", applyTheme);
  applyTheme();
  await applyLanguage();
  store.onAlert(async (alert) => (await import("./views/alerts.js")).notify(store, alert, (name, msgid) => void app?.open(name, msgid ?? undefined)));
  store.subscribe((topics) => {
    if (topics.has("settings")) {
      applyTheme();
      void applyLanguage();
    }
    if (topics.has("connection")) draw();
  });
  draw();
  preload(store, () => app?.isStarted() ?? store.connection().phase === "login");

  /** Shows the conversations once there was a session, even without a connection. */
  function draw() {
    const state = store.connection();
    const hasSession = store.session().account !== "" && (state.phase === "online" || app !== null || store.conversations().length > 0);
    if (hasSession && state.phase !== "login" && (state.phase !== "ended" || app && state.code === "refused")) {
      app ??= makeApp();
      return;
    }
    // The file of the page has the screen for the first attempt.
    if (!app && state.phase === "connecting" && state.attempt === 1 && !root.dataset.state) return;
    void drawWithout();
  }

  /** Shows the login, or why there are no conversations. */
  async function drawWithout() {
    const { drawLogin, drawState } = await later(import("./views/login.js"));
    const { phase } = store.connection();
    if (phase === "online") return;
    app?.destroy();
    // The next user of this browser need not see who was written to.
    if (app && phase === "login") loaded.places?.stayAt({ pane: "list", name: null });
    app = null;
    root.removeAttribute("data-pane");
    root.removeAttribute("role");
    root.id = "page";
    if (phase === "login") drawLogin(store, root);
    else drawState(store, root);
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
    document.documentElement.lang = await useLanguage(settings.language, settings.hour12);
    if (!app) return;
    const goOn = loaded.leaveDialogs?.();
    app.destroy();
    app = makeApp();
    goOn?.(app);
  }
}

if (!document.documentElement.hasAttribute("data-test")) void run(await start());
