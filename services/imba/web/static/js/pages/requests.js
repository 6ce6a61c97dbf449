// A landlord's requests: what waits for an answer first, then what has been answered.

import { h } from "../core/dom.js";
import { all } from "../core/api.js";
import { link } from "../core/place.js";
import { me } from "../core/session.js";
import { lapses, reservationBadge, summaryLine, withHomes } from "../parts/reservation.js";
import { empty, pageHead, section } from "../parts/states.js";
import { landlordActions } from "./one_stay.js";

export function requests() {
  const place = h("div", {});
  const again = section(place, async () => {
    const rows = await all("/v1/reservations", { query: { sort: "-created_at" }, most: 200 });
    const found = await withHomes(rows.filter((row) => row.tenant_id !== me()?.id));
    if (found.length === 0) return empty("No requests yet", "They appear here when a tenant asks for one of your homes.");
    const waiting = found.filter(({ row }) => row.status === "pending");
    return [part("Waiting for your answer", waiting, again), part("Answered", found.filter((each) => !waiting.includes(each)), again)];
  }, { shape: ["row", 4] });
  return { title: "Requests", element: h("section", {}, pageHead("Requests", "Tenants who want to stay in your homes."), place) };
}

function part(title, found, again) {
  if (found.length === 0) return null;
  return h("section", { class: "block" }, h("h2", {}, title), h("ul", { class: "rows" }, found.map(({ row, home }) =>
    h("li", { class: "row-item" },
      h("div", { class: "grow" }, h("h3", {}, h("a", { href: link(`/stays/${row.id}`) }, home.title)), h("p", {}, summaryLine(row, home)), lapses(row)),
      reservationBadge(row), row.status === "pending" && h("div", { class: "row" }, landlordActions(row, again))))));
}
