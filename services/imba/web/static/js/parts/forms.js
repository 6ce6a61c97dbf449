// Forms: every error of the API beside the input that it names, the rest in a summary that takes the focus.

import { h, uid } from "../core/dom.js";
import { ApiProblem, Unreachable, advice, fieldOf, placeOf } from "../core/problem.js";
import { newKey } from "../core/api.js";
import { requestId } from "./states.js";
import { say } from "./say.js";

/**
 * A labelled input. name: the field of the API. kind: an input type, "select", "textarea" or "check".
 * options: [value, words] pairs of a select. read: how the value is sent (a number, minor units, a list).
 * blank: what is sent where it was left empty and may be.
 */
export function field(name, words, { kind = "text", hint, options, read, blank, optional = false, class: size = "", ...attributes } = {}) {
  const id = uid(`f-${name}`);
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const own = { id, name, "aria-describedby": described, required: !optional && kind !== "check", ...attributes };
  const control = controlOf(kind, own, options);
  Object.assign(control, { readValue: read ?? ((text) => text), blankValue: blank });
  const label = h("label", { for: id }, words, optional && h("span", { class: "faint" }, " (optional)"));
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const note = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  if (kind === "check") return h("div", { class: `field check ${size}` }, control, label, note, error);
  return h("div", { class: `field ${size}` }, label, note, control, error);
}

function controlOf(kind, own, options) {
  if (kind === "select") {
    const { value, ...others } = own;
    return h("select", { ...others }, options.map(([key, words]) => h("option", { value: key, selected: String(key) === String(value ?? "") }, words)));
  }
  if (kind === "textarea") return h("textarea", { rows: 6, ...own });
  return h("input", { type: kind === "check" ? "checkbox" : kind, ...own });
}

/** A number as it was typed; what is none is sent as it is, and the API says what is wrong with it. */
export const number = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

/** A few boxes under one name; what is sent is the list of those that are checked. */
export function boxes(name, words, options, chosen, { hint } = {}) {
  const controls = options.map(([value, label]) => [value, h("label", { class: "box" }, h("input", { type: "checkbox", checked: chosen.includes(value) }), h("span", {}, label))]);
  const element = h("fieldset", { class: "field", name }, h("legend", {}, words), hint && h("p", { class: "hint" }, hint),
    h("div", { class: "boxes" }, controls.map(([, control]) => control)), h("p", { class: "error", hidden: true }));
  element.readValue = () => controls.filter(([, control]) => control.firstChild.checked).map(([value]) => value);
  return element;
}

/** The values of a form by name. A field that was left empty and may be is absent; `blank` gives null instead. */
export function values(form, { blank = undefined } = {}) {
  const found = {};
  for (const control of form.elements) {
    if (!control.name || control.disabled || control.name.includes("/")) continue;
    if (control.localName === "fieldset") {
      if (control.readValue) found[control.name] = control.readValue(form);
      continue;
    }
    if (control.type === "radio" && !control.checked) continue;
    const text = control.type === "checkbox" ? control.checked : control.value;
    const value = text === "" && !control.required ? (control.blankValue ?? blank) : (control.readValue ?? ((same) => same))(text, form);
    if (value !== undefined) found[control.name] = value;
  }
  return found;
}

/** Take all marks of errors away. */
export function clearErrors(form) {
  form.querySelector(".summary")?.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const slot of form.querySelectorAll(".field .error")) Object.assign(slot, { hidden: true, textContent: "" });
}

/** Say what the API said: beside the inputs that it names, and everything else at the top of the form. */
export function showProblem(form, problem, { extra } = {}) {
  clearErrors(form);
  const left = [];
  for (const error of problem.errors ?? []) if (![placeOf(error), fieldOf(error)].some((name) => beside(form, name, error.message))) left.push(error);
  const first = form.querySelector("[aria-invalid]");
  if (!first || left.length > 0 || problem.detail) form.prepend(summary(problem, left, extra));
  (first ?? form.querySelector(".summary"))?.focus();
  say([problem.title, problem.detail, ...(problem.errors ?? []).map((each) => each.message)].filter(Boolean).join(". "));
}

function beside(form, name, message) {
  const control = [...form.elements].find((each) => each.name === name);
  const holder = control?.closest(".field");
  const slot = holder && [...holder.querySelectorAll(".error")].at(control === holder ? -1 : 0);
  if (!slot) return false;
  // A group of fields has no such state; the first of them takes it.
  const marked = control.localName === "fieldset" ? control.querySelector("input, select") : control;
  marked?.setAttribute("aria-invalid", "true");
  slot.textContent = slot.hidden ? message : `${slot.textContent} ${message}`;
  slot.hidden = false;
  return true;
}

export function summary(problem, errors = [], extra = null) {
  return h(
    "div",
    { class: "summary", role: "alert", tabindex: -1 },
    h("p", { class: "strong" }, problem.title),
    problem.detail && h("p", {}, problem.detail),
    advice(problem) && h("p", {}, advice(problem)),
    errors.length > 0 && h("ul", {}, errors.map((each) => h("li", {}, fieldOf(each) && h("code", {}, fieldOf(each)), " ", each.message))),
    extra,
    problem.requestId && requestId(problem),
  );
}

/**
 * A form that sends. send(values, key, form) makes the request; done(result, form) follows. The key stays the same
 * while the same values are sent again, after a failure too, and is new for other values.
 */
export function form(children, { send, done, submit = "Save", busy = "Working…", kind = "primary", class: name = "", onproblem, blank } = {}) {
  const button = h("button", { class: `button ${kind}` }, submit);
  const element = h("form", { class: `form ${name}`, novalidate: true }, children, h("div", { class: "row end" }, button));
  let [key, before] = ["", ""];
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    clearErrors(element);
    const given = values(element, { blank });
    const now = JSON.stringify(given);
    if (now !== before) [key, before] = [newKey(), now];
    wait(button, true, busy);
    try {
      const result = await send(given, key, element);
      before = "";
      await done?.(result, element);
    } catch (error) {
      if (!(error instanceof ApiProblem) && !(error instanceof Unreachable)) throw error;
      if (!onproblem?.(error, element)) showProblem(element, error);
    } finally {
      wait(button, false, submit);
    }
  });
  return element;
}

/** A button that works stays focusable and says so: a disabled one would lose the focus. */
export function wait(button, isBusy, words) {
  button.setAttribute("aria-disabled", String(isBusy));
  button.classList.toggle("busy", isBusy);
  button.textContent = words;
}
