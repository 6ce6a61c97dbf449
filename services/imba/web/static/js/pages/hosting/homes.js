// A landlord's homes, and what each still lacks.

import { h, icon } from "../../core/dom.js";
import { all } from "../../core/api.js";
import { link } from "../../core/place.js";
import { hasRole, me } from "../../core/session.js";
import { status } from "../../core/words.js";
import { price } from "../../parts/card.js";
import { drawing } from "../../parts/picture.js";
import { privatePicture } from "../../parts/private_picture.js";
import { badge, empty, pageHead, section } from "../../parts/states.js";

const start = (words) => hasRole("landlord") && h("a", { class: "button primary", href: link("/my-homes/new") }, icon("plus"), words);

export function homes() {
  const place = h("div", {});
  section(place, async () => {
    const found = await all("/v1/properties", { query: { [hasRole("landlord") ? "landlord_id" : "agent_id"]: me()?.id, sort: "-created_at" }, most: 300 });
    if (found.length === 0) return empty("No homes yet", "It takes a title, a city and a price to begin. Photos, terms and documents follow, in any order.", start("Offer a home"));
    return h("ul", { class: "rows" }, found.map(row));
  }, { shape: ["row", 4] });
  return { title: "My homes", element: h("section", {}, pageHead("My homes", "What you offer, and what is on its way there.", start("Offer a home")), place) };
}

function row(home) {
  return h("li", { class: "row-item" },
    h("div", { class: "thumb" }, home.cover ? privatePicture(home.cover.thumb) : drawing(home.id, home.kind)),
    h("div", { class: "grow" }, h("h2", { class: "row-title" }, h("a", { href: link(`/my-homes/${home.id}`) }, home.title)), h("p", {}, home.city, " · ", price(home))),
    badge(home.status, status(home.status)),
    home.status === "listed" && h("a", { class: "button quiet", href: link(`/homes/${home.id}`) }, "As guests see it"));
}
