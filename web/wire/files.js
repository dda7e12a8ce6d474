/** Files in messages: the tag `parlour/files` and the addresses in the text (docs/files.md). */

/** @import { FileInfo } from "../model/types.js" */

/** Limit of the files of one message; a server names fewer. */
const MAX_FILES = 100;
/** Limit of one side of a picture, in pixels: more is not believed. */
const MAX_SIDE = 100_000;

/** The address of a file, with its id and its name. A dot behind it ends the sentence. */
const ADDRESS = /\bhttps?:\/\/[^\s/?#<>"]+\/f\/([\w-]{22})(?![\w-])(?:\/([\p{L}\p{M}\p{N}_.~%-]*[\p{L}\p{M}\p{N}_~%-]))?(?![\p{L}\p{M}\p{N}_~%/?#-])/gu;

/** Types of pictures that are shown in place: no SVG, which can hold scripts. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
/** Types of sound and video that are played in place. */
const SOUNDS = new Set(["audio/aac", "audio/m4a", "audio/mpeg", "audio/ogg", "audio/x-flac", "audio/x-wav"]);
const VIDEOS = new Set(["video/mp4", "video/webm"]);

/** Returns how a file of a media type is shown. @param {string} type @returns {"picture" | "sound" | "video" | "other"} */
export function showingOf(type) {
  return PICTURES.has(type) ? "picture" : SOUNDS.has(type) ? "sound" : VIDEOS.has(type) ? "video" : "other";
}

/**
 * Splits a message into its text and the files that it shares. Only what the tag lists is a file: its address leaves the text.
 * @param {string} text
 * @param {string} tag Value of `parlour/files`: `ID;TYPE;BYTES` or `ID;TYPE;BYTES;WIDTHxHEIGHT`, separated by commas.
 * @returns {{ text: string, files: FileInfo[] }}
 */
export function splitFiles(text, tag) {
  const listed = parseTag(tag);
  if (listed.size === 0) return { text, files: [] };
  /** @type {Map<string, FileInfo>} */
  const files = new Map();
  let rest = "";
  let from = 0;
  for (const { 0: address, 1: id, 2: name = "", index } of text.matchAll(ADDRESS)) {
    const file = listed.get(id);
    if (!file) continue;
    if (!files.has(id)) files.set(id, { ...file, name: nameIn(name) });
    rest += text.slice(from, index);
    from = index + address.length;
  }
  rest += text.slice(from);
  return { text: files.size ? rest.replace(/[^\S\n]+$/gm, "").replace(/\n{3,}/g, "\n\n").trim() : text, files: [...files.values()] };
}

/** Returns a text with the names of its files in place of their addresses, for lists and quotes. @param {string} text @param {string} tag */
export function nameFiles(text, tag) {
  const { text: rest, files } = splitFiles(text, tag);
  return [rest, ...files.map(({ name }) => `📎 ${name}`)].filter((part) => part !== "").join(" ");
}

/** @param {string} tag */
export function parseTag(tag) {
  /** @type {Map<string, Omit<FileInfo, "name">>} */
  const files = new Map();
  for (const item of tag.split(",", MAX_FILES)) {
    const [id = "", type = "", size = "", sides = ""] = item.split(";");
    if (!/^[\w-]{22}$/.test(id)) continue;
    const [, width = "0", height = "0"] = /^(\d{1,6})x(\d{1,6})$/.exec(sides) ?? [];
    const isKnown = [width, height].every((side) => Number(side) > 0 && Number(side) <= MAX_SIDE);
    files.set(id, { id, type, size: Number(size) || 0, width: isKnown ? Number(width) : 0, height: isKnown ? Number(height) : 0 });
  }
  return files;
}

/** Returns the name at the end of the address of a file. @param {string} encoded */
export function nameIn(encoded) {
  let name = encoded;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    // It is shown as it stands there.
  }
  // Marks that change the direction could pose as another ending.
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\]/gu, "") || "file";
}

/** Path of a file on its server. @param {Pick<FileInfo, "id" | "name">} file */
export function filePath({ id, name }) {
  return `/f/${id}/${encodeURIComponent(name)}`;
}

/** Joins a text and the addresses of files to a message. @param {string} text @param {string[]} urls */
export function joinFiles(text, urls) {
  const isShort = urls.length === 1 && !text.includes("\n") && text.trim() !== "";
  return isShort ? `${text.trimEnd()} ${urls[0]}` : [text.trimEnd(), ...urls].filter((line) => line !== "").join("\n");
}
