/** A thread: a message with its answers, and a field to answer in. */

import { fillWith, h, iconButton, isTouch } from "../parts/dom.js";
import { avatar, hueOf } from "../parts/people.js";
import { renderText } from "../conversation/markup.js";
import { refusalText } from "../refusals.js";
import { momentOf } from "./results.js";
import { formatDateTime, t } from "../../text/index.js";
import { formatShort } from "../../text/times.js";

/** @import { ListedMessage } from "../../model/types.js" */
/** @import { App } from "../app.js" */

/** @param {App} app @param {string} name @param {string} msgid */
export function threadPanel(app, name, msgid) {
  const body = h("div", "panel-body", { tabIndex: 0 }, h("p", "panel-text", { role: "status" }, t("loading")));
  const text = h("textarea", "", {
    rows: 1, dir: "auto", "aria-label": t("answerInThread"), placeholder: t("answerInThread"), enterkeyhint: "send",
    oninput: () => { text.style.height = "auto"; text.style.height = `${text.scrollHeight}px`; },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !isTouch()) { event.preventDefault(); send(); }
    },
  });
  const composer = h("footer", "composer", null, h("div", "entry", null, text, iconButton("send", t("send"), () => send())));
  composer.style.marginTop = "8px";
  let root = msgid;
  let round = 0;
  let known = -1;

  function send() {
    if (!text.value.trim()) return;
    app.store.actions.send(name, text.value, root);
    text.value = "";
    text.style.height = "auto";
  }

  async function load() {
    const mine = ++round;
    try {
      const messages = await app.store.actions.thread(name, msgid);
      if (mine !== round) return;
      root = messages[0]?.msgid ?? msgid;
      const wasAtEnd = body.scrollTop + body.clientHeight >= body.scrollHeight - 20;
      fillWith(body, messages.length ? h("ol", "", null, messages.map((message) => threadRow(app, message, name))) : h("p", "panel-text", null, t("refusal.gone")));
      if (wasAtEnd) body.scrollTop = body.scrollHeight;
    } catch (error) {
      if (mine === round) fillWith(body, h("p", "panel-text error", { role: "alert" }, refusalText(error)));
    }
  }

  void load();
  return {
    parts: [body, composer],
    update: (/** @type {Set<string>} */ topics) => {
      const { version } = app.store.timeline(name);
      if (topics.has(`timeline:${app.store.conversation(name)?.key}`) && version !== known) void load();
      known = version;
    },
    destroy: () => { round++; },
  };
}

/** @param {App} app @param {ListedMessage} message @param {string} name */
function threadRow(app, message, name) {
  const display = app.store.trustedName(message.from);
  const element = h("div", "body", { dir: "auto" });
  if (message.isGone) element.append(t("refusal.gone"));
  else renderText(element, app, message.text, name, message.mine);
  return h("li", "message first", null, avatar(message.from, display),
    h("div", "head", null, h("strong", `truncate coloured hue-${hueOf(message.from)}`, { dir: "auto" }, display ?? message.from),
      h("button", "link", { type: "button", onclick: () => app.open(name, message.msgid), "aria-label": t("openMessage", { name: display ?? message.from, time: momentOf(message.time) }) }, h("time", "", { title: formatDateTime(message.time) }, formatShort(message.time)))),
    element);
}
