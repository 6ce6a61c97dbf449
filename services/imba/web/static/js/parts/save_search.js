// Keeping a search, and saying what it asks.

import { h } from "../core/dom.js";
import { post } from "../core/api.js";
import { me } from "../core/session.js";
import { link } from "../core/place.js";
import { money } from "../core/money.js";
import { KINDS, PRICES } from "../core/words.js";
import { ask } from "./actions.js";
import { field } from "./forms.js";
import { toSignIn } from "./states.js";
import { toast } from "./say.js";

/** query(): what is asked at this moment, without pages. words(): it, as a name. */
export function saveSearchButton({ query, words }) {
  return h("button", { type: "button", class: "button", onclick: () => (me() ? save(query(), words()) : toSignIn()) }, "Save search");
}

function save(query, name) {
  ask({
    title: "Save this search", text: h("p", {}, "It is kept under ", h("a", { href: link("/searches") }, "Searches"), "."), submit: "Save it",
    fields: [field("name", "Name", { maxlength: 120, value: name }), field("alerts", "Write to me when something new fits", { kind: "check", checked: true })],
    send: (given, key) => post("/v1/saved-searches", { query, ...given }, { key }),
    done: () => toast("Saved."),
  });
}

/** A question to the list, in words. */
export function describe(text) {
  const query = new URLSearchParams(text);
  const price = (name) => query.has(name) && money(Number(query.get(name)), query.get("price_currency") ?? "USD", { short: true });
  return [
    query.get("q") && `“${query.get("q")}”`, query.get("city"), KINDS[query.get("kind")], PRICES[query.get("price_per")]?.toLowerCase(),
    query.get("bedrooms__gte") && `${query.get("bedrooms__gte")}+ bedrooms`, query.get("bathrooms__gte") && `${query.get("bathrooms__gte")}+ baths`,
    price("price_amount__gte") && `from ${price("price_amount__gte")}`, price("price_amount__lte") && `up to ${price("price_amount__lte")}`,
    query.get("available_from") && `${query.get("available_from")} to ${query.get("available_to")}`, query.has("bbox") && "on the map",
  ].filter(Boolean).join(" · ");
}
