// One home: its photos, its facts, where it is, when it is free, and the ways to get in.

import { add, h, icon } from "../core/dom.js";
import { all, get, withQuery } from "../core/api.js";
import { link } from "../core/place.js";
import { me } from "../core/session.js";
import { KINDS, humanly, status } from "../core/words.js";
import { facts, price } from "../parts/card.js";
import { plot } from "../parts/plot.js";
import { brief } from "../core/money.js";
import { favourite } from "../parts/favourite.js";
import { gallery } from "../parts/gallery.js";
import { drawing } from "../parts/picture.js";
import { back, badge } from "../parts/states.js";
import { reviewsOf } from "../parts/reviews.js";
import { rated } from "../parts/stars.js";
import { stayPanel } from "../parts/stay.js";
import { visitPanel } from "../parts/visit.js";
import { writeButton } from "../parts/write.js";

export async function listing(id, query) {
  const [{ data: home }, media] = await Promise.all([get(`/v1/properties/${id}`), all("/v1/media", { query: { property_id: id, sort: "position" } })]);
  const isOwn = me() !== null && [home.landlord_id, home.agent_id].includes(me().id);
  // What is not on the market is shown to its landlord and to staff alone, photos too.
  const isPrivate = home.status !== "listed";
  const element = h("article", { class: "listing" },
    back(link("/"), "All homes"),
    isOwn && h("p", { class: "notice row" }, h("span", { class: "grow" }, "This home is yours. ", badge(home.status, status(home.status))), h("a", { class: "button", href: link(`/my-homes/${home.id}`) }, "Change it")),
    h("div", { class: "listing-head" },
      h("div", {}, h("h1", {}, home.title), h("p", { class: "faint" }, [KINDS[home.kind], place(home)].join(" · "), rated(home) && [" · ", rated(home)])),
      !isOwn && h("div", { class: "row" }, favourite(home, { isWide: true }))),
    gallery(media, { isOwn: isPrivate }) ?? h("div", { class: "wide-photo" }, drawing(home.id, home.kind)),
    h("div", { class: "listing-body" },
      h("div", { class: "listing-main" }, facts(home), about(home), reviewsOf(home, { isOwn }), where(home)),
      h("aside", { class: "listing-side" }, h("div", { class: "panel" }, h("p", { class: "price big" }, price(home)), ways(home, query, isOwn)))));
  return { title: home.title, element };
}

const place = (home) => [home.city, home.region, home.postcode].filter(Boolean).join(", ");

function about(home) {
  const more = [["Built", home.year_built], ["Address", [place(home), home.country].join(", ")], ["Time zone", home.time_zone?.replaceAll("_", " ")]];
  return h("section", { class: "block" },
    h("h2", {}, "About this home"),
    home.description.split(/\n{2,}/).filter(Boolean).map((text) => h("p", { class: "prose" }, text)),
    h("dl", { class: "pairs" }, more.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    home.amenities.length > 0 && [h("h3", {}, "What it has"), h("ul", { class: "chips" }, home.amenities.map((each) => h("li", {}, humanly(each))))]);
}

function where(home) {
  if (home.latitude === null) return null;
  const map = plot({ label: () => brief(home.price_amount, home.price_currency), name: `Where ${home.title} is` });
  map.element.classList.add("small");
  map.show([home]);
  // What is around, faintly: a point alone says little about a place.
  get(withQuery("/v1/properties", { near: `${home.latitude},${home.longitude}`, within_km: 12, limit: 100 })).then(({ data }) => map.around(data.items), () => {});
  return h("section", { class: "block" }, h("h2", {}, "Where it is"), map.element, h("p", { class: "small faint" }, `${home.latitude.toFixed(4)}, ${home.longitude.toFixed(4)}`));
}

/** What can be done from here depends on who looks, and on how the home is offered. */
function ways(home, query, isOwn) {
  if (isOwn) return h("p", { class: "faint" }, "You cannot reserve your own home.");
  const box = h("div", { class: "ways" });
  if (home.status !== "listed") return add(box, h("p", {}, "This home is not on offer at the moment."));
  if (home.price_per === "night") add(box, stayPanel(home, query));
  const visit = h("details", { class: "fold", open: home.price_per !== "night" }, h("summary", {}, icon("clock"), "Visit it first"));
  // Free times are asked for once somebody looks at them.
  visit.addEventListener("toggle", () => visit.open && !visit.querySelector("form") && add(visit, visitPanel(home)));
  return add(box, visit, h("div", {}, writeButton({ property_id: home.id }, "the landlord", { kind: "wide" })));
}
