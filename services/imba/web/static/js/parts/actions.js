// Buttons that change something, and the dialog that asks for a reason or makes sure.

import { h, uid } from "../core/dom.js";
import { form, summary, wait } from "./forms.js";
import { newKey } from "../core/api.js";
import { ApiProblem, Unreachable } from "../core/problem.js";

/** A button that does `work(key)` once at a time. Its error appears below it, said as the API said it. */
export function actionButton(words, work, { kind = "", busy = "Working…", name } = {}) {
  const button = h("button", { type: "button", class: `button ${kind}`, "aria-label": name }, words);
  const holder = h("span", { class: "action" }, button);
  let key = newKey();
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    holder.querySelector(".summary")?.remove();
    wait(button, true, busy);
    try {
      await work(key);
      key = newKey();
    } catch (error) {
      if (!(error instanceof ApiProblem) && !(error instanceof Unreachable)) throw error;
      // A refusal is final for its key; an answer that never came keeps it.
      if (error instanceof ApiProblem) key = newKey();
      holder.append(summary(error, error.errors));
    } finally {
      wait(button, false, words);
    }
  });
  return holder;
}

/** A modal dialog with a form in it: {title, text, fields, submit, kind, send, done}. */
export function ask({ title, text, fields = [], submit, kind = "primary", send, done, wide = false }) {
  const heading = uid("dialog");
  const dialog = h("dialog", { "aria-labelledby": heading, class: wide ? "wide" : "" });
  const close = h("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, "Back");
  const inner = form(fields, {
    submit,
    kind,
    send,
    done: async (result) => {
      dialog.close();
      await done?.(result);
    },
  });
  inner.querySelector(".row.end").prepend(close);
  dialog.append(h("h2", { id: heading }, title), text instanceof Node ? text : h("p", {}, text), inner);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
