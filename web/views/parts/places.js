/**
 * The page's entries in the history of the browser, so that Back leads to the conversation before, and closes what stands over
 * the page first, such as a dialog. An entry of what was closed otherwise is spare: the next one takes its place, and Back passes
 * over it.
 */

import { formatAddress, parseAddress } from "../../wire/address.js";

/**
 * @typedef {object} Place
 * @property {"list" | "chat"} pane The one that fills a narrow page.
 * @property {string | null} name Conversation.
 *
 * @typedef {Place & { index: number, depth: number, under: Place | null }} State `depth` counts what stands over the page. `under` is
 *   the place before.
 */

/** What was opened over the page, the topmost last. @type {{ isOpen: () => boolean, close: () => void }[]} */
let covers = [];
/** Account and server whose conversations the entries name. */
let scope = "";
/** The entry that was shown last. */
let shown = state();

/** @returns {State} */
function state() {
  const known = history.state?.scope === scope ? history.state : null;
  const { index = 0, depth = 0, pane = "list", name = null, under = null } = known ?? {};
  return { index, depth, pane, name, under };
}

function countCovers() {
  covers = covers.filter(({ isOpen }) => isOpen());
  return covers.length;
}

/** @param {Place} one @param {Place | null} other */
function isSame(one, other) {
  return one.pane === other?.pane && one.name === other.name;
}

/** @param {Place} place @param {number} depth @param {boolean} isNew */
function write({ pane, name }, depth, isNew) {
  const url = location.pathname + location.search + formatAddress(name);
  const index = shown.index + (isNew ? 1 : 0);
  const under = isNew && !isSame({ pane, name }, shown) ? { pane: shown.pane, name: shown.name } : shown.under;
  if (isNew) history.pushState({ scope, index, depth, pane, name, under }, "", url);
  else history.replaceState({ scope, index, depth, pane, name, under }, "", url);
  shown = state();
}

/** Begins with the conversations of an account; entries of another one are not its own. @param {string} name */
export function begin(name) {
  scope = name;
  shown = state();
  if (history.state !== null && history.state.scope !== scope) history.replaceState(null, "");
}

/** Notes where the user is now: as a new entry, unless it is the same place or the first one. @param {Place} place */
export function goTo(place) {
  const open = countCovers();
  const isFirst = history.state === null;
  if (isFirst || !isSame(place, shown)) write(place, open, !isFirst && shown.depth <= open);
}

/** Notes where the user is now in place of where they were, which no longer exists. @param {Place} place */
export function stayAt(place) {
  write(place, shown.depth, false);
}

/** Goes back to a place if it is the one before, and returns whether it is. @param {Place} place */
export function goBackTo(place) {
  if (shown.under === null || !isSame(place, shown.under)) return false;
  history.back();
  return true;
}

/** Notes that something stands over the page, which Back closes. @param {() => boolean} isOpen @param {() => void} close */
export function cover(isOpen, close) {
  const open = countCovers();
  covers.push({ isOpen, close });
  if (history.state === null) history.replaceState({ scope, ...shown }, "");
  write(shown, open + 1, shown.depth <= open);
}

/** Handles that the user went through the history: `show` shows the place that they came to. @param {(place: Place) => void} show */
export function onTravel(show) {
  // An address that was typed has no state yet.
  if (history.state === null) history.replaceState({ scope, index: shown.index + 1, depth: 0, pane: "chat", name: parseAddress(location.hash) ?? shown.name, under: null }, "");
  // Nor has one that another account left.
  if (history.state.scope !== scope) return write(shown, countCovers(), false);
  const before = shown;
  const open = countCovers();
  shown = state();
  if (shown.index < before.index && before.depth > open && isSame(shown, before)) return history.back();
  for (const { close } of covers.splice(shown.depth).reverse()) close();
  if (!isSame(shown, before)) show(shown);
}
