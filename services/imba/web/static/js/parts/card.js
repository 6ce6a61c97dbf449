// A home in a list.

import { h, icon } from "../core/dom.js";
import { link } from "../core/place.js";
import { money, per } from "../core/money.js";
import { KINDS, area, count, quarters } from "../core/words.js";
import { favourite } from "./favourite.js";
import { rated } from "./stars.js";
import { cover } from "./picture.js";
import { privatePicture } from "./private_picture.js";

export const price = (home, options = { short: true }) => [h("strong", {}, money(home.price_amount, home.price_currency, options)), " ", per(home.price_per)];

export function facts(home) {
  return h("ul", { class: "facts" },
    home.bedrooms > 0 && h("li", {}, icon("bed"), h("span", {}, count(home.bedrooms, "bedroom"))),
    home.bathrooms > 0 && h("li", {}, icon("bath"), h("span", {}, quarters(home.bathrooms), " ", home.bathrooms === 1 ? "bath" : "baths")),
    home.floor_area_sqm && h("li", {}, icon("area"), h("span", {}, area(home.floor_area_sqm))));
}

/** query: kept in the address, so that chosen dates go along. isOwn: its photos may be the caller's alone, still. */
export function card(home, { query = "", onhover, level = "h2", isOwn = false, onfavourite } = {}) {
  const where = [home.city, home.region].filter(Boolean).join(", ");
  return h("article", { class: "card", data: { id: home.id }, onpointerenter: () => onhover?.(home), onpointerleave: () => onhover?.(null), onfocusin: () => onhover?.(home), onfocusout: () => onhover?.(null) },
    h("div", { class: "card-photo" }, isOwn && home.cover ? privatePicture(home.cover.card) : cover(home)),
    h("div", { class: "card-body" },
      h("p", { class: "card-kicker" }, h("span", {}, KINDS[home.kind], " · ", where), rated(home)),
      h(level, { class: "card-title" }, h("a", { href: link(`/homes/${home.id}${query}`) }, home.title)),
      facts(home),
      h("p", { class: "price" }, price(home))),
    // After the link, so that the home comes before what one can do with it.
    !isOwn && favourite(home, { onchange: onfavourite }));
}
