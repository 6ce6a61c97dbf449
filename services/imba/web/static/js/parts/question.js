// What is asked of the search: words, place, kind, price, rooms, free dates, order. Each is a parameter of the API.

import { debounce, fill, h } from "../core/dom.js";
import { fieldOf } from "../core/problem.js";
import { KINDS, PRICES } from "../core/words.js";
import { plusDays, today } from "../core/days.js";
import { toMajor, toMinor } from "../core/money.js";

const ORDERS = [["", "Newest first"], ["price_amount", "Lowest price"], ["-price_amount", "Highest price"], ["-floor_area_sqm", "Largest"], ["-bedrooms", "Most bedrooms"], ["-rating_average", "Best rated"]];

export function question(query, { onchange }) {
  const currency = () => query.get("price_currency") ?? "USD";
  const input = (name, words, attributes = {}, read = (text) => text) => {
    const control = h("input", { id: `q-${name}`, name, value: query.get(name) ?? "", ...attributes });
    control.addEventListener(attributes.type === "date" ? "change" : "input", debounce(250, () => change(name, read(control.value))));
    return wrap(name, words, control);
  };
  const choice = (name, words, options) => {
    const control = h("select", { id: `q-${name}`, name, onchange: () => change(name, control.value) });
    options.forEach(([value, text]) => control.append(h("option", { value, selected: (query.get(name) ?? "") === value }, text)));
    return wrap(name, words, control);
  };
  const wrap = (name, words, control) => h("div", { class: `ask ask-${name}` }, h("label", { for: control.id }, words), control, h("p", { class: "error", id: `${control.id}-error`, hidden: true }));
  const amount = (name, words) => input(name, words, { inputmode: "decimal", value: query.get(name) ? toMajor(Number(query.get(name)), currency()) : "", placeholder: "Any" }, (text) => (text.trim() === "" ? "" : String(toMinor(text, currency()) ?? text)));

  const further = h("div", { class: "asks further", id: "further" },
    choice("kind", "Kind", [["", "Any"], ...Object.entries(KINDS)]),
    choice("bedrooms__gte", "Bedrooms", [["", "Any"], ...[1, 2, 3, 4, 5].map((number) => [String(number), `${number} or more`])]),
    choice("bathrooms__gte", "Bathrooms", [["", "Any"], ...[1, 1.5, 2, 3].map((number) => [String(number), `${number} or more`])]),
    amount("price_amount__gte", "Price from"), amount("price_amount__lte", "Price to"),
    input("amenities", "It has", { placeholder: "view, wood stove", autocomplete: "off" }));
  const toggle = h("button", { type: "button", class: "button", "aria-expanded": "false", "aria-controls": "further", onclick: () => {
    const isOpen = element.classList.toggle("open");
    toggle.setAttribute("aria-expanded", String(isOpen));
  } }, "Filters");
  const element = h("form", { class: "question", role: "search", "aria-label": "Homes", onsubmit: (event) => event.preventDefault() },
    h("div", { class: "asks first" },
      input("q", "What and where", { type: "search", placeholder: "Seattle, lake, cottage…", autocomplete: "off", enterkeyhint: "search" }),
      input("city", "City", { placeholder: "Everywhere", autocomplete: "off" }),
      choice("price_per", "Offered", [["", "Any way"], ...Object.entries(PRICES)]),
      input("available_from", "Arrive", { type: "date", min: today() }), input("available_to", "Leave", { type: "date", min: plusDays(today(), 1) }),
      toggle),
    further);
  const order = h("select", { id: "q-sort", onchange: () => change("sort", order.value) }, ORDERS.map(([value, words]) => h("option", { value, selected: (query.get("sort") ?? "") === value }, words)));
  tell();

  function change(name, value) {
    const next = new URLSearchParams(location.search);
    if (value === "") next.delete(name);
    else next.set(name, value);
    query = next;
    for (const slot of element.querySelectorAll(".error")) slot.hidden = true;
    for (const control of element.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
    tell();
    onchange(new URLSearchParams(next));
  }

  /** How many of the folded filters are set, on the button that unfolds them. */
  function tell() {
    const set = [...further.querySelectorAll("[name]")].filter((control) => query.has(control.name)).length;
    fill(toggle, "Filters", set > 0 && h("span", { class: "count" }, set));
    const first = order.options[0];
    first.textContent = query.get("q") ? "Best match" : "Newest first";
  }

  return {
    element,
    sort: h("label", { class: "order", for: "q-sort" }, h("span", { class: "unseen" }, "Order"), order),
    /** The API did not like a parameter: its words beside the filter. False where no filter has that name. */
    refused(problem) {
      let isShown = false;
      for (const error of problem.errors) {
        const control = element.querySelector(`[name="${CSS.escape(fieldOf(error))}"]`);
        const slot = control?.closest(".ask").querySelector(".error");
        if (!slot) continue;
        if (further.contains(control) && !element.classList.contains("open")) toggle.click();
        control.setAttribute("aria-invalid", "true");
        control.setAttribute("aria-describedby", slot.id);
        Object.assign(slot, { textContent: error.message, hidden: false });
        isShown = true;
      }
      return isShown;
    },
    clear() {
      for (const control of element.querySelectorAll("input, select")) control.value = "";
      query = new URLSearchParams();
      setTimeout(tell);
      onchange(new URLSearchParams());
    },
  };
}
