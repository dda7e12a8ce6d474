/** Pictures that move, which some people do not want. */

/** @import { Store } from "../../model/types.js" */

/** Bytes in which a picture says that it moves. */
const HEAD = 4096;

/** Whether pictures may move. @param {Store} store */
export function isMotionWanted(store) {
  return store.settings().reducedMotion !== "on" && !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Returns whether a picture is to stand still although it moves. @param {Store} store @param {Blob} content */
export async function isStill(store, content) {
  return !isMotionWanted(store) && content.type !== "image/jpeg" && moves(content.type, await content.slice(0, HEAD).arrayBuffer());
}

/** Returns whether the first bytes of a picture say that it has several frames. @param {string} type @param {ArrayBuffer} start */
export function moves(type, start) {
  const head = new TextDecoder("latin1").decode(start);
  switch (type) {
    // A GIF says so only with its frames.
    case "image/gif": return true;
    case "image/png": return head.includes("acTL");
    case "image/webp": return head.startsWith("RIFF") && head.slice(12, 16) === "VP8X" && (head.charCodeAt(20) & 2) !== 0;
    case "image/avif": return head.slice(4, 12) === "ftypavis";
    default: return false;
  }
}
