/** Splitting of long texts into pieces that fit a line. */

import { byteLength } from "./names.js";

const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Splits a text into pieces of at most `max` bytes, between grapheme clusters, and after a space if one is close enough to
 * the end. The pieces joined are the text. A cluster over `max` is split between characters.
 * @param {string} text
 * @param {number} max
 * @returns {string[]}
 */
export function splitToFit(text, max) {
  if (text.length * 3 <= max || byteLength(text) <= max) return text === "" ? [] : [text];
  /** @type {string[]} */
  const pieces = [];
  let piece = "";
  let bytes = 0;
  // Length and size of the piece up to its last space.
  let spaceEnd = 0;
  let spaceBytes = 0;
  const cut = () => {
    // A word longer than a third of the line is split, because a line that is nearly empty is worse.
    const atSpace = spaceEnd > 0 && spaceBytes > max - Math.floor(max / 3);
    const end = atSpace ? spaceEnd : piece.length;
    pieces.push(piece.slice(0, end));
    piece = piece.slice(end);
    bytes -= atSpace ? spaceBytes : bytes;
    spaceEnd = 0;
    spaceBytes = 0;
  };
  for (const { segment } of clusters.segment(text)) {
    const size = byteLength(segment);
    const parts = size <= max ? [segment] : Array.from(segment);
    for (const part of parts) {
      const partSize = parts.length === 1 ? size : byteLength(part);
      if (bytes + partSize > max && piece !== "") cut();
      // What is left behind the space may still be too long for the next cluster.
      if (bytes + partSize > max && piece !== "") cut();
      piece += part;
      bytes += partSize;
      if (part === " ") [spaceEnd, spaceBytes] = [piece.length, bytes];
    }
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}
