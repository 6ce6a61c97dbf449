// The fields of a home, as its landlord fills them in: at first, and when they change later.

import { h, uid } from "../core/dom.js";
import { exponent, toMajor, toMinor } from "../core/money.js";
import { KINDS, PRICES } from "../core/words.js";
import { countries, currencies, ownCountry, ownZone, zones } from "../core/codes.js";
import { field, number } from "./forms.js";

const pairs = (words) => Object.entries(words);

/** An input with suggestions, which takes other values too. */
export function suggested(name, words, values, options = {}) {
  const id = uid("suggest");
  const element = field(name, words, { list: id, autocomplete: "off", ...options });
  element.append(h("datalist", { id }, values.map((value) => h("option", { value }))));
  return element;
}

/** Minor units of the currency that stands in the same form; what is no amount is sent as it was typed. */
export const amount = (currencyOf) => (text, form) => toMinor(text, currencyOf(form)) ?? text;
/** The same back; what could not be read stays as it was typed. */
export const shown = (currency) => (value) => (typeof value === "number" ? toMajor(value, currency) : (value ?? ""));

const inForm = (form) => form?.elements.price_currency?.value || "USD";

export function what(home) {
  return [
    field("title", "Title", { maxlength: 120, value: home.title, hint: "What makes it stand out, in one line." }),
    field("kind", "Kind", { kind: "select", options: pairs(KINDS), value: home.kind ?? "house" }),
  ];
}

export function where(home) {
  return [
    h("div", { class: "two" }, field("city", "City", { value: home.city, maxlength: 100, autocomplete: "address-level2" }), field("region", "Region", { value: home.region, optional: true, blank: "", maxlength: 100 })),
    field("country", "Country", { kind: "select", options: [["", "Choose"], ...countries()], value: home.country ?? ownCountry() }),
  ];
}

export function cost(home) {
  const currency = home.price_currency ?? "EUR";
  return h("div", { class: "three" },
    field("price_amount", "Price", { value: home.price_amount === undefined ? "" : toMajor(home.price_amount, currency), inputmode: exponent(currency) ? "decimal" : "numeric", read: amount(inForm) }),
    suggested("price_currency", "Currency", currencies(), { value: currency, maxlength: 3, read: (text) => text.toUpperCase() }),
    field("price_per", "Offered", { kind: "select", options: pairs(PRICES), value: home.price_per ?? "night" }));
}

export function more(home) {
  return [
    field("description", "Description", { kind: "textarea", rows: 7, value: home.description, optional: true, blank: "", maxlength: 5000 }),
    h("div", { class: "three" },
      field("bedrooms", "Bedrooms", { kind: "number", min: 0, step: 1, value: home.bedrooms ?? 0, read: number, optional: true, blank: 0 }),
      field("bathrooms", "Bathrooms", { kind: "number", min: 0, step: 0.25, value: home.bathrooms ?? 0, read: number, optional: true, blank: 0 }),
      field("floor_area_sqm", "Floor, in m²", { kind: "number", min: 1, step: "any", value: home.floor_area_sqm ?? "", read: number, optional: true })),
    h("div", { class: "two" },
      field("year_built", "Built in", { kind: "number", value: home.year_built ?? "", read: number, optional: true }),
      field("amenities", "What it has", { value: (home.amenities ?? []).join(", "), optional: true, blank: [], hint: "With commas between: wood stove, view", read: (text) => text.split(",").map((each) => each.trim()).filter(Boolean) })),
  ];
}

export function address(home) {
  return [
    field("street", "Street and number", { value: home.street ?? "", optional: true, blank: "", maxlength: 200, autocomplete: "street-address", hint: "Only guests with a confirmed stay or visit read it." }),
    h("div", { class: "three" },
      field("postcode", "Postcode", { value: home.postcode, optional: true, blank: "", maxlength: 20, autocomplete: "postal-code" }),
      field("latitude", "Latitude", { value: home.latitude ?? "", optional: true, inputmode: "decimal", read: number }),
      field("longitude", "Longitude", { value: home.longitude ?? "", optional: true, inputmode: "decimal", read: number })),
    suggested("time_zone", "Time zone", zones(), { value: home.time_zone && home.time_zone !== "UTC" ? home.time_zone : ownZone(), hint: "Nights and visits are counted by the clock there." }),
  ];
}
