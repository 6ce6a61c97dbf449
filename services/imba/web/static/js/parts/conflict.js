// A lost race (412): what another has saved meanwhile, beside what is in the form, and the choice that is left.

import { h } from "../core/dom.js";
import { get } from "../core/api.js";
import { humanly } from "../core/words.js";
import { say } from "./say.js";
import { clearErrors } from "./forms.js";

const text = (value) => (Array.isArray(value) ? value.join(", ") : value === null || value === undefined ? "" : String(value));

/**
 * For `onproblem` of a form: true where the problem was a lost race. Loads what is stored now and shows each field
 * that differs; keeping one's own text means saving again, now on top of the new version (onload gets its ETag).
 */
export function conflict(problem, form, { path, names, onload, write = (name, value) => text(value) }) {
  if (problem.status !== 412) return false;
  get(path).then(({ data, etag }) => {
    onload(etag, data);
    const differing = names.filter((name) => form.elements[name] && write(name, data[name], data) !== String(form.elements[name].value));
    clearErrors(form);
    const take = () => {
      for (const name of differing) form.elements[name].value = write(name, data[name], data);
      box.remove();
    };
    const box = h("div", { class: "summary", role: "alert", tabindex: -1 },
      h("p", { class: "strong" }, "Somebody saved another version while you were writing."),
      differing.length > 0
        ? h("div", { class: "scroll" }, h("table", { class: "differences" }, h("thead", {}, h("tr", {}, h("th", {}, "Field"), h("th", {}, "Saved now"), h("th", {}, "Yours"))), h("tbody", {}, differing.map((name) => h("tr", {}, h("th", { scope: "row" }, humanly(name)), h("td", {}, write(name, data[name], data)), h("td", {}, form.elements[name].value))))))
        : h("p", {}, "It says the same as yours."),
      h("p", {}, "Save again to put yours in its place, or take what is saved."),
      h("button", { type: "button", class: "button", onclick: take }, "Take what is saved"));
    form.prepend(box);
    box.focus();
    say("Somebody saved another version while you were writing.");
  }, () => {});
  return true;
}
