// What a change of the page tells: a live region for those who listen, a small note for those who look.

import { h } from "../core/dom.js";

export function say(text) {
  const region = document.getElementById("says");
  region.textContent = "";
  // A region that is filled in the same breath as it is emptied is not read out.
  setTimeout(() => {
    region.textContent = text;
  }, 50);
}

export function toast(text, { kind = "good" } = {}) {
  const note = h("p", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(note);
  say(text);
  setTimeout(() => note.remove(), kind === "bad" ? 9000 : 5000);
}
