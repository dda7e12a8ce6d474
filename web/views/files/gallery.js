/** The files of a conversation: pictures as a grid, the others as a list, the latest first. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { momentOf } from "../panels/results.js";
import { refusalText } from "../refusals.js";
import { card, pictureBox } from "./message-files.js";
import { showingOf } from "../../wire/files.js";
import { formatShort } from "../../text/times.js";
import { t } from "../../text/index.js";

/** @import { SharedFiles } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** @typedef {SharedFiles["files"][number]} Shared */

/** @param {App} app @param {string} name */
export function galleryPanel(app, name) {
  const { store } = app;
  const [pictures, others] = [h("ul", "grid", null), h("ul", "results", null)];
  const [pictureHead, otherHead] = [h("h3", "", { hidden: true }, t("pictures")), h("h3", "", { hidden: true }, t("otherFiles"))];
  const foot = h("div", "gallery-foot", { role: "status" });
  const body = h("div", "panel-body gallery", { tabIndex: 0 }, pictureHead, pictures, otherHead, others, foot);
  /** @type {Shared[]} */
  let shown = [];
  /** @type {string | null} */
  let before = null;
  let round = 0;
  let known = "";

  /** @param {boolean} older */
  async function load(older) {
    const mine = ++round;
    fillWith(foot, t(older ? "loadingFiles" : "loading"));
    try {
      const page = await store.actions.sharedFiles(name, older && before ? before : undefined);
      if (mine !== round) return;
      if (!older) clear();
      before = page.before;
      page.files.forEach(add);
      fillWith(foot, shown.length ? null : h("p", "panel-text", null, t("noFilesHere")), before ? button(t("olderFiles"), () => void load(true), "small") : null);
    } catch (error) {
      if (mine === round) fillWith(foot, h("p", "panel-text error", { role: "alert" }, refusalText(error)), button(t("tryAgain"), () => void load(older), "small"));
    }
  }

  function clear() {
    shown = [];
    for (const list of [pictures, others]) list.replaceChildren();
    pictureHead.hidden = otherHead.hidden = true;
  }

  /** @param {Shared} one */
  function add(one) {
    if (shown.some(({ file }) => file.id === one.file.id)) return;
    shown.push(one);
    const isPicture = showingOf(one.file.type) === "picture";
    (isPicture ? pictureHead : otherHead).hidden = false;
    if (isPicture) pictures.append(h("li", "", null, pictureBox(app, one.file, pictureFiles), source(one.message)));
    else others.append(h("li", "", null, card(store, one.file), source(one.message)));
  }

  /** As the viewer leads through them: oldest first. */
  function pictureFiles() {
    return shown.map(({ file }) => file).filter(({ type }) => showingOf(type) === "picture").reverse();
  }

  /** Button that leads to the message. @param {Shared["message"]} message */
  function source({ from, time, msgid }) {
    const sender = store.trustedName(from) ?? from;
    return h("button", "link source truncate", { type: "button", onclick: () => app.open(name, msgid), "aria-label": t("openMessage", { name: sender, time: momentOf(time) }) },
      t("fromAt", { name: sender, time: formatShort(time) }));
  }

  /** Returns which files the loaded messages share, so that a change of them shows. */
  function loadedFiles() {
    const timeline = store.timeline(name);
    return timeline.slice(0, timeline.length).map(({ files, msgid, redacted, status }) => files && status === "sent" && !redacted ? `${msgid}${files}` : "").join("");
  }

  known = loadedFiles();
  void load(false);
  return {
    parts: [body],
    update: (/** @type {Set<string>} */ topics) => {
      if (!topics.has(`timeline:${store.conversation(name)?.key}`)) return;
      const now = loadedFiles();
      // What is loaded of older messages was there before.
      const isNew = now !== known && !now.endsWith(known);
      known = now;
      if (isNew) void load(false);
    },
    destroy: () => { round++; },
  };
}
