// What is said of a home.

import { h } from "../../core/dom.js";
import { patch } from "../../core/api.js";
import { conflict } from "../../parts/conflict.js";
import { form } from "../../parts/forms.js";
import { address, cost, more, what, where } from "../../parts/home_fields.js";
import { toast } from "../../parts/say.js";

const NAMES = ["title", "kind", "city", "region", "country", "description", "bedrooms", "bathrooms", "floor_area_sqm", "year_built", "amenities", "street", "postcode", "latitude", "longitude", "time_zone"];

export function details(context) {
  const { home } = context.known;
  const path = `/v1/properties/${home.id}`;
  const fields = [
    h("h2", {}, "What it is"), ...what(home), ...more(home),
    h("h2", {}, "Where it is"), ...where(home), ...address(home),
    h("h2", {}, "What it costs"), cost(home),
  ];
  return [
    form(fields, {
      blank: null,
      submit: "Save the details",
      send: (given) => patch(path, given, { match: context.known.etag }),
      done: ({ data, etag }) => {
        context.keep(data, etag);
        toast("Saved.");
      },
      onproblem: (problem, element) => conflict(problem, element, { path, names: NAMES, onload: (etag, data) => context.keep(data, etag) }),
    }),
    h("div", { class: "row end after" }, context.next()),
  ];
}
