// Choosing a time for a visit: a day, then one of its free times, by the clock of the home.

import { fill, h, icon, uid } from "../core/dom.js";
import { get } from "../core/api.js";
import { dayIn, plusDays, showShort, showTime, showWeekday, today } from "../core/days.js";
import { ownZone } from "../core/codes.js";
import { failed, skeleton } from "./states.js";

const LOOK_DAYS = 7;

/** onchoose(instant, or null): a time was chosen, or the choice is gone. */
export function slotPicker(home, { onchoose }) {
  const name = uid("slot");
  const first = today(home.time_zone);
  let [since, day, found, chosen] = [first, null, [], null];
  const days = h("div", { class: "slot-days", role: "group", "aria-label": "Day of the visit" });
  const times = h("div", { class: "slot-times", role: "radiogroup", "aria-label": "Time of the visit" });
  const turning = h("div", { class: "row spread" });
  const element = h("div", { class: "slots" }, turning, days, times, h("p", { class: "small faint" }, zoneWords(home)));

  async function look(from, { keep = false } = {}) {
    since = from;
    choose(null);
    if (!keep) fill(times, skeleton("line", 1));
    drawTurning();
    try {
      const { data } = await get(`/v1/properties/${home.id}/visit-slots`, { query: { from, to: plusDays(from, LOOK_DAYS) } });
      if (since !== from) return;
      found = data.slots;
      day = found.length > 0 ? dayIn(found[0].starts_at, home.time_zone) : null;
      draw();
    } catch (error) {
      fill(days);
      fill(times, failed(error, () => look(from)));
    }
  }

  const of = (one) => found.filter(({ starts_at: start }) => dayIn(start, home.time_zone) === one);

  function draw() {
    fill(days, Array.from({ length: LOOK_DAYS }, (_, place) => plusDays(since, place)).map((one) => h("button", {
      type: "button", class: "slot-day", "aria-pressed": String(one === day), disabled: of(one).length === 0, onclick: ({ currentTarget }) => {
        const at = [...days.children].indexOf(currentTarget);
        day = one;
        choose(null);
        draw();
        days.children[at].focus();
      },
    }, h("span", { class: "small" }, showWeekday(one)), h("strong", {}, showShort(one)))));
    const shown = day ? of(day) : [];
    fill(times, shown.length === 0 ? h("p", { class: "faint" }, "No free times in these days.") : shown.map((slot) => time(slot, shown)));
  }

  function time(slot, shown) {
    const words = showTime(slot.starts_at, home.time_zone);
    // Where the clock goes back an hour is shown twice: its zone tells the two apart.
    const isTwice = shown.filter((each) => showTime(each.starts_at, home.time_zone) === words).length > 1;
    return h("label", { class: "slot-time" },
      h("input", { type: "radio", name, value: slot.starts_at, checked: slot.starts_at === chosen, onchange: () => choose(slot.starts_at) }),
      h("span", {}, words, isTwice && h("small", {}, ` ${offset(slot.starts_at, home.time_zone)}`)));
  }

  function drawTurning() {
    const week = (by, words, sign) => h("button", { type: "button", class: "button quiet icon-only", "aria-label": words, disabled: plusDays(since, by) < first, onclick: () => look(plusDays(since, by)) }, icon(sign));
    fill(turning, week(-LOOK_DAYS, "A week earlier", "left"), h("span", { class: "strong" }, `${showShort(since)} – ${showShort(plusDays(since, LOOK_DAYS - 1))}`), week(LOOK_DAYS, "A week later", "right"));
  }

  function choose(instant) {
    chosen = instant;
    onchoose(instant);
  }

  look(first);
  return { element, again: () => look(since, { keep: true }) };
}

const offset = (instant, zone) => new Intl.DateTimeFormat(undefined, { timeZone: zone, timeZoneName: "shortOffset" }).formatToParts(new Date(instant)).find(({ type }) => type === "timeZoneName")?.value;

function zoneWords(home) {
  const zone = home.time_zone.replaceAll("_", " ");
  return ownZone() === home.time_zone ? "Half an hour, by your own clock." : `Half an hour, by the clock of the home (${zone}).`;
}
