/** Kinds of files: their icons and what is said of them. */

import { formatSize } from "../../text/sizes.js";

/** @import { FileInfo } from "../../model/types.js" */
/** @import { IconName } from "../types.js" */

/** Icons by media type. @type {[RegExp, IconName][]} */
const icons = [
  [/^image\//, "picture"], [/^audio\//, "sound"], [/^video\//, "film"], [/^(?:text\/|application\/(?:pdf|json|xml|msword|rtf|vnd\.))/, "text"],
  [/(?:zip|tar|compressed|gzip|bzip|xz|zstd|rar|7z|archive)/, "archive"],
];

/** @param {string} type @returns {IconName} */
export function iconOf(type) {
  return icons.find(([pattern]) => pattern.test(type))?.[1] ?? "file";
}

/** What the content is, where a name ends so. @type {[RegExp, RegExp][]} */
const claims = [
  [/^(?:png|jpe?g|gif|webp|avif|bmp|tiff?|hei[cf]|svg)$/i, /^image\//], [/^(?:mp3|m4a|aac|ogg|oga|opus|flac|wav|mp4|m4v|mov|mkv|webm|avi)$/i, /^(?:audio|video)\//],
  [/^pdf$/i, /pdf/], [/^(?:zip|gz|tgz|bz2|xz|zst|rar|7z)$/i, icons[4][0]],
];

/** Returns the size of a file and its kind, such as `1.2 MB · PDF`: the ending of its name, unless the content is something else. @param {Pick<FileInfo, "name" | "size" | "type">} file */
export function describeFile({ name, size, type }) {
  const ending = /\.([\p{L}\p{N}]{1,8})$/u.exec(name)?.[1] ?? "";
  const isFalse = type !== "" && claims.some(([claim, content]) => claim.test(ending) && !content.test(type));
  const kind = !isFalse ? ending : type === "text/plain" ? "txt" : type === "application/octet-stream" ? "" : type.replace(/^.*\//, "");
  return kind ? `${formatSize(size)} · ${kind.toUpperCase()}` : formatSize(size);
}
