// The nights of a home: what is taken, what its landlord keeps, and calendars kept elsewhere.

import { fill, h } from "../../core/dom.js";
import { all, del, get, post } from "../../core/api.js";
import { count } from "../../core/words.js";
import { root } from "../../core/place.js";
import { fromNow, showInstant, showRange, today } from "../../core/days.js";
import { actionButton } from "../../parts/actions.js";
import { calendar } from "../../parts/calendar.js";
import { field, form } from "../../parts/forms.js";
import { section } from "../../parts/states.js";
import { toast } from "../../parts/say.js";

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
    h("section", { class: "block" }, h("h2", {}, "Calendars kept elsewhere"), elsewhere(home)),
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

function elsewhere(home) {
  const place = h("div", {});
  const feed = `${location.origin}${root}/v1/properties/${home.id}/calendar.ics`;
  const again = section(place, async () => imported(await all("/v1/calendars", { query: { property_id: home.id } }), () => again()), { shape: ["line", 1] });
  const add = h("div", {});
  fill(add, form([
    field("name", "Name", { optional: true, blank: "", maxlength: 120 }),
    field("file", "The calendar (.ics)", { kind: "file", accept: ".ics,text/calendar", hint: "Its events take the nights, as told." }),
  ], {
    submit: "Take the calendar in",
    send: async (given, key, element) => post(`/v1/properties/${home.id}/calendars`, { ...given, file: (await element.elements.file.files[0]?.text()) ?? "" }, { key }),
    done: (_, element) => {
      element.reset();
      toast("Taken in.");
      again();
    },
  }));
  return [h("p", {}, "Other programs see the taken nights at ", h("code", {}, feed), "."), place, add];
}

function imported(found, changed) {
  if (found.length === 0) return null;
  return h("ul", { class: "rows" }, found.map((each) => h("li", { class: "row-item" },
    h("div", { class: "grow" }, h("p", { class: "strong" }, each.name || "A calendar"), h("p", { class: "small faint" }, each.synced_at ? `${count(each.events, "event")}, read ${fromNow(each.synced_at)}` : `waiting since ${showInstant(each.created_at)}`), each.failure && h("p", { class: "error" }, each.failure)),
    actionButton("Remove", async () => {
      await del(`/v1/calendars/${each.id}`);
      toast("Removed, and with it the nights it took.");
      changed();
    }, { kind: "quiet" }))));
}
