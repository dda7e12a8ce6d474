/** Dialogs, which keep the focus inside and give it back, and questions. */

import { button } from "./button.js";
import { append, h, iconButton, isTouch } from "./dom.js";
import { cover } from "./places.js";
import { t } from "../../text/index.js";

/** Opens a dialog with a title and returns its parts. @param {string} title @param {string} [className] */
export function openDialog(title, className = "") {
  const body = h("div", "dialog-body", { tabIndex: -1 });
  const heading = h("h2", "", { id: `dialog-${++count}`, tabIndex: -1, autofocus: true }, title);
  const dialog = h("dialog", className, { "aria-labelledby": heading.id, onclick: closeOutside, onclose: () => remove(dialog) },
    h("div", "dialog-head", null, heading, iconButton("close", t("close"), () => dialog.close())), body);
  show(dialog);
  return { dialog, body, heading, close: () => dialog.close() };
}

/** Opens a dialog without a head, such as the quick switcher. @param {string} label @param {string} className @param {...Node} children */
export function openBareDialog(label, className, ...children) {
  const dialog = h("dialog", className, { "aria-label": label, onclick: closeOutside, onclose: () => remove(dialog) }, children);
  show(dialog);
  return dialog;
}

/** @param {HTMLDialogElement} dialog */
function show(dialog) {
  const before = document.activeElement;
  const kept = before instanceof HTMLTextAreaElement ? { value: before.value, from: before.selectionStart, to: before.selectionEnd } : null;
  // A key that closed the dialog is not to be typed into what has the focus then.
  // The field that gets the focus back takes no key before it has a cursor again.
  dialog.addEventListener("close", () => {
    const field = document.activeElement;
    if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement)) return;
    field.blur();
    field.focus({ preventScroll: true });
    // Under a dialog, Chromium forgets where the cursor was.
    if (kept && field === before && field.value === kept.value) field.setSelectionRange(kept.from, kept.to);
  });
  dialog.addEventListener("keydown", (event) => { if (!dialog.open) event.preventDefault(); });
  document.body.append(dialog);
  dialog.showModal();
  cover(() => dialog.open, () => dialog.close());
}

/**
 * Asks a question. Resolves to the entered texts in the order of `fields`, or to `null` if the user declined.
 * @param {{ title: string, text?: string, action: string, danger?: boolean, fields?: { label: string, value?: string, type?: string, hint?: string, required?: boolean }[] }} question
 * @returns {Promise<string[] | null>}
 */
export function ask(question) {
  return new Promise((resolve) => {
    const { dialog, body, close } = openDialog(question.title, "narrow");
    /** @type {string[] | null} */
    let result = null;
    const inputs = (question.fields ?? []).map((field) => h("input", "", { type: field.type ?? "text", value: field.value ?? "", autocomplete: "off", required: field.required, dir: "auto" }));
    const send = h("button", `button ${question.danger ? "danger" : "primary"}`, { type: "submit" }, question.action);
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      result = inputs.map((input) => input.value);
      close();
    };
    const form = h("form", "", { onsubmit },
      h("div", "dialog-body", null, question.text ? h("p", "", { dir: "auto" }, question.text) : null,
        (question.fields ?? []).map((field, index) => h("label", "field", null, h("span", "", null, field.label), inputs[index], field.hint ? h("small", "", null, field.hint) : null))),
      h("div", "dialog-foot", null, button(t("cancel"), close), send));
    body.replaceWith(form);
    (inputs[0] ?? send).focus();
    dialog.addEventListener("close", () => resolve(result));
  });
}

/** Makes a field with its label. @param {string} label @param {HTMLElement} input @param {string} [hint] */
export function field(label, input, hint) {
  return h("label", "field", null, h("span", "", null, label), input, hint ? h("small", "", null, hint) : null);
}

/**
 * Makes a checkbox with its label.
 * @param {string} label
 * @param {boolean} checked
 * @param {(on: boolean, input: HTMLInputElement) => void} onchange
 * @param {boolean} [disabled]
 */
export function checkbox(label, checked, onchange, disabled = false) {
  const input = h("input", "", { type: "checkbox", checked, disabled, onchange: () => onchange(input.checked, input) });
  return h("label", "check", null, input, h("span", "", null, label));
}

/** Makes a menu of values. @param {[string, string][]} options Values with their labels. @param {string} value @param {(value: string) => void} onchange @param {string} [name] By which other modules find it. */
export function select(options, value, onchange, name = "") {
  const element = h("select", "", { name: name || null, onchange: () => onchange(element.value) });
  append(element, options.map(([key, label]) => h("option", "", { value: key, selected: key === value }, label)));
  return element;
}

let count = 0;

/** Removes a dialog that was closed. What opened it may be gone by now: then the focus goes on to the message field. @param {HTMLDialogElement} dialog */
function remove(dialog) {
  dialog.remove();
  const active = document.activeElement;
  if ((!active || active === document.body) && !document.querySelector("dialog[open]") && !isTouch()) document.querySelector("textarea")?.focus({ preventScroll: true });
}

/** @param {MouseEvent} event */
function closeOutside(event) {
  if (event.target instanceof HTMLElement && event.target.tagName === "DIALOG") /** @type {HTMLDialogElement} */ (event.target).close();
}
