// Days are calendar days without a zone (2026-11-21), instants are UTC with a Z. The two never mix by accident: days
// are counted at midnight UTC, instants are shown in the zone of the property.

const DAY_MS = 86_400_000;
const at = (day) => Date.parse(`${day}T00:00:00Z`);
const spell = (ms) => new Date(ms).toISOString().slice(0, 10);

/** Today in a zone; in UTC where none is given, as the API counts. */
export function today(zone = "UTC") {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
}

export const plusDays = (day, count) => spell(at(day) + count * DAY_MS);
export const nights = (since, until) => Math.round((at(until) - at(since)) / DAY_MS);
/** 0 for Monday. */
export const weekday = (day) => (new Date(at(day)).getUTCDay() + 6) % 7;
export const monthOf = (day) => `${day.slice(0, 7)}-01`;

export function plusMonths(day, count) {
  const month = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + count;
  return `${String(Math.floor(month / 12)).padStart(4, "0")}-${String((month % 12) + 1).padStart(2, "0")}-01`;
}

const write = (options) => {
  const format = new Intl.DateTimeFormat(undefined, { timeZone: "UTC", ...options });
  return (day) => (day ? format.format(at(day)) : "");
};
export const showDay = write({ day: "numeric", month: "short", year: "numeric" });
export const showShort = write({ day: "numeric", month: "short" });
export const showLong = write({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
export const showMonth = write({ month: "long", year: "numeric" });
export const showWeekday = write({ weekday: "short" });

/** Two days as one range. */
export const showRange = (since, until) => `${showShort(since)} – ${showDay(until)}`;

/** An instant in a zone, which is named where it is not the reader's own. */
export function showInstant(instant, zone) {
  if (!instant) return "";
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: zone ?? own };
  const text = new Intl.DateTimeFormat(undefined, options).format(new Date(instant));
  return zone && zone !== own ? `${text} (${zone.replaceAll("_", " ")})` : text;
}

export function showTime(instant, zone) {
  return new Intl.DateTimeFormat(undefined, { timeStyle: "short", timeZone: zone }).format(new Date(instant));
}

/** The calendar day on which an instant falls in a zone. */
export function dayIn(instant, zone) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));
}

const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
/** "in 23 hours", "3 days ago". */
export function fromNow(instant) {
  const seconds = (Date.parse(instant) - Date.now()) / 1000;
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.round(seconds / length), unit);
  }
  return RELATIVE.format(Math.round(seconds), "second");
}
