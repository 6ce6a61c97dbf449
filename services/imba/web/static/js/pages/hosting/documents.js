// Verification, as its landlord sees it: of the person and of the home, what the reviewer asked for, and how it ended.

import { fill, h } from "../../core/dom.js";
import { post } from "../../core/api.js";
import { showDay, showInstant } from "../../core/days.js";
import { DOCUMENTS, evidence } from "../../parts/evidence.js";
import { form } from "../../parts/forms.js";
import { badge } from "../../parts/states.js";
import { toast } from "../../parts/say.js";

export const CHECK = { pending: "Being looked at", information_needed: "More is asked of you", approved: "Approved", rejected: "Not approved", revoked: "Taken back", expired: "Expired" };

export function documents(context) {
  const place = h("div", {});
  const draw = () => fill(place, subject(context, "identity", draw), subject(context, "property", draw));
  draw();
  return [
    h("h2", {}, "Documents"),
    h("p", { class: "faint" }, "Before a home is published, a reviewer checks who you are, once, and that this home is yours to let."),
    place,
    h("div", { class: "row end after" }, context.next()),
  ];
}

function subject(context, name, draw) {
  const check = context.known.checks[name];
  return h("section", { class: "panel check", data: { subject: name } },
    h("div", { class: "listing-head" }, h("h3", {}, name === "identity" ? "You" : "This home"), check && badge(check.status, CHECK[check.status])),
    check && standing(check), ways(context, name, check, draw));
}

function standing(check) {
  return [
    check.reason && h("p", { class: `notice ${check.status === "approved" ? "" : "warn"}` }, h("strong", {}, "The reviewer: "), check.reason),
    check.documents.length > 0 && h("ul", { class: "chips" }, check.documents.map((each) => h("li", {}, DOCUMENTS[each.kind], each.expires_on && `, until ${showDay(each.expires_on)}`))),
    h("p", { class: "small faint" }, `Handed in ${showInstant(check.created_at)}`, check.decided_at && `, decided ${showInstant(check.decided_at)}`, check.expires_on && `, holds until ${showDay(check.expires_on)}`, "."),
  ];
}

function ways(context, name, check, draw) {
  const home = name === "property" ? context.known.home.id : undefined;
  const sent = async (words) => {
    await context.refresh();
    draw();
    toast(words);
  };
  if (check?.status === "information_needed") {
    return form([evidence(name, home)], {
      submit: "Send the answer", send: (given, key) => post(`/v1/verification-requests/${check.id}/resubmission`, given, { key }),
      done: () => sent("Sent. The reviewer goes on."),
    });
  }
  if (check?.status === "pending") return h("p", {}, "Nothing to do for you: a reviewer looks at it and writes to you.");
  if (check?.status === "approved") return null;
  return form([evidence(name, home)], {
    submit: name === "identity" ? "Have me verified" : "Have this home verified",
    send: (given, key) => post("/v1/verification-requests", { subject: name, ...(home && { property_id: home }), ...given }, { key }),
    done: () => sent("Handed in. A reviewer looks at it."),
  });
}
