/** The actions that are loaded with the first of them. */

import { Redactions } from "../redactions.js";
import { Rest } from "../rest.js";
import { Sending } from "../sending.js";
import { parseObject } from "../settings.js";
import { accountActions } from "./account.js";
import { channelActions } from "./channels.js";
import { messageActions } from "./messages.js";

/** @import { Model } from "../model.js" */

/** Age up to which drafts of a tab are kept apart, in ms (a week). */
const TAB_AGE = 7 * 24 * 3_600_000;

/** @type {WeakMap<Model, Record<string, Function>>} */
const made = new WeakMap();

/** Returns the actions of a model. The first call also takes over what the last run of the page left to send. @param {Model} model @returns {Record<string, Function>} */
export function moreActions(model) {
  const known = made.get(model);
  if (known !== undefined) return known;
  new Rest(model).begin();
  model.sending = new Sending(model);
  model.redactions = new Redactions(model);
  const actions = { ...messageActions(model, model.sending, model.redactions), ...accountActions(model), ...channelActions(model) };
  made.set(model, actions);
  model.sending.restore();
  if (model.online) model.sending.connected();
  model.redactions.sendDue();
  dropOldDrafts(model);
  return actions;
}

/** Drops the drafts of tabs that were closed long ago. @param {Model} model */
function dropOldDrafts({ env: { now, storage } }) {
  for (const key of storage.keys("draft:")) {
    if (key.includes(" ") && !(Number(parseObject(storage.get(key)).time) > now() - TAB_AGE)) storage.set(key, null);
  }
}
