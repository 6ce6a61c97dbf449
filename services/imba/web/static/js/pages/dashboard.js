// A landlord's figures: what waits, the months, each home.

import { h } from "../core/dom.js";
import { get } from "../core/api.js";
import { link } from "../core/place.js";
import { showMonth } from "../core/days.js";
import { money } from "../core/money.js";
import { count, status } from "../core/words.js";
import { badge, empty, pageHead, section } from "../parts/states.js";
import { rated } from "../parts/stars.js";

const SHOWN = 30;
const percent = (part) => (part === null ? "–" : `${Math.round(part * 100)} %`);
const income = (found) => (found.length === 0 ? "–" : found.map((each) => money(each.amount, each.currency, { short: true })).join(", "));

export function dashboard() {
  const place = h("div", {});
  section(place, async () => {
    const { data } = await get("/v1/dashboard");
    if (data.properties.length === 0) return empty("Nothing to count yet", "Your figures appear once you offer a home.", h("a", { class: "button primary", href: link("/my-homes/new") }, "Offer a home"));
    return [tiles(data), chart(data.months), homes(data.properties)];
  }, { shape: ["row", 5] });
  return { title: "Figures", element: h("section", {}, pageHead("Figures", "Twelve months, counted over all of your homes."), place) };
}

/** Income by currency, over all months: never summed over currencies. */
function total(months) {
  const sums = new Map();
  for (const { income: found } of months) for (const { currency, amount } of found) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return [...sums].map(([currency, amount]) => ({ currency, amount }));
}

function tiles({ months, pending_requests: pending, unread_messages: unread }) {
  const tile = (words, value, to) => h("div", {}, h("dt", {}, to ? h("a", { href: link(to) }, words) : words), h("dd", {}, value));
  return h("dl", { class: "tiles" },
    tile("Waiting for your answer", pending, "/requests"), tile("Unread messages", unread, "/messages"),
    tile("Views", months.reduce((sum, each) => sum + each.views, 0).toLocaleString()), tile("Nights", months.reduce((sum, each) => sum + each.nights, 0)), tile("Income", income(total(months))));
}

/** Bars for those who look; the same as a table for those who listen, and for all on a narrow screen. */
function chart(months) {
  const most = Math.max(1, ...months.map((each) => each.nights));
  return h("section", { class: "block" }, h("h2", {}, "By month"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Nights, views and income by month" }, h("table", { class: "months-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Month"), h("th", { scope: "col" }, "Nights"), h("th", { scope: "col" }, "Views"), h("th", { scope: "col" }, "Occupancy"), h("th", { scope: "col" }, "Income"))),
      h("tbody", {}, months.map((each) => h("tr", {},
        h("th", { scope: "row" }, showMonth(each.start)),
        h("td", { class: "barred" }, h("span", { class: "bar", "aria-hidden": "true", vars: { "--part": each.nights / most } }), h("span", {}, each.nights)),
        h("td", {}, each.views.toLocaleString()), h("td", {}, percent(each.occupancy)), h("td", {}, income(each.income))))))));
}

function homes(found) {
  const busiest = found.toSorted((one, other) => other.nights - one.nights || other.pending - one.pending || other.favourites - one.favourites).slice(0, SHOWN);
  const facts = (each) => [
    count(each.views, "view"), count(each.nights, "night"), each.requests > 0 && `${count(each.requests, "request")}, ${percent(each.conversion)} confirmed`,
    each.visits > 0 && count(each.visits, "visit"), each.favourites > 0 && `put aside by ${each.favourites}`,
  ].filter(Boolean).join(" · ");
  return h("section", { class: "block" }, h("h2", {}, found.length > SHOWN ? `The busiest ${SHOWN} of ${count(found.length, "home")}` : "By home"), h("ul", { class: "rows" }, busiest.map((each) => h("li", { class: "row-item" },
    h("div", { class: "grow" }, h("h3", {}, h("a", { href: link(`/my-homes/${each.property_id}`) }, each.title)), h("p", { class: "small faint" }, facts(each))),
    rated(each), each.pending > 0 && badge("pending", `${each.pending} waiting`), badge(each.status, status(each.status))))));
}
