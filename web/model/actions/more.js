/** The actions that are loaded with the first of them. */

import { Redactions } from "../redactions.js";
import { Sending } from "../sending.js";
import { accountActions } from "./account.js";
import { channelActions } from "./channels.js";
import { messageActions } from "./messages.js";

/** @import { Model } from "../model.js" */

/** @type {WeakMap<Model, Record<string, Function>>} */
const made = new WeakMap();

/** Returns the actions of a model. The first call also takes over what the last run of the page left to send. @param {Model} model @returns {Record<string, Function>} */
export function moreActions(model) {
  const known = made.get(model);
  if (known !== undefined) return known;
  model.sending = new Sending(model);
  model.redactions = new Redactions(model);
  const actions = { ...messageActions(model, model.sending, model.redactions), ...accountActions(model), ...channelActions(model) };
  made.set(model, actions);
  if (model.online) model.sending.connected();
  model.redactions.sendDue();
  return actions;
}
