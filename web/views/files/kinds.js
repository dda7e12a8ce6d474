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

/** Returns the size of a file and the ending of its name, such as `1.2 MB · PDF`. @param {Pick<FileInfo, "name" | "size">} file */
export function describeFile({ name, size }) {
  const ending = /\.([\p{L}\p{N}]{1,8})$/u.exec(name)?.[1];
  return ending ? `${formatSize(size)} · ${ending.toUpperCase()}` : formatSize(size);
}
