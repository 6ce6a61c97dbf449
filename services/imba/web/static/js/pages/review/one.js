// One request for verification: what was handed in, and the reviewer's decision.

import { h } from "../../core/dom.js";
import { del, get, post, put } from "../../core/api.js";
import { link } from "../../core/place.js";
import { fromNow, showInstant } from "../../core/days.js";
import { actionButton, ask } from "../../parts/actions.js";
import { claimBadge, isAnothers, isMine } from "../../parts/claim.js";
import { field, form } from "../../parts/forms.js";
import { facts, price } from "../../parts/card.js";
import { homeOf } from "../../parts/reservation.js";
import { privatePicture } from "../../parts/private_picture.js";
import { drawing } from "../../parts/picture.js";
import { back, badge, section } from "../../parts/states.js";
import { toast } from "../../parts/say.js";
import { CHECK } from "../hosting/documents.js";
import { papers } from "./papers.js";
import { others } from "./queue.js";

export function review(id) {
  const place = h("div", {});
  const again = section(place, async () => {
    const { data: check } = await get(`/v1/verification-requests/${id}`);
    const [home, earlier] = await Promise.all([check.property_id && homeOf(check.property_id), others(check)]);
    return draw(check, home, earlier, again);
  }, { shape: ["row", 4] });
  return { title: "Review", element: h("section", { class: "review" }, place) };
}

function draw(check, home, earlier, again) {
  return [
    back(link(`/review?status=${check.status}`), "The queue"),
    h("div", { class: "listing-head" }, h("div", {}, h("h1", {}, home ? home.title : "A landlord's identity"), h("p", { class: "faint" }, `Handed in ${showInstant(check.created_at)}, ${fromNow(check.created_at)}`)),
      h("div", { class: "row" }, claimBadge(check), badge(check.status, check.status === "pending" ? "Waiting" : CHECK[check.status]))),
    check.reason && h("p", { class: "notice" }, h("strong", {}, "Told to the landlord: "), check.reason),
    h("div", { class: "listing-body" },
      h("div", {}, h("section", { class: "block" }, h("h2", {}, "Documents"), papers(check)), home && about(home), earlier.length > 0 && history(earlier)),
      h("aside", { class: "listing-side" }, h("div", { class: "panel" }, h("h2", {}, "Decision"), decision(check, again), note(check)))),
  ];
}

function about(home) {
  return h("section", { class: "block" }, h("h2", {}, "The home"),
    h("div", { class: "row-item" }, h("div", { class: "thumb" }, home.cover ? privatePicture(home.cover.thumb) : drawing(home.id, home.kind)),
      h("div", { class: "grow" }, h("p", { class: "strong" }, h("a", { href: link(`/homes/${home.id}`) }, home.title)), h("p", { class: "faint" }, [home.street, home.postcode, home.city, home.country].filter(Boolean).join(", ")), facts(home), h("p", {}, price(home)))));
}

function history(earlier) {
  return h("section", { class: "block" }, h("h2", {}, "Other requests of this landlord"), h("ul", { class: "rows" }, earlier.map((each) => h("li", { class: "row-item" },
    h("p", { class: "grow" }, h("a", { href: link(`/review/${each.id}`) }, each.subject === "identity" ? "Identity" : "A home"), h("span", { class: "small faint" }, ` · ${fromNow(each.created_at)}`)), badge(each.status, CHECK[each.status])))));
}

function decision(check, again) {
  const step = (name, words, send = (key) => post(`/v1/verification-requests/${check.id}/${name}`, undefined, { key })) => async (key) => {
    await send(key);
    toast(words);
    again();
  };
  const reasoned = (title, words, told, name, kind) => h("button", { type: "button", class: `button ${kind}`, onclick: () => ask({
    title, text: "The landlord reads what you write.", submit: words, kind,
    fields: [field("reason", "Reason", { kind: "textarea", rows: 4, maxlength: 500 })],
    send: (given, key) => post(`/v1/verification-requests/${check.id}/${name}`, given, { key }),
    done: () => {
      toast(told);
      again();
    },
  }) }, words);

  if (check.status === "approved") return reasoned("Take the approval back?", "Revoke", "Revoked. What rested on it is not listed any more.", "revocation", "danger");
  if (check.status === "information_needed") return h("p", {}, "The landlord was asked for more, and answers next.");
  if (check.status !== "pending") return h("p", {}, "It is decided.");
  if (isAnothers(check)) return h("p", {}, `Another reviewer holds it, ${fromNow(check.claimed_until)} at the longest.`);
  if (!isMine(check)) return [h("p", { class: "faint" }, "Claim it, so that nobody else looks at the same papers for half an hour."), actionButton("Claim it", step("claim", "It is yours for half an hour."), { kind: "primary wide" })];
  return h("div", { class: "decisions" },
    actionButton("Approve", step("approval", "Approved. The landlord is told."), { kind: "primary wide" }),
    reasoned("What is missing?", "Ask for more", "The landlord is asked.", "information-request", ""),
    reasoned("Why not?", "Reject", "Rejected. The landlord is told.", "rejection", "danger"),
    actionButton("Give it back to the queue", step("claim", "Anybody can take it now.", () => del(`/v1/verification-requests/${check.id}/claim`)), { kind: "quiet" }));
}

function note(check) {
  return form([field("note", "Note for the other reviewers", { kind: "textarea", rows: 3, maxlength: 1000, value: check.note ?? "" })], {
    submit: "Keep the note", kind: "quiet",
    send: (given) => put(`/v1/verification-requests/${check.id}/note`, given),
    done: () => toast("Kept. The landlord does not see it."),
  });
}
