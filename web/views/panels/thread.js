/** A thread: a message with its answers, and a field to answer in. */

import { fillWith, h } from "../parts/dom.js";
import { avatar, hueOf } from "../parts/people.js";
import { Composer } from "../conversation/composer.js";
import { renderText } from "../conversation/markup.js";
import { refusalText } from "../refusals.js";
import { momentOf } from "./results.js";
import { drawFiles } from "../files/message-files.js";
import { splitFiles } from "../../wire/files.js";
import { formatDateTime, t } from "../../text/index.js";
import { formatShort } from "../../text/times.js";

/** @import { ListedMessage } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** What was begun in threads, by their first message. @type {Map<string, string>} */
const drafts = new Map();

/** The field of a thread, whose messages all answer the first one. */
class ThreadComposer extends Composer {
  /** @param {App} app @param {string} name @param {string} root */
  constructor(app, name, root) {
    super(app, name, null);
    this.answered = root;
    this.text.value = drafts.get(root) ?? "";
    this.element.classList.add("in-thread");
    this.update();
  }

  /** @override */
  update() {
    super.update();
    this.text.placeholder = t("answerInThread");
    this.text.setAttribute("aria-label", t("answerInThread"));
  }

  /** @override */
  keepDraft() {
    // Or a field that was closed would bring back what the next one has sent.
    clearTimeout(this.draftTimer);
    if (this.answered !== null) drafts.set(this.answered, this.text.value);
  }

  /** @override */
  drawContext() {
    this.context.hidden = true;
  }

  /** @override @param {string} text */
  set(text) {
    super.set(text, this.answered);
    this.keepDraft();
  }

  /** @override */
  async submit() {
    await super.submit();
    // Sending clears the draft of the conversation, whose field has another text.
    this.app.chat?.composer.keepDraft();
  }
}

/** @param {App} app @param {string} name @param {string} msgid */
export function threadPanel(app, name, msgid) {
  const body = h("div", "panel-body", { tabIndex: 0 }, h("p", "panel-text", { role: "status" }, t("loading")));
  const composer = new ThreadComposer(app, name, msgid);
  let round = 0;
  let known = -1;

  async function load() {
    const mine = ++round;
    try {
      const messages = await app.store.actions.thread(name, msgid);
      if (mine !== round) return;
      composer.answered = messages[0]?.msgid ?? msgid;
      if (composer.text.value === "") composer.set(drafts.get(composer.answered) ?? "");
      const wasAtEnd = body.scrollTop + body.clientHeight >= body.scrollHeight - 20;
      fillWith(body, messages.length ? h("ol", "", null, messages.map((message) => threadRow(app, message, name))) : h("p", "panel-text", null, t("refusal.gone")));
      if (wasAtEnd) body.scrollTop = body.scrollHeight;
    } catch (error) {
      if (mine === round) fillWith(body, h("p", "panel-text error", { role: "alert" }, refusalText(error)));
    }
  }

  void load();
  return {
    parts: [body, composer.element],
    update: (/** @type {Set<string>} */ topics) => {
      composer.update();
      const { version } = app.store.timeline(name);
      if (topics.has(`timeline:${app.store.conversation(name)?.key}`) && version !== known) void load();
      known = version;
    },
    destroy: () => { round++; composer.keepDraft(); },
  };
}

/** @param {App} app @param {ListedMessage} message @param {string} name */
function threadRow(app, message, name) {
  const display = app.store.trustedName(message.from);
  const { text, files } = splitFiles(message.text, message.files);
  const element = h("div", "body", { dir: "auto" });
  if (message.isGone) element.append(t("refusal.gone"));
  else renderText(element, app, text, name, message.mine);
  return h("li", "message first", null, avatar(message.from, display),
    h("div", "head", null, h("strong", `truncate coloured hue-${hueOf(message.from)}`, { dir: "auto" }, display ?? message.from),
      h("button", "link", { type: "button", onclick: () => app.open(name, message.msgid), "aria-label": t("openMessage", { name: display ?? message.from, time: momentOf(message.time) }) }, h("time", "", { title: formatDateTime(message.time) }, formatShort(message.time)))),
    element, files.length ? drawFiles(app, files, name) : null);
}
