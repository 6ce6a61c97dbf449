// What a stay costs, line by line, as the API has counted it.

import { h } from "../core/dom.js";
import { money } from "../core/money.js";
import { count } from "../core/words.js";

const percent = (basisPoints) => `${(basisPoints / 100).toLocaleString()} %`;

function words(line, currency) {
  if (line.kind === "nights") return `${count(line.nights, "night")} × ${money(line.unit_amount, currency)}`;
  if (line.kind === "length_discount") return `For the length of the stay, ${percent(line.basis_points)} less`;
  if (line.kind === "cleaning") return "Cleaning";
  return line.kind;
}

/** The lines of a price as rows. */
export function priceLines({ lines = [], total_amount: total, currency, deposit_amount: deposit = 0 }) {
  return h("dl", { class: "sum" },
    lines.map((line) => h("div", {}, h("dt", {}, words(line, currency)), h("dd", {}, money(line.amount, currency)))),
    h("div", { class: "total" }, h("dt", {}, "Total"), h("dd", {}, money(total, currency))),
    deposit > 0 && h("div", { class: "apart" }, h("dt", {}, "Deposit, given back after the stay"), h("dd", {}, money(deposit, currency))));
}

/** steps: [{days_before, percent}], the earliest first. */
export function cancellationTerms(steps = []) {
  if (steps.length === 0) return h("p", { class: "small faint" }, "Cancelling gives nothing back.");
  const sentence = ({ days_before: days, percent: part }) => `${days === 0 ? "until check-in" : `until ${count(days, "day")} before check-in`}, ${part} % back`;
  return h("p", { class: "small faint" }, "Cancelling: ", steps.map(sentence).join("; "), ".");
}
