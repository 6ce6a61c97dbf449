// How much is unread, of notices and of messages: counted when a view is drawn, and not more often than needed.

import { fill, h } from "../core/dom.js";
import { get } from "../core/api.js";
import { me, watch } from "../core/session.js";

const FRESH_MS = 20_000;

function counter(ask) {
  let [known, askedAt] = [0, 0];
  const marks = new Map();
  const show = () => {
    for (const [element, draw] of marks) element.isConnected ? draw(known) : marks.delete(element);
  };
  // Another account starts with what is its own.
  watch(() => {
    [known, askedAt] = [0, 0];
  });
  return {
    /** Draw `element` now and whenever the count has changed. */
    mark(element, draw) {
      draw(known);
      marks.set(element, draw);
      this.count();
      return element;
    },
    /** Ask again: at once after something was read. */
    async count({ now = false } = {}) {
      if (!me() || (!now && Date.now() - askedAt < FRESH_MS)) return;
      askedAt = Date.now();
      known = await ask().catch(() => known);
      show();
    },
  };
}

export const unreadNotices = counter(async () => (await get("/v1/notices", { query: { unread: "true", count: "true", limit: 1 } })).data.total);
export const unreadMessages = counter(async () => (await get("/v1/unread-messages")).data.messages);

/** The number beside words; nothing for none. */
export const bubble = (count) => count > 0 && h("span", { class: "count", "aria-hidden": "true" }, count > 99 ? "99+" : count);

/** A link that tells the number to those who listen, too. */
export function counted(link, counts, words, ...shown) {
  return counts.mark(link, (count) => {
    link.setAttribute("aria-label", count > 0 ? `${words}, ${count} unread` : words);
    fill(link, shown.length > 0 ? shown.map((each) => each.cloneNode(true)) : words, bubble(count));
  });
}
