/** Search in the history. */

import { button } from "../parts/button.js";
import { fillWith, h } from "../parts/dom.js";
import { refusalText } from "../refusals.js";
import { resultRow, stepThroughResults } from "./results.js";
import { t } from "../../text/index.js";

/** @import { App } from "../app.js" */

/** Time after the last keystroke at which the search starts, in milliseconds. */
const DELAY = 300;

/** @param {App} app @param {string} name @param {string} words */
export function searchPanel(app, name, words) {
  const onChange = () => { clearTimeout(timer); timer = setTimeout(() => void search(), DELAY); };
  const text = h("input", "", { type: "search", value: words, placeholder: t("searchFor"), "aria-label": t("searchFor"), dir: "auto", oninput: onChange, maxlength: 300 });
  const here = h("input", "", { type: "checkbox", checked: name !== "" && !words, onchange: () => void search() });
  const results = h("ul", "results", null);
  const status = h("p", "panel-text", { role: "status" }, t("searchHint"));
  const more = h("div", "panel-text", null);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let round = 0;

  /** @param {number} [before] */
  async function search(before) {
    const mine = ++round;
    const { query, from, inside } = parse(text.value);
    if (!query && !from) {
      fillWith(results);
      fillWith(more);
      status.textContent = t("searchHint");
      return;
    }
    if (before === undefined) fillWith(results);
    fillWith(more);
    status.textContent = t("searching");
    try {
      const page = await app.store.actions.search({ text: query, from, in: inside ?? (here.checked && name ? name : undefined), before, limit: 50 });
      if (mine !== round) return;
      for (const message of page.messages) results.append(resultRow(app, message, { words: query.split(/\s+/u).filter(Boolean), withConversation: true }));
      const count = results.childElementCount;
      status.textContent = [count ? t("resultsCount", { count }) : t("nothingFound"), page.isIncompleteIndex ? t("indexIncomplete") : ""].join(" ");
      const oldest = page.messages.at(-1)?.time;
      if (!page.isComplete && oldest !== undefined) fillWith(more, button(t("olderResults"), () => void search(oldest), "small"));
    } catch (error) {
      if (mine === round) status.textContent = refusalText(error);
    }
  }

  if (words) void search();
  const onkeydown = (/** @type {KeyboardEvent} */ event) => stepThroughResults(event, text);
  return {
    parts: [h("div", "search", { onkeydown },
      h("form", "filters", { role: "search", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); void search(); } }, text,
        name ? h("label", "check", null, here, h("span", "", null, t("onlyIn", { name }))) : null),
      h("div", "panel-body", null, status, results, more)),
    ],
    destroy: () => { clearTimeout(timer); round++; },
  };
}

/** Reads the filters `from:name` and `in:#channel`. @param {string} text */
function parse(text) {
  const words = text.split(/\s+/u).filter(Boolean);
  const value = (/** @type {string} */ key) => words.find((word) => word.startsWith(`${key}:`) && word.length > key.length + 1)?.slice(key.length + 1);
  return { query: words.filter((word) => !/^(?:from|in):./u.test(word)).join(" "), from: value("from"), inside: value("in") };
}
