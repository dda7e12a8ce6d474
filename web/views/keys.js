/** Keys that work everywhere on the page. */

/** @import { App } from "./app.js" */

/** Time for which keys wait for what opens, in ms. Without a connection it may never come; Escape or a click ends the wait before. */
const MAX_WAIT = 20_000;

/** Set while something opens. */
let isOpening = false;

/** @param {App} app @param {KeyboardEvent} event */
export function handleKey(app, event) {
  const { key } = event;
  const command = event.ctrlKey || event.metaKey;
  if (document.querySelector("dialog[open]")) {
    if (command && key.toLowerCase() === "k") event.preventDefault();
    return;
  }
  /** @type {(() => Promise<void> | void) | undefined} */
  let run;
  if (command && !event.altKey && !event.shiftKey) {
    run = { k: () => app.openSwitcher(), f: () => app.showPanel("search"), ",": () => app.openSettings(), "/": () => app.openHelp() }[key.toLowerCase()];
  } else if (event.altKey && !command) {
    run = { ArrowUp: () => step(app, -1, event.shiftKey), ArrowDown: () => step(app, 1, event.shiftKey), a: () => step(app, 1, true), l: () => app.openBrowser(),
      m: () => app.panelKind === "mentions" ? app.closePanel() : app.showPanel("mentions"), u: () => void app.chat?.act((actions) => actions.toUnread()) }[key];
  } else if (key === "F6") {
    run = () => cyclePanes(app, event.shiftKey ? -1 : 1);
  } else if ((key === "ArrowUp" || key === "ArrowDown") && event.target instanceof Element && event.target.closest(".lists")) {
    run = () => stepInList(app, key === "ArrowUp" ? -1 : 1);
  } else if (key === "Escape") {
    run = () => escape(app);
  } else if ((key === "PageUp" || key === "PageDown") && !(event.target instanceof Element && event.target.closest(".panel, .sidebar"))) {
    run = () => page(app, key === "PageUp" ? -1 : 1);
  }
  if (!run) return leadToField(app, event);
  event.preventDefault();
  if (isOpening) return;
  const opening = run();
  if (opening) void holdKeys(opening);
}

/**
 * Keeps what is typed while something opens, and gives it to what has the focus then. The message field, which has it until then,
 * would send it.
 * @param {Promise<void>} opening
 */
async function holdKeys(opening) {
  /** @type {KeyboardEvent[]} */
  const held = [];
  const given = new AbortController();
  const hold = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") given.abort();
    const isChord = event.ctrlKey || event.metaKey || event.altKey;
    if (event.isComposing || isChord || event.key.length > 1 && !["Enter", "Backspace", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held.push(event);
  };
  isOpening = true;
  const timer = setTimeout(() => given.abort(), MAX_WAIT);
  const isGivenUp = new Promise((resolve) => { given.signal.addEventListener("abort", () => resolve(false)); });
  window.addEventListener("keydown", hold, { capture: true, signal: given.signal });
  window.addEventListener("pointerdown", () => given.abort(), { capture: true, signal: given.signal });
  const isOpen = await Promise.race([opening.then(() => true, () => false), isGivenUp]);
  clearTimeout(timer);
  given.abort();
  isOpening = false;
  if (isOpen) held.forEach(pressAgain);
}

/** @param {KeyboardEvent} event */
function pressAgain({ key, shiftKey }) {
  const isTaken = !(document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  if (isTaken) return;
  if (key.length === 1) document.execCommand("insertText", false, key);
  else if (key === "Backspace") document.execCommand("delete");
}

/** Puts the focus into the message field before a key that writes or pastes, which nothing else takes. @param {App} app @param {KeyboardEvent} event */
function leadToField(app, event) {
  const { key, target } = event;
  if (target instanceof Element && target.closest("input, textarea, select, .menu")) return;
  const isChord = event.ctrlKey || event.metaKey || event.altKey;
  const writes = (key.length === 1 && key !== " " || key === "Dead") && (!isChord || event.getModifierState("AltGraph"));
  if (writes || isChord && !event.altKey && key.toLowerCase() === "v") app.chat?.composer.focus();
}

/** @param {App} app */
function escape(app) {
  // On a wide page, the members are beside the conversation for good.
  const stays = app.panelKind === "members" && app.wide.matches && !app.panelPlace.contains(document.activeElement);
  if (app.panelKind && !stays) return app.closePanel();
  app.chat?.timeline.toLatest();
  app.focusComposer();
}

/** Scrolls the messages by a page. @param {App} app @param {-1 | 1} direction */
function page({ chat }, direction) {
  const scroller = chat?.timeline.scroller;
  scroller?.scrollBy({ top: direction * (scroller.clientHeight - 60) });
}

/** Goes to the next conversation. @param {App} app @param {1 | -1} by @param {boolean} unreadOnly Mentions first. */
function step(app, by, unreadOnly) {
  const all = app.store.conversations();
  const at = all.findIndex((item) => item.name === app.chat?.name);
  const after = all.map((_, index) => all[(((at + by * (index + 1)) % all.length) + all.length) % all.length]);
  const others = after.filter((item) => item.name !== app.chat?.name);
  const found = unreadOnly ? others.find((item) => item.mentions > 0) ?? others.find((item) => item.unread > 0 && !item.muted) : others[0];
  if (found) void app.open(found.name);
}

/** Moves the focus in the lists of conversations. @param {App} app @param {1 | -1} by */
function stepInList(app, by) {
  const buttons = [...app.sidebar.element.querySelectorAll(".lists button")];
  const next = buttons[buttons.indexOf(/** @type {Element} */ (document.activeElement)) + by];
  if (next instanceof HTMLElement) next.focus();
}

/** Moves the focus to the next region. @param {App} app @param {1 | -1} by */
function cyclePanes(app, by) {
  const places = [app.sidebar.element, app.chatPlace, app.panelPlace].filter(isVisible);
  const at = places.findIndex((place) => place.contains(document.activeElement));
  const next = places[(at + by + places.length) % places.length];
  if (next === app.chatPlace) return app.focusComposer();
  const wanted = next === app.panelPlace ? ["input, textarea, .panel-body button", "button"] : [".lists [tabindex='0']", "button"];
  const found = wanted.flatMap((selector) => [...next.querySelectorAll(selector)]).find(isVisible);
  (found ?? next).focus();
}

/** @param {Element} element @returns {element is HTMLElement} */
function isVisible(element) {
  return element.getClientRects().length > 0;
}
