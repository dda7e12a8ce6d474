/**
 * What is not needed to read and write: `soon.js` once the first messages are shown, and the rest with its first use, or when the
 * browser has nothing else to do.
 */

import { h } from "./parts/dom.js";
import { useMoreTexts } from "../text/index.js";

/** @import { Store } from "../model/types.js" */

/** Steps in which the rest of the page waits until the start is done, in ms, and their number. */
const STEP = 400;
const MAX_STEPS = 12;
/** Time after which a failed attempt is made again, in ms. */
const AGAIN = 5_000;

/** What was loaded and has to be at hand while a key is handled, or a row is drawn. @type {Partial<typeof import("./all.js")>} */
export const loaded = {};

/** @type {(value?: unknown) => void} */
let finishView = () => {};
/** Resolves when the first view is complete. */
export const viewComplete = new Promise((resolve) => { finishView = resolve; });

/** @type {Promise<unknown> | undefined} */
let rest;

/** Loads the styles and texts of all that opens beside or over a conversation; again if that failed, such as without a connection. */
function loadRest() {
  rest ??= Promise.all([useMoreTexts(), ...["details", "files", "later"].map(addStyles)]).catch((error) => {
    rest = undefined;
    throw error;
  });
  return rest;
}

/** @param {string} name */
function addStyles(name) {
  const href = `style/${name}.css`;
  return document.querySelector(`[href="${href}"]`) ?? new Promise((resolve, reject) => {
    const link = h("link", "", { rel: "stylesheet", href, onload: resolve, onerror: () => { link.remove(); reject(new Error(href)); } });
    document.head.append(link);
  });
}

/**
 * Waits for a module, and for the styles and texts that it may need.
 * @template T
 * @param {Promise<T>} module
 */
export async function later(module) {
  return (await Promise.all([module, loadRest().catch(() => {})]))[0];
}

/** Set once the first view is being completed. */
let isCompleting = false;

/** Loads what completes the first view. Without a connection it comes with the rest of the page. @param {Store} store */
export async function completeView(store) {
  if (isCompleting) return;
  isCompleting = true;
  const parts = await Promise.all([import("./soon.js"), loadRest(), store.complete()]).catch(() => null);
  if (parts) finishView(Object.assign(loaded, parts[0]));
}

/** Loads the rest of the page, so that it works without the server that it comes from. @param {Store} store @param {() => boolean} isStarted */
export function preload(store, isStarted, step = 1) {
  const run = async () => {
    if (!isStarted() && step < MAX_STEPS) return preload(store, isStarted, step + 1);
    try {
      await Promise.all([loadRest(), store.complete()]);
      Object.assign(loaded, await import("./all.js"));
      finishView();
      document.documentElement.dataset.complete = "";
    } catch {
      // The connection broke meanwhile.
      setTimeout(() => preload(store, isStarted, step), AGAIN);
    }
  };
  // Not every browser tells when it has nothing to do.
  setTimeout(() => window.requestIdleCallback ? window.requestIdleCallback(run, { timeout: STEP }) : run(), STEP);
}
