// Saved searches, and whether one is told of what is new in them.

import { h } from "../core/dom.js";
import { all, del, patch } from "../core/api.js";
import { link } from "../core/place.js";
import { fromNow } from "../core/days.js";
import { actionButton } from "../parts/actions.js";
import { describe } from "../parts/save_search.js";
import { empty, pageHead, section } from "../parts/states.js";
import { toast } from "../parts/say.js";

export function searches() {
  const place = h("div", {});
  const again = section(place, async () => {
    const found = await all("/v1/saved-searches");
    if (found.length === 0) return empty("No searches yet", "Search for a home, then save the search to be told of what is new.", h("a", { class: "button primary", href: link("/") }, "Find a home"));
    return h("ul", { class: "rows" }, found.map((each) => row(each, again)));
  }, { shape: ["row", 3] });
  return { title: "Searches", element: h("section", { class: "narrow" }, pageHead("Searches", "We write to you when something new fits."), place) };
}

function row(search, again) {
  const alerts = h("input", { type: "checkbox", checked: search.alerts, onchange: async () => {
    try {
      await patch(`/v1/saved-searches/${search.id}`, { alerts: alerts.checked });
      toast(alerts.checked ? "We tell you of what is new from now on." : "No more mails about this search.");
    } catch (error) {
      alerts.checked = !alerts.checked;
      toast(`${error.title}. ${error.detail}`, { kind: "bad" });
    }
  } });
  return h("li", { class: "row-item" },
    h("div", { class: "grow" }, h("h2", { class: "row-title" }, h("a", { href: link(`/?${search.query}`) }, search.name)), h("p", { class: "small faint" }, describe(search.query) || "Everything", ` · saved ${fromNow(search.created_at)}`)),
    h("label", { class: "box" }, alerts, h("span", {}, "Tell me")),
    actionButton("Forget it", async () => {
      await del(`/v1/saved-searches/${search.id}`);
      again();
    }, { kind: "quiet", name: `Forget ${search.name}` }));
}
