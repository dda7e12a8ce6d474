/** What completes the first view: loaded in one graph, as soon as its messages can be read. */

export { announceNew, drawTyping } from "./conversation/announce.js";
export { completeMessage, quoteOf } from "./conversation/details.js";
export * as editing from "./conversation/editing.js";
export { drawJumps } from "./conversation/jumps.js";
export { isHidden, noteOf, runOf } from "./conversation/runs.js";
export { drawBanner } from "./banner.js";
export { drawGreeting, noConversation } from "./greeting.js";
export { listen } from "./listeners.js";
export { attach } from "./files/attach.js";
export * as places from "./parts/places.js";
export { UnreadHints } from "./unread-hints.js";
export { plainText } from "../wire/markup.js";
