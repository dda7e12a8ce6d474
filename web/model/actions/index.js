/** All that a user can do. What only dialogs need is loaded with its first use. */

import { accountActions } from "./account.js";
import { channelActions } from "./channels.js";
import { conversationActions } from "./conversations.js";
import { messageActions } from "./messages.js";

/**
 * @typedef {import("../types.js").Actions} Actions
 * @typedef {import("../model.js").Model} Model
 *
 * @typedef {object} Link What the connection can do.
 * @property {Actions["login"]} login
 * @property {Actions["register"]} register
 * @property {Actions["logout"]} logout
 * @property {Actions["reconnect"]} reconnect
 * @property {Actions["switchServer"]} switchServer
 */

/**
 * @param {Model} model
 * @param {Link} link
 * @returns {Actions}
 */
export function createActions(model, link) {
  /** @type {Actions} */
  const actions = {
    login: (name, password, remember) => link.login(name, password, remember),
    register: (name, password, token) => link.register(name, password, token),
    logout: () => link.logout(),
    reconnect: () => link.reconnect(),
    switchServer: (name) => link.switchServer(name),
    ...conversationActions(model),
    ...messageActions(model, () => actions),
    ...accountActions(model),
    ...channelActions(model),
  };
  return actions;
}
