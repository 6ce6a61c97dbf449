// A rating: shown, and given.

import { h, icon } from "../core/dom.js";
import { count } from "../core/words.js";

const one = (average) => average.toLocaleString(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The average of a home, and of how many; nothing where nobody has said anything. */
export function rated(home) {
  if (!home.rating_count) return null;
  return h("span", { class: "rated" }, icon("star"), h("span", {}, one(home.rating_average)), h("span", { class: "faint" }, `(${home.rating_count})`), h("span", { class: "unseen" }, `of 5, from ${count(home.rating_count, "review")}`));
}

export const stars = (rating) => h("span", { class: "stars", role: "img", "aria-label": `${rating} of 5` }, Array.from({ length: 5 }, (_, place) => h("span", { class: place < rating ? "on" : "" }, icon("star"))));

/** A field of a form: one to five. */
export function starsField(name, words, chosen) {
  return h("fieldset", { class: "field" }, h("legend", {}, words),
    h("div", { class: "give-stars" }, [1, 2, 3, 4, 5].map((value) => {
      const input = h("input", { type: "radio", name, value, checked: value === chosen });
      input.readValue = Number;
      return h("label", {}, input, icon("star"), h("span", { class: "unseen" }, count(value, "star")));
    })),
    h("p", { class: "error", hidden: true }));
}
