// Messages between the two sides: the threads, and one of them.

import { add, fill, h } from "../core/dom.js";
import { all, get, post } from "../core/api.js";
import { link } from "../core/place.js";
import { me } from "../core/session.js";
import { dayIn, fromNow, showDay, showTime } from "../core/days.js";
import { ownZone } from "../core/codes.js";
import { field, form } from "../parts/forms.js";
import { cover } from "../parts/picture.js";
import { homeOf } from "../parts/reservation.js";
import { back, empty, pageHead, section } from "../parts/states.js";
import { say } from "../parts/say.js";
import { bubble, unreadMessages } from "../parts/unread.js";
import { guard } from "../parts/guard.js";

const LOOK_MS = 10_000;
const PAGE = 50;
const GONE = "Somebody who has left";
const isTenant = (thread) => thread.tenant_id === me()?.id;
const other = (thread) => (isTenant(thread) ? thread.landlord_name : thread.tenant_name) || GONE;
const unread = (thread) => (isTenant(thread) ? thread.tenant_unread : thread.landlord_unread) ?? 0;

export function messages() {
  const place = h("div", {});
  section(place, async () => {
    const threads = await all("/v1/threads", { most: 200 });
    if (threads.length === 0) return empty("No messages yet", "Write to a landlord from the page of a home, or to a guest from a reservation.");
    const found = await Promise.all(threads.map(async (thread) => ({ thread, home: await homeOf(thread.property_id) })));
    return h("ul", { class: "rows" }, found.map(row));
  }, { shape: ["row", 5] });
  return { title: "Messages", element: h("section", { class: "narrow" }, pageHead("Messages"), place) };
}

function row({ thread, home }) {
  return h("li", { class: `row-item ${unread(thread) > 0 ? "unread" : ""}` },
    h("div", { class: "thumb" }, cover(home, "thumb")),
    h("div", { class: "grow" },
      h("h2", { class: "row-title" }, h("a", { href: link(`/messages/${thread.id}`) }, other(thread)), unread(thread) > 0 && [bubble(unread(thread)), h("span", { class: "unseen" }, "unread")]),
      h("p", {}, home.title), h("p", { class: "small faint" }, `${thread.reservation_id ? "About a reservation" : "About the home"} · ${fromNow(thread.last_message_at)}`)));
}

export async function oneThread(id) {
  const { data: thread } = await get(`/v1/threads/${id}`);
  const home = await homeOf(thread.property_id);
  const earlier = h("p", { class: "more" });
  const list = h("ol", { class: "talk", "aria-label": "Messages", tabindex: 0 });
  let shown = [];
  let timer = 0;

  async function look({ isFirst = false } = {}) {
    clearTimeout(timer);
    const { data } = await get(`/v1/threads/${id}/messages`, { query: { limit: PAGE } });
    const known = new Set(shown.map((each) => each.id));
    const fresh = data.items.filter((each) => !known.has(each.id)).reverse();
    if (fresh.length > 0) {
      shown = [...shown, ...fresh];
      draw();
      if (!isFirst) say(fresh.filter((each) => each.sender_id !== me()?.id).map((each) => `${other(thread)}: ${each.text}`).join(". "));
      await post(`/v1/threads/${id}/reading`, { up_to: shown.at(-1).number });
      unreadMessages.count({ now: true });
    }
    if (isFirst && data.next_cursor) fill(earlier, `The newest ${PAGE} of ${thread.message_count}.`);
    timer = setTimeout(() => document.visibilityState === "visible" && list.isConnected && look().catch(() => {}), LOOK_MS);
  }

  function draw() {
    let day = null;
    fill(list);
    for (const each of shown) {
      const its = dayIn(each.created_at, ownZone());
      if (its !== day) add(list, h("li", { class: "talk-day small faint" }, showDay(its)));
      day = its;
      const isOwn = each.sender_id === me()?.id;
      add(list, h("li", { class: `word ${isOwn ? "own" : ""}` }, h("span", { class: "unseen" }, isOwn ? "You:" : `${other(thread)}:`), h("p", { class: "prose" }, each.text || "(taken back: its author has left)"), h("time", { class: "small", datetime: each.created_at }, showTime(each.created_at, ownZone()))));
    }
    requestAnimationFrame(() => list.scrollTo({ top: list.scrollHeight }));
  }

  const answer = thread.closed_at
    ? h("p", { class: "notice" }, other(thread) === GONE ? "The other side has left. Nobody writes here any more." : "This conversation was closed. Nobody writes here any more.")
    : form([field("text", `To ${other(thread)}`, { kind: "textarea", rows: 3, maxlength: 4000 })], {
      submit: "Send", busy: "Sending…",
      send: (given, key) => post("/v1/messages", { thread_id: id, ...given }, { key }),
      done: (_, element) => {
        element.reset();
        element.elements.text.focus();
        return look();
      },
    });
  await look({ isFirst: true });
  const subject = thread.reservation_id ? h("a", { href: link(`/stays/${thread.reservation_id}`) }, "the reservation") : h("a", { href: link(`/homes/${home.id}`) }, home.title);
  return {
    title: other(thread),
    element: h("section", { class: "narrow" }, back(link("/messages"), "Messages"), h("h1", {}, other(thread)), h("p", { class: "faint" }, "About ", subject), earlier, list, answer, await guard(thread, other(thread), () => shown.filter((each) => each.sender_id !== me()?.id))),
    leave: () => clearTimeout(timer),
  };
}
