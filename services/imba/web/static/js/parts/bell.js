// How many notices are unread, on the way to them.

import { fill, h, icon } from "../core/dom.js";
import { get } from "../core/api.js";
import { here, link } from "../core/place.js";
import { watch } from "../core/session.js";

const FRESH_MS = 20_000;
let [unread, askedAt] = [0, 0];
const bells = new Set();

const words = () => (unread > 0 ? `Notices, ${unread} unread` : "Notices");

function draw(bell) {
  bell.setAttribute("aria-label", words());
  fill(bell, icon("bell"), unread > 0 && h("span", { class: "count", "aria-hidden": "true" }, unread > 99 ? "99+" : unread));
}

/** Ask again: after something was read, or when a view is drawn some time after the last one. */
export async function countUnread({ now = false } = {}) {
  if (!now && Date.now() - askedAt < FRESH_MS) return;
  askedAt = Date.now();
  const { data } = await get("/v1/notices", { query: { unread: "true", count: "true", limit: 1 } });
  unread = data.total;
  for (const bell of bells) bell.isConnected ? draw(bell) : bells.delete(bell);
}

// Another account starts with what is its own.
watch(() => {
  [unread, askedAt] = [0, 0];
});

export function noticeBell() {
  const bell = h("a", { class: "button quiet bell", href: link("/notices"), "aria-current": here().path === "/notices" ? "page" : null });
  draw(bell);
  bells.add(bell);
  countUnread().catch(() => {});
  return bell;
}
