// The first step of offering a home: the little that a draft needs.

import { h } from "../../core/dom.js";
import { post } from "../../core/api.js";
import { go, link } from "../../core/place.js";
import { ownZone } from "../../core/codes.js";
import { form } from "../../parts/forms.js";
import { cost, what, where } from "../../parts/home_fields.js";
import { back, pageHead } from "../../parts/states.js";

export function newHome() {
  const element = h("section", { class: "narrow" }, back(link("/my-homes"), "My homes"),
    pageHead("Offer a home", "Begin with the little that a draft needs. Nobody but you sees it until you publish it."),
    form([...what({}), ...where({}), cost({})], {
      submit: "Make the draft",
      busy: "Making the draft…",
      send: (given, key) => post("/v1/properties", { time_zone: ownZone(), ...given }, { key }),
      done: ({ data }) => go(`/my-homes/${data.id}/details`, { replace: true }),
    }));
  return { title: "Offer a home", element };
}
