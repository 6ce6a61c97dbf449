// Reserving nights: two dates, who comes, what it costs, and the request itself.

import { debounce, fill, h } from "../core/dom.js";
import { get, newKey, post } from "../core/api.js";
import { ApiProblem } from "../core/problem.js";
import { go } from "../core/place.js";
import { hasRole, me } from "../core/session.js";
import { plusDays, showWeekday, today } from "../core/days.js";
import { count } from "../core/words.js";
import { calendar } from "./calendar.js";
import { clearErrors, field, showProblem, wait } from "./forms.js";
import { cancellationTerms, priceLines } from "./quote.js";
import { signInAddress, skeleton, toSignIn } from "./states.js";
import { toast } from "./say.js";

const REFUSALS = new Set(["imba.dates_taken"]);
const MONDAY = "2024-01-01";
const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

export function stayPanel(home, query) {
  const first = today(home.time_zone ?? "UTC");
  const months = calendar({ first, months: 1, onchoose: (since, until) => fillDates(since, until) });
  const fields = h("div", { class: "two" },
    field("check_in", "Arrive", { kind: "date", min: first, value: query.get("check_in") ?? "" }),
    field("check_out", "Leave", { kind: "date", min: plusDays(first, 1), value: query.get("check_out") ?? "" }));
  const guests = field("guests", "Guests", { kind: "number", min: 1, max: 100, value: "2", inputmode: "numeric" });
  const rules = h("p", { class: "small faint" });
  const cost = h("div", { class: "cost", "aria-live": "polite" });
  const button = h("button", { class: "button primary wide" }, "Reserve");
  const note = h("p", { class: "small faint" });
  const element = h("form", { class: "form stay", novalidate: true, "aria-label": "Reserve nights" }, fields, guests, h("div", { class: "calendar-holder" }, months.element), rules, cost, button, note);
  const control = (name) => element.elements[name];
  let key = newKey();
  let turn = 0;
  let quoted = null;
  let isInstant = false;

  function fillDates(since, until) {
    control("check_in").value = since ?? "";
    control("check_out").value = until ?? "";
    changed();
  }

  const price = debounce(200, async () => {
    const [since, until] = [control("check_in").value, control("check_out").value];
    quoted = null;
    if (!since || !until) return fill(cost);
    const mine = ++turn;
    fill(cost, skeleton("line", 1));
    try {
      const { data } = await get(`/v1/properties/${home.id}/quote`, { query: { check_in: since, check_out: until, guests: control("guests").value } });
      if (mine !== turn) return undefined;
      quoted = data.total_amount;
      fill(cost, priceLines(data), cancellationTerms(data.cancellation));
    } catch (error) {
      if (mine !== turn) return undefined;
      fill(cost);
      if (error instanceof ApiProblem && error.errors.length > 0) showProblem(element, error);
      else fill(cost, h("p", { class: "small" }, error.title));
    }
    return undefined;
  });

  function changed() {
    key = newKey();
    clearErrors(element);
    price();
  }

  async function know() {
    const { data } = await get(`/v1/properties/${home.id}/availability`, { query: { from: first } });
    months.know({ busy: data.busy });
  }

  async function learnTerms() {
    const { data: terms } = await get(`/v1/properties/${home.id}/booking-terms`);
    const earliest = plusDays(first, terms.notice_days);
    months.know({ first: earliest, arrivals: terms.arrival_days });
    control("check_in").min = earliest;
    control("guests").max = terms.max_guests;
    isInstant = terms.instant;
    fill(rules, ruleWords(terms));
    tell();
  }

  function tell() {
    if (!me()) fill(note, h("a", { href: signInAddress() }, "Sign in"), " to reserve.");
    else if (!hasRole("tenant")) fill(note, "Reserving needs a tenant's account.");
    else fill(note, isInstant ? "It is confirmed at once." : "You pay nothing now. The dates are held until the landlord answers.");
  }

  function read() {
    return { kind: "stay", property_id: home.id, check_in: control("check_in").value, check_out: control("check_out").value, guests: Number(control("guests").value), ...(quoted !== null && { expected_total: quoted }) };
  }

  async function send() {
    if (!me()) return toSignIn();
    if (button.getAttribute("aria-disabled") === "true") return undefined;
    clearErrors(element);
    wait(button, true, "Reserving…");
    try {
      const { data } = await post("/v1/reservations", read(), { key });
      toast(data.status === "confirmed" ? "Reserved and confirmed." : "Requested. The landlord answers next.");
      go(`/stays/${data.id}`);
    } catch (error) {
      showProblem(element, error);
      if (REFUSALS.has(error.code)) know();
      // What it costs has changed since it was shown: the new price stands below, and another press agrees to it.
      if (error.code === "imba.price_changed") price();
    } finally {
      wait(button, false, "Reserve");
    }
    return undefined;
  }

  for (const name of ["check_in", "check_out", "guests"]) {
    control(name).addEventListener("change", () => {
      months.choose(control("check_in").value, control("check_out").value);
      changed();
    });
  }
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  know().catch(() => {});
  learnTerms().catch(() => {});
  if (query.get("check_in")) {
    months.choose(query.get("check_in"), query.get("check_out"));
    price();
  }
  tell();
  return element;
}

/** What a stay has to be, as far as it is not just anything. */
function ruleWords(terms) {
  const length = terms.min_nights > 1 && terms.max_nights < 365 ? `${terms.min_nights} to ${count(terms.max_nights, "night")}` : terms.min_nights > 1 ? `at least ${count(terms.min_nights, "night")}` : terms.max_nights < 365 ? `at most ${count(terms.max_nights, "night")}` : null;
  const on = (words, days) => days.length < 7 && `${words} on ${days.map((day) => showWeekday(plusDays(MONDAY, WEEK.indexOf(day)))).join(", ")}`;
  const days = [on("arrival", terms.arrival_days), on("departure", terms.departure_days)].filter(Boolean).join(", ");
  const guests = terms.max_guests < 100 && `up to ${count(terms.max_guests, "guest")}`;
  const times = `from ${terms.check_in_time} until ${terms.check_out_time}`;
  const words = [length, days, guests, times].filter(Boolean).join(" · ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
