/** What completes the first view: loaded in one graph, as soon as its messages can be read. */

export { completeMessage, completeNote } from "./conversation/details.js";
export { describeEvent } from "./conversation/events.js";
export { drawBanner } from "./banner.js";
export { drawGreeting, noConversation } from "./greeting.js";
export { UnreadHints } from "./unread-hints.js";
export { plainText } from "../wire/markup.js";
