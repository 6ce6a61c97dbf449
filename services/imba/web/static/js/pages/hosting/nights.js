// The nights of a home: what is taken, and what its landlord keeps.

import { h } from "../../core/dom.js";
import { all, del, get, post } from "../../core/api.js";
import { showRange, today } from "../../core/days.js";
import { actionButton } from "../../parts/actions.js";
import { calendar } from "../../parts/calendar.js";
import { field, form } from "../../parts/forms.js";
import { section } from "../../parts/states.js";
import { toast } from "../../parts/say.js";
import { calendars } from "./calendars.js";

export function nights(context) {
  const { home } = context.known;
  const first = today(home.time_zone);
  const keep = form([
    h("div", { class: "two" }, field("start", "First night", { kind: "date", min: first }), field("end", "Free again from", { kind: "date", min: first })),
    field("note", "Note", { optional: true, blank: "", maxlength: 500, hint: "Nobody else reads it." }),
  ], {
    submit: "Keep these nights",
    send: (given, key) => post(`/v1/properties/${home.id}/blocks`, given, { key }),
    done: (_, element) => {
      element.reset();
      toast("Kept. Nobody can reserve them.");
      know();
      again();
    },
  });
  const months = calendar({ first, months: 2, onchoose: (since, until) => {
    keep.elements.start.value = since ?? "";
    keep.elements.end.value = until ?? "";
  } });
  const kept = h("div", {});
  const again = section(kept, async () => blocks(home, await all("/v1/blocks", { query: { property_id: home.id, end__gte: first } }), () => {
    know();
    again();
  }), { shape: ["line", 1] });

  const know = () => get(`/v1/properties/${home.id}/availability`, { query: { from: first } }).then(({ data }) => months.know({ busy: data.busy }), () => {});
  know();
  return [
    h("h2", {}, "Nights"), months.element, keep, kept,
    calendars(home, know),
    h("div", { class: "row end after" }, context.next()),
  ];
}

function blocks(home, found, changed) {
  if (found.length === 0) return h("p", { class: "faint" }, "You keep no nights for yourself.");
  return h("ul", { class: "rows" }, found.map((each) => h("li", { class: "row-item" },
    h("div", { class: "grow" }, h("p", { class: "strong" }, showRange(each.start, each.end)), each.note && h("p", { class: "small faint" }, each.note)),
    actionButton("Give them back", async () => {
      await del(`/v1/blocks/${each.id}`);
      toast("Free again.");
      changed();
    }, { kind: "quiet" }))));
}
