// What one was told, the newest first.

import { h } from "../core/dom.js";
import { get, post } from "../core/api.js";
import { go, link } from "../core/place.js";
import { hasRole, me } from "../core/session.js";
import { fromNow } from "../core/days.js";
import { actionButton } from "../parts/actions.js";
import { empty, pageHead, section } from "../parts/states.js";
import { unreadNotices } from "../parts/unread.js";

/** Where in this client the thing is that a notice is about. */
async function placeOf(path) {
  const [, kind, id] = /^\/v1\/([a-z-]+)\/([0-9a-f-]{36})/.exec(path ?? "") ?? [];
  if (kind === "reservations") return `/stays/${id}`;
  if (kind === "threads") return `/messages/${id}`;
  if (kind === "mandates") return hasRole("agent") ? "/mandates" : "/my-homes";
  if (kind === "reports") return hasRole("reviewer", "admin") ? `/reports/${id}` : null;
  if (kind === "saved-searches") return "/searches";
  if (kind === "reviews") return reviewed((await get(path)).data);
  if (kind === "properties") return `/homes/${id}`;
  if (kind !== "verification-requests") return null;
  if (hasRole("reviewer")) return `/review/${id}`;
  const { data } = await get(path);
  if (data.property_id) return `/my-homes/${data.property_id}/documents`;
  const { data: homes } = await get("/v1/properties", { query: { landlord_id: me().id, limit: 1 } });
  return homes.items.length > 0 ? `/my-homes/${homes.items[0].id}/documents` : "/my-homes";
}

/** A review of a home is read on its page, one of oneself where one's stays are. */
const reviewed = (review) => (review.property_id ? `/homes/${review.property_id}` : "/stays");

export function notices() {
  const place = h("div", {});
  const again = section(place, async () => {
    const { data } = await get("/v1/notices", { query: { limit: 100 } });
    if (data.items.length === 0) return empty("Nothing yet", "Answers, decisions and news about what you keep appear here.");
    return [
      data.items.some((each) => !each.read_at) && h("p", { class: "row end" }, actionButton("Mark all as read", async () => {
        await post("/v1/notices/reading");
        await Promise.all([again({ quiet: true }), unreadNotices.count({ now: true })]);
      }, { kind: "quiet" })),
      h("ul", { class: "rows notices" }, data.items.map((each) => row(each, again))),
    ];
  }, { shape: ["row", 5] });
  return { title: "Notices", element: h("section", { class: "narrow" }, pageHead("Notices"), place) };
}

function row(notice, again) {
  const open = async () => {
    if (!notice.read_at) await post(`/v1/notices/${notice.id}/reading`);
    unreadNotices.count({ now: true });
    const target = await placeOf(notice.link).catch(() => null);
    if (target) go(target);
    else again({ quiet: true });
  };
  return h("li", { class: `row-item ${notice.read_at ? "" : "unread"}` },
    h("div", { class: "grow" },
      h("h2", { class: "row-title" }, !notice.read_at && h("span", { class: "dot", role: "img", "aria-label": "Unread" }), notice.subject),
      h("p", { class: "prose" }, notice.text), h("p", { class: "small faint" }, fromNow(notice.created_at))),
    (notice.link || !notice.read_at) && actionButton(notice.link ? "Open" : "Mark as read", open, { kind: "quiet", name: `${notice.link ? "Open" : "Mark as read"}: ${notice.subject}` }));
}
