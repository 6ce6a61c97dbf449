// The nights of a home: which are taken, and two of them chosen as arrival and departure. Ranges are half-open: on the
// day that one guest leaves another may arrive, so the first taken day can still be a departure.

import { fill, h, icon } from "../core/dom.js";
import { monthOf, plusDays, plusMonths, showLong, showMonth, showWeekday, today, weekday } from "../core/days.js";

const MONDAY = "2024-01-01";
const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/**
 * busy: [{start, end}]. first: the earliest day to arrive. arrivals: days of the week on which one may.
 * onchoose(since, until): a day was chosen; until is null while only the arrival is.
 */
export function calendar({ busy = [], first = today(), arrivals = WEEKDAYS, months = 2, onchoose, onmonth }) {
  let month = monthOf(first);
  let chosen = [null, null];
  let focus = first;
  const heads = h("div", { class: "months-head" });
  const board = h("div", { class: "months", onkeydown: keyed });
  const element = h("div", { class: "calendar" }, heads, board,
    h("p", { class: "legend small faint" }, h("span", { class: "swatch free" }), "free", h("span", { class: "swatch taken" }), "taken", h("span", { class: "swatch chosen" }), "yours"));

  const isTaken = (day) => busy.some(({ start, end }) => start <= day && day < end);
  /** The first taken day after one: the last on which a stay from there can end. */
  const limit = (day) => busy.map(({ start }) => start).filter((start) => start > day).sort()[0] ?? "9999-12-31";
  const canArrive = (day) => day >= first && !isTaken(day) && arrivals.includes(WEEKDAYS[weekday(day)]);
  const isOpen = () => chosen[0] !== null && chosen[1] === null;
  const canChoose = (day) => (isOpen() && day > chosen[0] ? day <= limit(chosen[0]) : canArrive(day));

  function choose(day) {
    chosen = isOpen() && day > chosen[0] && day <= limit(chosen[0]) ? [chosen[0], day] : [day, null];
    focus = day;
    draw({ focused: true });
    onchoose?.(...chosen);
  }

  function words(day) {
    if (day === chosen[0]) return "arrival";
    if (day === chosen[1]) return "departure";
    if (isOpen() && day > chosen[0] && canChoose(day)) return "can be the departure";
    if (isTaken(day)) return "taken";
    if (day < first) return "too early";
    return canArrive(day) ? "free" : "free, no arrival";
  }

  function cell(day) {
    const inside = chosen[0] && chosen[1] && day > chosen[0] && day < chosen[1];
    const kind = [isTaken(day) && "taken", day < first && "past", (day === chosen[0] || day === chosen[1]) && "edge", inside && "inside"].filter(Boolean).join(" ");
    return h("button", {
      type: "button", class: `day ${kind}`, data: { day }, tabindex: day === focus ? 0 : -1, "aria-label": `${showLong(day)}, ${words(day)}`,
      "aria-pressed": String(day === chosen[0] || day === chosen[1] || Boolean(inside)), "aria-disabled": String(!canChoose(day)),
      onclick: () => canChoose(day) && choose(day),
    }, Number(day.slice(8)));
  }

  function grid(start) {
    const next = plusMonths(start, 1);
    const days = [];
    for (let day = start; day < next; day = plusDays(day, 1)) days.push(cell(day));
    const gaps = Array.from({ length: weekday(start) }, () => h("span", {}));
    const names = Array.from({ length: 7 }, (_, place) => h("abbr", { title: showWeekday(plusDays(MONDAY, place)) }, showWeekday(plusDays(MONDAY, place)).slice(0, 2)));
    return h("div", { class: "month", role: "group", "aria-label": showMonth(start) }, h("p", { class: "month-name", "aria-hidden": "true" }, showMonth(start)), h("div", { class: "days" }, h("div", { class: "names", "aria-hidden": "true" }, names), gaps, days));
  }

  function turn(count) {
    month = plusMonths(month, count);
    if (focus < month || focus >= plusMonths(month, months)) focus = month < first ? first : month;
    draw();
    onmonth?.(month, plusMonths(month, months));
  }

  function draw({ focused = false } = {}) {
    fill(heads,
      h("button", { type: "button", class: "button icon-only", "aria-label": "Earlier months", disabled: month <= monthOf(first), onclick: () => turn(-1) }, icon("left")),
      h("button", { type: "button", class: "button icon-only", "aria-label": "Later months", onclick: () => turn(1) }, icon("right")));
    fill(board, Array.from({ length: months }, (_, place) => grid(plusMonths(month, place))));
    if (focused) board.querySelector(`[data-day="${focus}"]`)?.focus();
  }

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  function keyed(event) {
    const step = STEPS[event.key];
    const jump = { PageUp: -1, PageDown: 1 }[event.key];
    if (!step && !jump) return;
    event.preventDefault();
    const target = step ? plusDays(focus, step) : plusMonths(focus, jump);
    focus = target < first ? first : target;
    if (focus < month) month = monthOf(focus);
    while (focus >= plusMonths(month, months)) month = plusMonths(month, 1);
    draw({ focused: true });
  }

  draw();
  return {
    element,
    /** Other facts: busy ranges after a reload, terms once they are known. */
    know(next) {
      ({ busy = busy, first = first, arrivals = arrivals } = next);
      draw();
    },
    /** Show a choice that was made elsewhere, in the inputs of dates. */
    choose(since, until) {
      chosen = [since || null, until || null];
      if (since) {
        focus = since;
        if (since < month || since >= plusMonths(month, months)) month = monthOf(since);
      }
      draw();
    },
  };
}
