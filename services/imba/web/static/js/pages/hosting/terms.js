// How a home is let by the night: what a stay must be, what it costs beside the price, what giving it up gives back.

import { h } from "../../core/dom.js";
import { get, put } from "../../core/api.js";
import { toMajor } from "../../core/money.js";
import { humanly } from "../../core/words.js";
import { boxes, field, form, number } from "../../parts/forms.js";
import { amount, shown } from "../../parts/home_fields.js";
import { rows } from "../../parts/rows.js";
import { toast } from "../../parts/say.js";

export const DAYS = [["mon", "Mon"], ["tue", "Tue"], ["wed", "Wed"], ["thu", "Thu"], ["fri", "Fri"], ["sat", "Sat"], ["sun", "Sun"]];
const POLICIES = [
  ["flexible", "Flexible: all until a day before"],
  ["moderate", "Moderate: all until 5 days before, half until one"],
  ["strict", "Strict: all until 30 days before, half until 7"],
  ["custom", "My own steps"],
];

export async function terms(context) {
  const { home } = context.known;
  const path = `/v1/properties/${home.id}/booking-terms`;
  const { data: now } = await get(path);
  const currency = home.price_currency;
  const money = amount(() => currency);

  const whole = (name, words, options = {}) => field(name, words, { kind: "number", step: 1, value: now[name] ?? "", read: number, inputmode: "numeric", ...options });
  const price = (name, words, hint) => field(name, words, { value: toMajor(now[name], currency), inputmode: "decimal", read: money, hint });
  const fields = [
    h("h2", {}, "What a stay may be"),
    field("instant", "Stays are confirmed at once, without my answer", { kind: "check", checked: now.instant }),
    h("div", { class: "three" }, whole("min_nights", "Nights, at least"), whole("max_nights", "At most"), whole("max_guests", "Guests, at most")),
    boxes("arrival_days", "Arrival on", DAYS, now.arrival_days),
    boxes("departure_days", "Departure on", DAYS, now.departure_days),
    h("div", { class: "two" }, field("check_in_time", "Arrival from", { kind: "time", value: now.check_in_time }), field("check_out_time", "Departure until", { kind: "time", value: now.check_out_time })),
    h("div", { class: "two" }, whole("hold_hours", "Hours to answer a request"), whole("gap_nights", "Nights kept free after a stay"),
      whole("notice_days", "Days ahead, at least"), whole("horizon_days", "Days ahead, at most", { optional: true, blank: null })),
    h("h2", {}, "What it costs"),
    h("div", { class: "two" }, price("cleaning_amount", `Cleaning, in ${currency}`), price("deposit_amount", `Deposit, in ${currency}`)),
    rows("seasons", "Seasons with another price", {
      first: now.seasons, add: "Add a season", fresh: { start: "", end: "", price_amount: home.price_amount },
      columns: [{ key: "start", words: "From", kind: "date" }, { key: "end", words: "Until, without the day", kind: "date" }, { key: "price_amount", words: `A night, in ${currency}`, inputmode: "decimal", read: money, show: shown(currency) }],
    }),
    rows("length_discounts", "Discounts for long stays", {
      first: now.length_discounts, add: "Add a discount", fresh: { nights: 7, basis_points: 1000 },
      columns: [{ key: "nights", words: "From so many nights", inputmode: "numeric", read: number }, { key: "basis_points", words: "Per cent less", inputmode: "decimal", read: (text) => (Number.isFinite(Number(text)) ? Math.round(Number(text) * 100) : text), show: (value) => (typeof value === "number" ? value / 100 : value) }],
    }),
    h("h2", {}, "When it is given up"),
    field("cancellation", "What the guest gets back", { kind: "select", options: POLICIES, value: now.cancellation }),
    rows("cancellation_steps", humanly("my own steps"), {
      first: now.cancellation_steps, add: "Add a step", fresh: { days_before: 7, percent: 50 },
      columns: [{ key: "days_before", words: "Until so many days before", inputmode: "numeric", read: number }, { key: "percent", words: "Per cent back", inputmode: "numeric", read: number }],
    }),
  ];
  const element = form(fields, {
    submit: "Save the terms",
    send: (given) => put(path, given, { match: context.known.etag }),
    done: async () => {
      await context.refresh();
      toast("Saved. What is booked keeps its own terms.");
    },
    // They are part of the home's row: what else was changed of it meanwhile is no reason to lose what stands here.
    onproblem: (problem) => problem.status === 412 && context.refresh() && false,
  });
  const own = element.elements.cancellation_steps;
  const fold = () => {
    own.hidden = element.elements.cancellation.value !== "custom";
    own.disabled = own.hidden;
  };
  element.elements.cancellation.addEventListener("change", fold);
  fold();
  return [element, h("div", { class: "row end after" }, context.next())];
}
