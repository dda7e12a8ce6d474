/** All that a user can do. What one does not need to read is loaded with its first use. */

import { clean } from "../../wire/clean.js";
import { makeEntry } from "../entries.js";
import { isService } from "../people.js";
import { conversationActions } from "./conversations.js";

/** @import { Model } from "../model.js" */
/** @import { Actions, CommandResult, LinkActions } from "../types.js" */

/** Time after which a failed attempt to load the other actions is made again, in ms. */
const AGAIN = 5_000;
/** Longest text that waits until they are loaded. */
const MAX_EARLY = 4_000;

/** @type {typeof import("./more.js").moreActions | undefined} */
let moreActions;

/** Loads the other actions, and what they need of the model: messages on their way, held redactions. @param {Model} model */
export async function loadActions(model) {
  ({ moreActions } = await import("./more.js"));
  moreActions(model);
}

/** Loads them as soon as that is possible: without a connection it is not. @param {Model} model */
export function keepLoading(model) {
  loadActions(model).catch(() => model.env.later(AGAIN, () => keepLoading(model)));
}

/**
 * Sends a text, or keeps it as what is left to send while the code for that cannot be loaded.
 * @param {Model} model
 * @param {string | null} name
 * @param {string} text
 * @param {string | null} replyTo
 * @returns {Promise<CommandResult>}
 */
async function submitEarly(model, name, text, replyTo) {
  try {
    await loadActions(model);
  } catch (error) {
    // A command has to be understood first, what may hold a password is kept nowhere, and many messages take a question.
    if (name === null || isService(name) || /^\/(?!\/)/.test(text) || text.length > MAX_EARLY) throw error;
    const { env, me: account } = model;
    const [time, line] = [env.now(), text.replace(/^\/\//, "/")];
    const entry = makeEntry({ time, from: account, mine: true, text: clean(line), status: "pending", replyTo });
    const order = model.early.push(entry);
    env.storage.set(`outgoing:${env.runId}-early-${order}`, JSON.stringify({ account, target: name, lines: [line], isWhole: true, replyTo, time, order }));
    const buffer = model.openBuffer(name);
    buffer.outgoing.push(entry);
    buffer.version += 1;
    model.touchTimeline(buffer);
    model.actions?.setDraft(name, "", null);
    if (order === 1) keepLoading(model);
    return { type: "sent" };
  }
  const { actions } = model;
  return actions ? actions.submit(name, text, replyTo) : { type: "sent" };
}

/** @param {Model} model @param {LinkActions} link @returns {Actions} */
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
  const actions = new Proxy(known, { get: (_, name) => known[String(name)] ?? moreActions?.(model)[String(name)] ?? (name === "submit" ? submitEarly.bind(null, model) : act(String(name))) });
  model.actions = /** @type {Actions} */ (/** @type {unknown} */ (actions));
  return model.actions;
}
