/** All that a user can do. What one does not need to read is loaded with its first use. */

import { conversationActions } from "./conversations.js";

/** @import { Model } from "../model.js" */
/** @import { Actions } from "../types.js" */

/**
 * @typedef {Pick<Actions, "login" | "register" | "logout" | "reconnect" | "switchServer">} Link What the connection can do.
 */

/** @type {typeof import("./more.js").moreActions | undefined} */
let moreActions;

/** Loads the other actions, and what they need of the model: messages on their way, held redactions. @param {Model} model */
export async function loadActions(model) {
  ({ moreActions } = await import("./more.js"));
  moreActions(model);
}

/** @param {Model} model @param {Link} link @returns {Actions} */
export function createActions(model, link) {
  /** @type {Record<string, Function>} */
  const known = {
    login: link.login.bind(link),
    register: link.register.bind(link),
    logout: link.logout.bind(link),
    reconnect: link.reconnect.bind(link),
    switchServer: link.switchServer.bind(link),
    ...conversationActions(model),
  };
  const act = (/** @type {string} */ name) => async (/** @type {unknown[]} */ ...args) => {
    await loadActions(model);
    return actions[name](...args);
  };
  /** @type {Record<string, Function>} */
  const actions = new Proxy(known, { get: (_, name) => known[String(name)] ?? moreActions?.(model)[String(name)] ?? act(String(name)) });
  model.actions = /** @type {Actions} */ (/** @type {unknown} */ (actions));
  return model.actions;
}
