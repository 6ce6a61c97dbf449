// Looking for a home: what is asked for, the list, and the map beside it. The address holds the question.

import { debounce, fill, h, icon } from "../core/dom.js";
import { get } from "../core/api.js";
import { here, setQuery } from "../core/place.js";
import { brief } from "../core/money.js";
import { count } from "../core/words.js";
import { card } from "../parts/card.js";
import { plot } from "../parts/plot.js";
import { empty, failed, skeleton } from "../parts/states.js";
import { say } from "../parts/say.js";
import { describe, saveSearchButton } from "../parts/save_search.js";
import { question } from "../parts/question.js";

const PAGE = 24;

export function search() {
  let query = here().query;
  let found = [];
  let cursor = null;
  let asked = null;
  let isKept = false;

  const list = h("div", { class: "results", "aria-label": "Homes" });
  const told = h("h1", { class: "told" }, "Homes");
  const more = h("div", { class: "more" });
  const cards = new Map();

  const map = plot({
    label: (home) => brief(home.price_amount, home.price_currency),
    onmove: (box) => {
      if (!follow.checked) return;
      query.set("bbox", box);
      isKept = true;
      ask();
    },
    onpick: (home) => {
      const chosen = cards.get(home.id);
      wide.setAttribute("aria-pressed", "false");
      layout.classList.remove("map-first");
      chosen?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      chosen?.querySelector("a")?.focus({ preventScroll: true });
    },
    onhover: (home) => point(home?.id ?? null),
  });
  const follow = h("input", { type: "checkbox", id: "follow", checked: true });
  const wide = h("button", { type: "button", class: "button switch", "aria-pressed": "false", onclick: () => {
    const isMap = layout.classList.toggle("map-first");
    wide.setAttribute("aria-pressed", String(isMap));
    fill(wide, icon(isMap ? "list" : "map"), isMap ? "List" : "Map");
  } }, icon("map"), "Map");

  const asking = question(query, {
    onchange: (next) => {
      // Another place or other words look everywhere again; a change of price stays where one looks.
      if (["q", "city"].some((name) => (next.get(name) ?? "") !== (query.get(name) ?? ""))) next.delete("bbox");
      query = next;
      isKept = next.has("bbox");
      ask();
    },
  });
  const layout = h("div", { class: "search" },
    h("div", { class: "search-head" }, asking.element),
    h("section", { class: "search-list" }, h("div", { class: "told-row" }, told, h("div", { class: "row" }, saveSearchButton({ query: () => kept().toString(), words: () => describe(kept()) || "All homes" }), asking.sort)), list, more),
    h("aside", { class: "search-map" }, map.element, h("label", { class: "follow", for: "follow" }, follow, " Search where the map looks")),
    wide);

  function point(id) {
    map.activate(id);
    for (const [each, element] of cards) element.classList.toggle("active", each === id);
  }

  const ask = debounce(120, load);

  async function load({ next = false } = {}) {
    asked?.abort();
    const mine = (asked = new AbortController());
    setQuery(query);
    list.setAttribute("aria-busy", "true");
    if (!next && found.length === 0) fill(list, skeleton("card", 6));
    fill(more, next && skeleton("line", 1));
    try {
      const { data } = await get("/v1/properties", { signal: mine.signal, query: { ...sent(), limit: PAGE, cursor: next ? cursor : undefined, count: next ? undefined : "true" } });
      show(data, next);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.code === "request.invalid" && asking.refused(error)) fill(list, empty("Not searched", "See the marked filter above."));
      else fill(next ? more : list, failed(error, () => load({ next })));
    } finally {
      if (mine === asked) list.removeAttribute("aria-busy");
    }
  }

  /** What is asked, for a saved search: whole questions only, and no order. */
  function kept() {
    const given = new URLSearchParams(sent());
    given.delete("sort");
    return given;
  }

  function sent() {
    const given = Object.fromEntries(query);
    // One date alone is half a question: it is kept in the address and asked once both are there.
    if (!given.available_from || !given.available_to) delete given.available_from, delete given.available_to;
    return given;
  }

  function show(data, next) {
    const before = found.length;
    found = next ? [...found, ...data.items] : data.items;
    cursor = data.next_cursor;
    if (!next) {
      cards.clear();
      fill(told, data.total === undefined ? "Homes" : count(data.total, "home"));
      say(found.length === 0 ? "No homes found" : `${data.total ?? found.length} homes found`);
    }
    const made = data.items.map((home) => card(home, { query: dates(), onhover: (each) => point(each?.id ?? null) }));
    made.forEach((element, place) => cards.set(data.items[place].id, element));
    if (!next) list.replaceChildren();
    list.append(...made);
    if (found.length === 0) fill(list, empty("Nothing like that here", "Take a filter away, or look in a wider area.", h("button", { type: "button", class: "button", onclick: () => asking.clear() }, "Clear all filters")));
    fill(more, cursor && h("button", { type: "button", class: "button", onclick: () => load({ next: true }) }, "Show more"), found.length > 0 && h("p", { class: "small faint" }, `${found.length} shown`));
    map.show(found, { box: isKept || next ? undefined : query.get("bbox"), keep: isKept || next });
    if (next) cards.get(found[before]?.id)?.querySelector("a")?.focus();
  }

  function dates() {
    const [since, until] = [query.get("available_from"), query.get("available_to")];
    return since && until ? `?${new URLSearchParams({ check_in: since, check_out: until })}` : "";
  }

  load();
  return { element: layout, title: "Find a home", wide: true };
}
