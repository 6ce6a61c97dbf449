// What guests say of a home, what hosts say of a guest, and saying it.

import { fill, h } from "../core/dom.js";
import { all, api, get, patch, post, put } from "../core/api.js";
import { me } from "../core/session.js";
import { showDay, showInstant } from "../core/days.js";
import { actionButton, ask } from "./actions.js";
import { field, form } from "./forms.js";
import { rated, stars, starsField } from "./stars.js";
import { section } from "./states.js";
import { toast } from "./say.js";

const PAGE = 6;

/** The reviews of a home. isOwn: its landlord may answer. */
export function reviewsOf(home, { isOwn }) {
  if (!home.rating_count) return null;
  const place = h("div", {});
  let limit = PAGE;
  const again = section(place, async () => {
    const { data } = await get(`/v1/properties/${home.id}/reviews`, { query: { limit, sort: "-published_at", published_at__isnull: "false" } });
    return [
      h("ul", { class: "reviews" }, data.items.map((each) => review(each, { isOwn, again }))),
      data.next_cursor && h("p", {}, h("button", { type: "button", class: "button", onclick: () => {
        limit = Math.min(100, limit + 3 * PAGE);
        again({ quiet: true });
      } }, "Show more")),
    ];
  }, { shape: ["line", 2] });
  return h("section", { class: "block" }, h("h2", { class: "row" }, "Reviews ", rated(home)), place);
}

function review(each, { isOwn, again }) {
  return h("li", { class: "review-item" },
    h("p", { class: "row" }, h("strong", {}, each.author_name || "A former guest"), stars(each.rating), h("span", { class: "small faint" }, showDay(each.published_at.slice(0, 10)))),
    each.text && h("p", { class: "prose" }, each.text),
    each.answer && h("blockquote", { class: "answer" }, h("p", { class: "small faint" }, "The landlord answered"), h("p", { class: "prose" }, each.answer)),
    isOwn && h("p", {}, h("button", { type: "button", class: "button quiet", onclick: () => answerDialog(each, again) }, each.answer ? "Change the answer" : "Answer"),
      each.answer && actionButton("Take it back", async () => {
        await api("DELETE", `/v1/reviews/${each.id}/answer`);
        again();
      }, { kind: "quiet" })));
}

function answerDialog(each, again) {
  ask({
    title: "Your answer", text: "Everybody reads it with the review.", submit: "Publish the answer",
    fields: [field("text", "Answer", { kind: "textarea", rows: 4, maxlength: 2000, value: each.answer ?? "" })],
    send: (given) => put(`/v1/reviews/${each.id}/answer`, given),
    done: () => {
      toast("Your answer is published.");
      again();
    },
  });
}

/** After a completed stay: one's own review, to be written, changed, or read. */
export function ownReview(row, { isTenant }) {
  const place = h("div", {});
  const again = section(place, async () => {
    const query = isTenant ? { property_id: row.property_id } : { guest_id: row.tenant_id };
    const found = await all("/v1/reviews", { query });
    const own = found.find((each) => each.author_id === me()?.id && each.reservation_id === row.id);
    if (own?.published_at) return [h("p", { class: "row" }, stars(own.rating), h("span", { class: "small faint" }, `published ${showDay(own.published_at.slice(0, 10))}`)), h("p", { class: "prose" }, own.text)];
    return write(row, own, isTenant, again);
  }, { shape: ["line", 1] });
  return h("section", { class: "block" }, h("h2", {}, isTenant ? "How was it?" : "How was your guest?"), place);
}

function write(row, own, isTenant, again) {
  const holder = h("div", {});
  fill(holder,
    own && h("p", { class: "notice" }, `Nobody else reads it before the other side has written, or until ${showInstant(own.closes_at)}.`),
    form([starsField("rating", "Rating", own?.rating), field("text", "In your words", { kind: "textarea", rows: 4, maxlength: 4000, optional: true, blank: "", value: own?.text ?? "" })], {
      submit: own ? "Change it" : "Hand the review in",
      send: (given, key) => (own ? patch(`/v1/reviews/${own.id}`, given) : post("/v1/reviews", { reservation_id: row.id, ...given }, { key })),
      done: () => {
        toast(isTenant ? "Thank you. The landlord writes about you, too." : "Thank you.");
        again();
      },
    }));
  return holder;
}

/** What other hosts say of a guest, for the landlord whom the guest asks. */
export function ofGuest(row) {
  const place = h("div", {});
  all("/v1/reviews", { query: { guest_id: row.tenant_id, published_at__isnull: "false" }, most: 20 }).then((found) => {
    if (found.length > 0) fill(place, h("section", { class: "block" }, h("h2", {}, "What other hosts say"), h("ul", { class: "reviews" }, found.map((each) => review(each, {})))));
  }, () => {});
  return place;
}
