// The heart on a home: put aside, or not any more.

import { h, icon } from "../core/dom.js";
import { all, del, put } from "../core/api.js";
import { me, watch } from "../core/session.js";
import { toSignIn } from "./states.js";
import { say, toast } from "./say.js";

let kept = null;
watch(() => {
  kept = null;
});

/** The ids of what one has put aside, asked for once. */
async function mine() {
  kept ??= all("/v1/favourites").then((found) => new Set(found.map((each) => each.property_id)));
  return kept.catch(() => new Set());
}

/** isWide: with words, for the page of the home; a sign alone on a card. */
export function favourite(home, { isWide = false, onchange } = {}) {
  const words = h("span", {}, "Put aside");
  const button = h("button", { type: "button", class: `heart ${isWide ? "button" : ""}`, "aria-pressed": "false", "aria-label": `Put aside: ${home.title}`, onclick: toggle }, icon("heart"), isWide && words);
  const show = (isKept) => {
    button.setAttribute("aria-pressed", String(isKept));
    words.textContent = isKept ? "Put aside" : "Put it aside";
  };

  // One press after the other: two at once would both start from the same state.
  let before = Promise.resolve();
  function toggle() {
    if (me()) before = before.then(flip);
    else toSignIn();
  }

  async function flip() {
    const found = await mine();
    const isKept = !found.has(home.id);
    show(isKept);
    try {
      if (isKept) await put(`/v1/properties/${home.id}/favourite`);
      else await del(`/v1/properties/${home.id}/favourite`);
      isKept ? found.add(home.id) : found.delete(home.id);
      say(isKept ? `${home.title} is put aside.` : `${home.title} is not put aside any more.`);
      onchange?.(isKept);
    } catch (error) {
      show(!isKept);
      toast(`${error.title}. ${error.detail}`, { kind: "bad" });
    }
  }

  if (me()) mine().then((found) => show(found.has(home.id)));
  return button;
}
