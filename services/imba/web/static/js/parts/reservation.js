// What a tenant and a landlord both see of a reservation.

import { h } from "../core/dom.js";
import { get } from "../core/api.js";
import { nights, showInstant, showRange } from "../core/days.js";
import { money } from "../core/money.js";
import { watch } from "../core/session.js";
import { count, status } from "../core/words.js";
import { badge } from "./states.js";

const homes = new Map();

/** The home of a reservation; one that has been taken away meanwhile is still a reservation. */
export function homeOf(id) {
  if (!homes.has(id)) homes.set(id, get(`/v1/properties/${id}`).then(({ data }) => data, () => ({ id, title: "A home that is no longer there", kind: "house", city: "", time_zone: "UTC" })));
  return homes.get(id);
}
// What one may see of a home is not what another may.
watch(() => homes.clear());

export const isVisit = (reservation) => reservation.kind === "visit";

/** When it is: nights, or an instant in the zone of the home. */
export function when(reservation, home) {
  if (isVisit(reservation)) return showInstant(reservation.starts_at, home.time_zone);
  return `${showRange(reservation.check_in, reservation.check_out)}, ${count(nights(reservation.check_in, reservation.check_out), "night")}`;
}

export function summaryLine(reservation, home) {
  return [
    isVisit(reservation) ? "Visit" : when(reservation, home),
    isVisit(reservation) ? when(reservation, home) : count(reservation.guests, "guest"),
    reservation.total_amount ? money(reservation.total_amount, reservation.currency) : null,
  ].filter(Boolean).join(" · ");
}

export const isOver = (reservation) => reservation.ends_at <= new Date().toISOString();
/** It was agreed, and has been. */
export const isDone = (reservation) => reservation.status === "confirmed" && isOver(reservation);

export function reservationBadge(reservation) {
  if (isDone(reservation)) return badge("completed", status("completed"));
  return badge(reservation.status, reservation.status === "pending" ? "Waiting for the landlord" : status(reservation.status));
}

/** Each reservation with its home. */
export const withHomes = (rows) => Promise.all(rows.map(async (row) => ({ row, home: await homeOf(row.property_id) })));

export const lapses = (reservation) => reservation.status === "pending" && reservation.expires_at && h("p", { class: "small faint" }, "Held until ", showInstant(reservation.expires_at), ".");
