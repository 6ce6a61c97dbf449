// Mandates: what an agent is asked to act for, and what a landlord has given away.

import { h } from "../core/dom.js";
import { all, post } from "../core/api.js";
import { link } from "../core/place.js";
import { hasRole, me } from "../core/session.js";
import { fromNow } from "../core/days.js";
import { actionButton } from "../parts/actions.js";
import { copied } from "../parts/copied.js";
import { field, form } from "../parts/forms.js";
import { badge, empty, pageHead, section } from "../parts/states.js";
import { homeOf } from "../parts/reservation.js";
import { toast } from "../parts/say.js";

const STATES = { offered: ["pending", "Offered"], active: ["confirmed", "Active"], ended: ["cancelled", "Ended"] };

export function mandates() {
  const place = h("div", {});
  const again = section(place, async () => {
    const found = await all("/v1/mandates", { most: 200 });
    if (found.length === 0) return empty("No mandates", hasRole("agent") ? "Nobody has asked you yet." : "");
    return h("ul", { class: "rows" }, await Promise.all(found.map((each) => row(each, again))));
  }, { shape: ["row", 3] });
  const number = hasRole("agent") && h("section", { class: "block" }, h("p", { class: "faint" }, "Your number. A landlord who knows it can ask you to act for a home."), copied(me().id, "Your number"));
  return { title: "Mandates", element: h("section", { class: "narrow" }, pageHead("Mandates", "Who acts for which home."), number, place) };
}

async function row(mandate, again) {
  const isAgent = mandate.agent_id === me()?.id;
  const home = await homeOf(mandate.property_id);
  const step = (words, noun, told, kind) => actionButton(words, async (key) => {
    await post(`/v1/mandates/${mandate.id}/${noun}`, undefined, { key });
    toast(told);
    again();
  }, { kind });
  return h("li", { class: "row-item" },
    h("div", { class: "grow" },
      h("h2", { class: "row-title" }, mandate.status === "active" ? h("a", { href: link(`/my-homes/${mandate.property_id}`) }, home.title) : mandate.status === "offered" && isAgent ? "A home" : home.title),
      h("p", { class: "small faint" }, `Offered ${fromNow(mandate.created_at)}`)),
    badge(...STATES[mandate.status]),
    mandate.status === "offered" && isAgent && [step("Accept", "acceptance", "You act for it now.", "primary"), step("Decline", "ending", "Declined.", "quiet")],
    (mandate.status === "active" || (mandate.status === "offered" && !isAgent)) && step(mandate.status === "active" ? "End it" : "Take it back", "ending", "Ended.", "quiet"));
}

/** Of one home: who acts for it, or the way to ask somebody. */
export function mandateOf(home) {
  const place = h("div", {});
  const again = section(place, async () => {
    const [open] = (await all("/v1/mandates", { query: { property_id: home.id } })).filter((each) => each.status !== "ended");
    if (open) return h("ul", { class: "rows" }, await row(open, again));
    return form([field("agent", "Number of the agent", { hint: "They find it under Mandates, and give it to you.", autocomplete: "off" })], {
      submit: "Ask the agent",
      send: (given, key) => post("/v1/mandates", { property_id: home.id, ...given }, { key }),
      done: () => {
        toast("Asked. You are told when it is accepted.");
        again();
      },
    });
  }, { shape: ["line", 1] });
  return place;
}
