/** Sizes of files in messages, and their places until what draws them is loaded. */

import { h } from "../parts/dom.js";

/** Returns the size of a picture in a conversation. @param {number} width Its own, 0 if it is not known. @param {number} height */
export function sizeOf(width, height) {
  if (!width || !height) return [320, 240];
  const scale = Math.min(1, 320 / height, 480 / width);
  return [width, height].map((side) => Math.max(40, Math.round(side * scale)));
}

/** Gives an element a size, or what there is room for. @param {HTMLElement} element @param {number[]} size */
export function setSize({ style }, [width, height]) {
  style.inlineSize = `${width}px`;
  style.aspectRatio = `${width} / ${height}`;
}

/** Returns the places of the files that a tag lists. @param {string} tag */
export function placesOf(tag) {
  return h("div", "files", null, tag.split(",").map((item) => {
    const [, type, , sides = ""] = item.split(";");
    const place = h("div", "file");
    const [width, height] = sides.split("x").map(Number);
    setSize(place, /^video/.test(type) ? [426, 240] : /^image\/(?!svg)/.test(type) ? sizeOf(width, height) : [320, 56]);
    return place;
  }));
}
