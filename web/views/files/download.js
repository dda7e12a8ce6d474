/** Saving of files. */

import { h } from "../parts/dom.js";
import { fileCache, FileGone } from "../../connection/files.js";
import { describeFile } from "./kinds.js";
import { t } from "../../text/index.js";

/** @import { FileInfo, Store } from "../../model/types.js" */

/** Saves a file where the browser saves them. @param {Store} store @param {FileInfo} file @param {(text: string) => void} tell Shows how far it is, or why it failed. */
export async function download(store, file, tell) {
  try {
    const { url } = await fileCache(store).read(file, (share) => tell(t("loadedShare", { share: Math.round(share * 100) })));
    tell(describeFile(file));
    h("a", "", { href: url, download: file.name }).click();
  } catch (error) {
    tell(t(error instanceof FileGone ? "fileGone" : "fileNotLoaded"));
  }
}
