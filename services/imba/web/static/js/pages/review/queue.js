// The reviewer's queue: what waits, the oldest first, and what was decided.

import { h } from "../../core/dom.js";
import { all, get } from "../../core/api.js";
import { here, link } from "../../core/place.js";
import { fromNow } from "../../core/days.js";
import { count } from "../../core/words.js";
import { claimBadge } from "../../parts/claim.js";
import { badge, empty, pageHead, section } from "../../parts/states.js";
import { homeOf } from "../../parts/reservation.js";
import { CHECK } from "../hosting/documents.js";

const TABS = [["pending", "Waiting"], ["information_needed", "Asked for more"], ["approved", "Approved"], ["rejected", "Rejected"], ["revoked", "Revoked"], ["expired", "Expired"]];
const PAGE = 50;

export function queue() {
  const chosen = here().query.get("status") ?? "pending";
  const place = h("div", {});
  const tabs = h("nav", { class: "tabs", "aria-label": "Requests by state" }, TABS.map(([name, words]) => h("a", { href: link(`/review?status=${name}`), "aria-current": name === chosen ? "page" : null }, words)));
  section(place, async () => {
    const { data } = await get("/v1/verification-requests", { query: { status: chosen, sort: "created_at", limit: PAGE, count: "true" } });
    if (data.items.length === 0) return empty("Nothing here", chosen === "pending" ? "Every request has been looked at." : "");
    const found = await Promise.all(data.items.map(async (check) => ({ check, home: check.property_id && (await homeOf(check.property_id)) })));
    return [h("p", { class: "faint" }, count(data.total, "request"), data.total > PAGE && `, the oldest ${PAGE} shown`), h("ul", { class: "rows" }, found.map(row))];
  }, { shape: ["row", 5] });
  return { title: "Review", element: h("section", {}, pageHead("Review", "Who the landlords are, and whether the homes are theirs to let."), tabs, place) };
}

function row({ check, home }) {
  return h("li", { class: "row-item" },
    h("div", { class: "grow" },
      h("h2", { class: "row-title" }, h("a", { href: link(`/review/${check.id}`) }, home ? home.title : "A landlord's identity")),
      h("p", { class: "small faint" }, home ? `Home in ${home.city || "a place unknown"}` : "Identity", ` · ${count(check.documents.length, "document")} · handed in ${fromNow(check.created_at)}`)),
    claimBadge(check), badge(check.status, check.status === "pending" ? "Waiting" : CHECK[check.status]));
}

/** All requests of one landlord, the newest first. */
export const others = (check) => all("/v1/verification-requests", { query: { landlord_id: check.landlord_id, sort: "created_at" } }).then((found) => found.filter(({ id }) => id !== check.id).reverse());
