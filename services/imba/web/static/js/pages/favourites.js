// What one has put aside.

import { h } from "../core/dom.js";
import { all, del } from "../core/api.js";
import { link } from "../core/place.js";
import { actionButton } from "../parts/actions.js";
import { card } from "../parts/card.js";
import { empty, pageHead, section } from "../parts/states.js";

export function favourites() {
  const place = h("div", {});
  const again = section(place, async () => {
    const found = await all("/v1/favourites", { query: { expand: "property" } });
    if (found.length === 0) return empty("Nothing put aside", "Press the heart on a home to find it here again.", h("a", { class: "button primary", href: link("/") }, "Find a home"));
    const offered = found.filter((each) => each.property);
    const gone = found.length - offered.length;
    return [
      h("div", { class: "results" }, offered.map(({ property }) => card(property, { onfavourite: () => again({ quiet: true }) }))),
      gone > 0 && h("p", { class: "row faint" }, gone === 1 ? "One home is not offered any more." : `${gone} homes are not offered any more.`, actionButton("Forget them", async () => {
        await Promise.all(found.filter((each) => !each.property).map((each) => del(`/v1/favourites/${each.id}`)));
        again();
      }, { kind: "quiet" })),
    ];
  }, { shape: ["card", 3] });
  return { title: "Favourites", element: h("section", {}, pageHead("Favourites", "Homes that you have put aside."), place) };
}
