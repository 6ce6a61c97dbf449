// One home of a landlord's: the steps beside each other, and the one that is worked on.

import { fill, h, icon } from "../../core/dom.js";
import { link } from "../../core/place.js";
import { status } from "../../core/words.js";
import { back, badge } from "../../parts/states.js";
import { load, steps } from "./steps.js";
import { details } from "./details.js";
import { photos } from "./photos.js";
import { terms } from "./terms.js";
import { nights } from "./nights.js";
import { visiting } from "./visiting.js";
import { documents } from "./documents.js";
import { publish } from "./publish.js";

const VIEWS = { details, photos, terms, nights, visits: visiting, documents, publish };
const SIGNS = { done: ["check", "done"], waits: ["clock", "being looked at"], asks: ["message", "something is asked of you"] };

export async function workbench(id, ...given) {
  const step = typeof given[0] === "string" && given[0] in VIEWS ? given[0] : "details";
  let known = await load(id);
  const head = h("div", {});
  const nav = h("nav", { class: "steps", "aria-label": "Steps" });
  const body = h("div", { class: "step" });

  function draw() {
    const { home } = known;
    fill(head, back(link("/my-homes"), "My homes"), h("div", { class: "listing-head" }, h("h1", {}, home.title), badge(home.status, status(home.status))));
    fill(nav, h("ol", {}, steps(known).map(([name, words, state], place) => h("li", { class: state ?? "free" },
      h("a", { href: link(`/my-homes/${id}/${name}`), "aria-current": name === step ? "step" : null },
        h("span", { class: "step-sign", "aria-hidden": "true" }, SIGNS[state] ? icon(SIGNS[state][0]) : place + 1), words,
        SIGNS[state] && h("span", { class: "unseen" }, `, ${SIGNS[state][1]}`))))));
  }

  const context = {
    get known() {
      return known;
    },
    /** Load what is known of the home again, and draw the steps with it. */
    async refresh() {
      known = await load(id);
      draw();
      return known;
    },
    /** A new version of the home's row. */
    keep(home, etag) {
      known = { ...known, home, etag: etag ?? known.etag };
      draw();
    },
    /** The way on to the next step. */
    next() {
      const names = steps(known).map(([name, words]) => [name, words]);
      const following = names[names.findIndex(([name]) => name === step) + 1];
      return following && h("a", { class: "button", href: link(`/my-homes/${id}/${following[0]}`) }, `Next: ${following[1].toLowerCase()}`, icon("right"));
    },
  };
  draw();
  // On a narrow screen the steps are a strip, and the present one may be outside of it.
  requestAnimationFrame(() => nav.scrollTo({ left: (nav.querySelector("[aria-current]")?.offsetLeft ?? 0) - nav.clientWidth / 3 }));
  fill(body, await VIEWS[step](context));
  return { title: known.home.title, element: h("section", { class: "workbench" }, head, h("div", { class: "workbench-body" }, nav, body)) };
}
