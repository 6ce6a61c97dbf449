// Text that is to be given to somebody: selected at a touch, copied by a button.

import { h } from "../core/dom.js";
import { actionButton } from "./actions.js";
import { toast } from "./say.js";

export function copied(text, label) {
  const shown = h("input", { class: "secret", readonly: true, value: text, "aria-label": label, onfocus: () => shown.select() });
  return h("div", { class: "row" }, shown, actionButton("Copy", async () => {
    await navigator.clipboard.writeText(text).then(() => toast("Copied."), () => shown.select());
  }));
}
