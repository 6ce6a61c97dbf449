// A tenant's reservations: what is ahead, what is over.

import { h } from "../core/dom.js";
import { all } from "../core/api.js";
import { link } from "../core/place.js";
import { cover } from "../parts/picture.js";
import { isOver, lapses, reservationBadge, summaryLine, withHomes } from "../parts/reservation.js";
import { empty, pageHead, section } from "../parts/states.js";
import { me } from "../core/session.js";

export function stays() {
  const place = h("div", {});
  section(place, async () => {
    const rows = await all("/v1/reservations", { query: { sort: "-created_at" }, most: 200 });
    const mine = await withHomes(rows.filter((row) => row.tenant_id === me()?.id));
    if (mine.length === 0) return empty("Nothing reserved yet", "Find a home, choose your nights, and ask for them.", h("a", { class: "button primary", href: link("/") }, "Find a home"));
    const isAhead = ({ row }) => ["pending", "confirmed"].includes(row.status) && !isOver(row);
    const ahead = mine.filter(isAhead);
    const over = mine.filter((each) => !isAhead(each));
    return [part("Ahead", ahead), part("Over", over)];
  }, { shape: ["row", 4] });
  return { title: "My stays", element: h("section", {}, pageHead("My stays", "Nights and visits you have asked for."), place) };
}

function part(title, found) {
  if (found.length === 0) return null;
  return h("section", { class: "block" }, h("h2", {}, title), h("ul", { class: "rows" }, found.map(({ row, home }) =>
    h("li", { class: "row-item" },
      h("div", { class: "thumb" }, cover(home, "thumb")),
      h("div", { class: "grow" }, h("h3", {}, h("a", { href: link(`/stays/${row.id}`) }, home.title)), h("p", {}, summaryLine(row, home)), lapses(row)),
      reservationBadge(row)))));
}
