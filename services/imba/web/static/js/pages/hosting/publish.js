// Putting a home on the market, and taking it off again.

import { h, icon } from "../../core/dom.js";
import { api, del, put } from "../../core/api.js";
import { go, link } from "../../core/place.js";
import { actionButton, ask } from "../../parts/actions.js";
import { me } from "../../core/session.js";
import { mandateOf } from "../mandates.js";
import { card } from "../../parts/card.js";
import { toast } from "../../parts/say.js";
import { steps } from "./steps.js";

export function publish(context) {
  const { home } = context.known;
  const path = `/v1/properties/${home.id}/publication`;
  const open = steps(context.known).filter(([name, , state]) => state !== null && state !== "done" && name !== "publish");
  const again = () => go(`/my-homes/${home.id}/publish`);
  const isListed = home.status === "listed";
  const isOwn = home.landlord_id === me()?.id;
  const isArchived = home.status === "archived";
  const shelve = async (call, words) => {
    await call(`/v1/properties/${home.id}/archive`);
    toast(words);
    await context.refresh();
    again();
  };
  return [
    h("h2", {}, isListed ? "It is on the market" : "Publish"),
    h("div", { class: "publish" }, preview(home), h("div", { class: "panel" },
      isListed
        ? [h("p", {}, "Everybody can find it."),
          h("a", { class: "button primary", href: link(`/homes/${home.id}`) }, "See it as guests do"),
          actionButton("Take it off the market", async () => {
            await api("DELETE", path);
            toast("It is off the market.");
            await context.refresh();
            again();
          })]
        : [open.length > 0 && h("div", {}, h("p", {}, "Still open:"), h("ul", { class: "open-steps" }, open.map(([name, words, state]) => h("li", {}, icon(state === "waits" ? "clock" : "right"), h("a", { href: link(`/my-homes/${home.id}/${name}`) }, words), state === "waits" && " (a reviewer looks at them)")))),
          actionButton("Publish it", async () => {
            await put(path);
            toast("It is on the market.");
            await context.refresh();
            again();
          }, { kind: "primary", busy: "Publishing…" })],
      isArchived
        ? actionButton("Take it out of the archive", () => shelve(del, "It is back, and not on the market."), { kind: "quiet" })
        : actionButton("Put it into the archive", () => shelve(put, "It is in the archive."), { kind: "quiet" }),
      isOwn && h("button", { type: "button", class: "button danger", onclick: () => remove(home) }, "Delete the home"))),
    isOwn && h("section", { class: "block" }, h("h2", {}, "An agent"), h("p", { class: "faint" }, "Somebody else may manage the home for you: its details, nights and requests."), mandateOf(home)),
  ];
}

/** Inert: what a guest will see in a list, not a link. */
const preview = (home) => h("div", { class: "preview", inert: true, "aria-hidden": "true" }, card(home, { isOwn: true }));

function remove(home) {
  ask({
    title: `Delete “${home.title}”?`, text: "It leaves every list. What is booked stays booked.", submit: "Delete it", kind: "danger",
    send: () => del(`/v1/properties/${home.id}`),
    done: () => {
      toast("Deleted.");
      go("/my-homes", { replace: true });
    },
  });
}
