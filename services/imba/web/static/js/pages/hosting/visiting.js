// When a home may be visited, by its own clock.

import { h } from "../../core/dom.js";
import { get, put } from "../../core/api.js";
import { field, form, number } from "../../parts/forms.js";
import { rows } from "../../parts/rows.js";
import { toast } from "../../parts/say.js";
import { DAYS } from "./terms.js";

const TIMES = [{ key: "opens", words: "From", kind: "time" }, { key: "closes", words: "Until", kind: "time" }];
// The API closes a day at 24:00, which no input of a time can hold: 23:59 would leave the last minute out.
const toInput = (openings) => openings.map((each) => ({ ...each, closes: each.closes === "24:00" ? "00:00" : each.closes }));
const fromInput = (each) => ({ ...each, closes: each.closes === "00:00" ? "24:00" : each.closes });

export async function visiting(context) {
  const { home } = context.known;
  const path = `/v1/properties/${home.id}/visiting-hours`;
  const { data: now } = await get(path);
  const whole = (name, words, options = {}) => field(name, words, { kind: "number", step: 1, value: now[name] ?? "", read: number, inputmode: "numeric", ...options });
  const fields = [
    h("h2", {}, "Visits"),
    h("p", { class: "faint" }, `Visits last half an hour. Hours are by the clock of the home (${home.time_zone.replaceAll("_", " ")}).`),
    field("instant", "Visits are confirmed at once, without my answer", { kind: "check", checked: now.instant }),
    field("any", "At any time of any day", { kind: "check", checked: now.weekly === null }),
    rows("weekly", "Opening hours of each week", {
      first: toInput(now.weekly ?? []), add: "Add hours", fresh: { day: "mon", opens: "17:00", closes: "19:00" }, whole: fromInput,
      columns: [{ key: "day", words: "Day", kind: "select", options: DAYS }, ...TIMES],
    }),
    rows("exceptions", "Days with other hours", {
      first: now.exceptions.map(({ date, openings }) => ({ date, ...(toInput(openings)[0] ?? { opens: "", closes: "" }) })),
      add: "Add a day", fresh: { date: "", opens: "", closes: "" }, hint: "Without hours the home is closed on that day.",
      whole: ({ date, opens, closes }) => ({ date, openings: opens || closes ? [fromInput({ opens, closes })] : [] }),
      columns: [{ key: "date", words: "Day", kind: "date" }, ...TIMES],
    }),
    h("div", { class: "three" }, whole("buffer_minutes", "Minutes between visits"), whole("notice_hours", "Hours ahead, at least"), whole("horizon_days", "Days ahead, at most", { optional: true, blank: null })),
  ];
  const element = form(fields, {
    submit: "Save the hours",
    send: ({ any, weekly, ...given }) => put(path, { ...given, weekly: any ? null : (weekly ?? []) }, { match: context.known.etag }),
    done: async () => {
      await context.refresh();
      toast("Saved. What is agreed stays.");
    },
    // They are part of the home's row: what else was changed of it meanwhile is no reason to lose what stands here.
    onproblem: (problem) => problem.status === 412 && context.refresh() && false,
  });
  const fold = () => {
    element.elements.weekly.hidden = element.elements.weekly.disabled = element.elements.any.checked;
  };
  element.elements.any.addEventListener("change", fold);
  fold();
  return [element, h("div", { class: "row end after" }, context.next())];
}
