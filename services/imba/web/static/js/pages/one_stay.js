// One reservation, for the tenant who made it or the landlord who answers it.

import { h } from "../core/dom.js";
import { get, post } from "../core/api.js";
import { link } from "../core/place.js";
import { me } from "../core/session.js";
import { fromNow, showInstant } from "../core/days.js";
import { money } from "../core/money.js";
import { count } from "../core/words.js";
import { actionButton, ask } from "../parts/actions.js";
import { cover } from "../parts/picture.js";
import { cancellationTerms, priceLines } from "../parts/quote.js";
import { homeOf, isDone, isOver, isVisit, reservationBadge, when } from "../parts/reservation.js";
import { ofGuest, ownReview } from "../parts/reviews.js";
import { back, section } from "../parts/states.js";
import { writeButton } from "../parts/write.js";
import { field } from "../parts/forms.js";
import { slotPicker } from "../parts/slots.js";
import { toast } from "../parts/say.js";

export function oneStay(id) {
  const place = h("div", {});
  const again = section(place, async () => draw(...(await load(id)), again), { shape: ["photo", 1] });
  return { title: "Reservation", element: h("section", { class: "narrow" }, place) };
}

async function load(id) {
  const { data } = await get(`/v1/reservations/${id}`);
  // Who the other side is becomes known with the confirmation, and stays so.
  const contact = data.status === "confirmed" ? await get(`/v1/reservations/${id}/contact`).then((answer) => answer.data, () => null) : null;
  return [data, await homeOf(data.property_id), contact];
}

function draw(row, home, contact, again) {
  const isTenant = row.tenant_id === me()?.id;
  const facts = [["When", when(row, home)], ["Guests", row.guests && count(row.guests, "person", "people")], ["Asked for", showInstant(row.created_at, home.time_zone)], ["Reason", row.reason]];
  return [
    back(link(isTenant ? "/stays" : "/requests"), isTenant ? "My stays" : "Requests"),
    h("div", { class: "listing-head" }, h("div", {}, h("h1", {}, h("a", { href: link(`/homes/${home.id}`) }, home.title)), h("p", { class: "faint" }, home.city)), reservationBadge(row)),
    h("div", { class: "wide-photo" }, cover(home, "full")),
    next(row, isTenant),
    contact && meeting(contact, isTenant),
    h("dl", { class: "pairs" }, facts.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    row.total_amount > 0 && h("section", { class: "block" }, h("h2", {}, "Price"), priceLines({ ...row, lines: row.price_lines }), cancellationTerms(row.cancellation)),
    row.refund_amount !== null && row.refund_amount !== undefined && h("p", { class: "notice" }, "Given back: ", h("strong", {}, money(row.refund_amount, row.currency)), "."),
    h("div", { class: "row actions" }, isTenant ? tenantActions(row, home, again) : landlordActions(row, again), writeButton({ reservation_id: row.id }, isTenant ? "the landlord" : "the guest")),
    isDone(row) && !isVisit(row) && ownReview(row, { isTenant }),
    !isTenant && ofGuest(row),
  ];
}

function next(row, isTenant) {
  if (row.status === "pending" && row.expires_at) return h("p", { class: "notice" }, isTenant ? "The landlord has to answer. " : "You have to answer. ", `The dates are held ${fromNow(row.expires_at)} at the longest.`);
  if (row.status === "expired") return h("p", { class: "notice" }, "Nobody answered in time; the dates are free again.");
  return null;
}

function meeting(contact, isTenant) {
  const other = isTenant ? contact.landlord : contact.tenant;
  const address = [contact.street, [contact.postcode, contact.city].filter(Boolean).join(" "), contact.country].filter(Boolean).join(", ");
  return h("section", { class: "block" }, h("h2", {}, isTenant ? "Where you go" : "Who comes"),
    h("dl", { class: "pairs" },
      h("div", {}, h("dt", {}, isTenant ? "Your landlord" : "Your guest"), h("dd", {}, other.full_name, h("br", {}), h("a", { href: `mailto:${other.email}` }, other.email))),
      isTenant && h("div", {}, h("dt", {}, "Address"), h("dd", {}, address))));
}

function tenantActions(row, home, again) {
  if (!["pending", "confirmed"].includes(row.status) || isOver(row)) return null;
  return [isVisit(row) && h("button", { type: "button", class: "button", onclick: () => moveDialog(row, home, again) }, "Move it"), cancelButton(row, again)];
}

function moveDialog(row, home, again) {
  let chosen = null;
  const picker = slotPicker(home, { onchoose: (instant) => {
    chosen = instant;
  } });
  return ask({
    title: "Move this visit", text: `It is ${when(row, home)}. The landlord answers again, unless visits there are confirmed at once.`, submit: "Move it",
    fields: [h("div", { class: "field" }, picker.element, h("p", { class: "error", hidden: true }))],
    send: (_, key) => post(`/v1/reservations/${row.id}/rescheduling`, { starts_at: chosen }, { key }),
    done: () => {
      toast("Moved.");
      again();
    },
  });
}

function cancelButton(row, again) {
  return h("button", { type: "button", class: "button danger", onclick: () => cancelDialog(row, again) }, "Cancel");
}

export function cancelDialog(row, again) {
  const told = h("p", {}, row.status === "pending" ? "Nothing has been paid, so nothing is lost." : "What is given back follows the terms you booked on.");
  return ask({
    title: isVisit(row) ? "Cancel this visit?" : "Cancel this stay?", text: told, submit: "Cancel it", kind: "danger",
    send: async (_, key) => (await post(`/v1/reservations/${row.id}/cancellation`, undefined, { key })).data,
    done: (after) => {
      toast(after.refund_amount ? `Cancelled. ${money(after.refund_amount, after.currency)} is given back.` : "Cancelled.");
      again();
    },
  });
}

/** The landlord's answers to a request. Used on the list of requests, too. */
export function landlordActions(row, again) {
  const step = (name, words) => async (key) => {
    await post(`/v1/reservations/${row.id}/${name}`, undefined, { key });
    toast(words);
    again();
  };
  if (row.status === "pending") {
    return [
      actionButton("Confirm", step("confirmation", "Confirmed. The tenant is told."), { kind: "primary", busy: "Confirming…" }),
      h("button", { type: "button", class: "button", onclick: () => rejectDialog(row, again) }, "Decline"),
    ];
  }
  if (row.status === "confirmed" && !isOver(row)) return h("button", { type: "button", class: "button danger", onclick: () => cancelDialog(row, again) }, "Cancel");
  return null;
}

function rejectDialog(row, again) {
  return ask({
    title: "Decline this request?", text: "The tenant reads your reason, and the dates are free again.", submit: "Decline", kind: "danger",
    fields: [field("reason", "Reason", { kind: "textarea", rows: 3, maxlength: 500 })],
    send: (given, key) => post(`/v1/reservations/${row.id}/rejection`, given, { key }),
    done: () => {
      toast("Declined. The tenant is told.");
      again();
    },
  });
}
