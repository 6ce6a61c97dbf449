// Asking for a visit.

import { fill, h } from "../core/dom.js";
import { newKey, post } from "../core/api.js";
import { go } from "../core/place.js";
import { hasRole, me } from "../core/session.js";
import { showInstant } from "../core/days.js";
import { showProblem, clearErrors, wait } from "./forms.js";
import { slotPicker } from "./slots.js";
import { signInAddress, toSignIn } from "./states.js";
import { toast } from "./say.js";

export function visitPanel(home) {
  const button = h("button", { class: "button wide" }, "Ask for this visit");
  const note = h("p", { class: "small", "aria-live": "polite" });
  let [chosen, key] = [null, newKey()];
  const picker = slotPicker(home, { onchoose: (instant) => {
    [chosen, key] = [instant, newKey()];
    fill(note, instant && showInstant(instant, home.time_zone));
  } });
  const element = h("form", { class: "form visit", novalidate: true, "aria-label": "Ask for a visit" }, picker.element, note, button);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  async function send() {
    if (!me()) return toSignIn();
    if (button.getAttribute("aria-disabled") === "true") return undefined;
    if (!chosen) return fill(note, h("span", { class: "error" }, "Choose a time first."));
    clearErrors(element);
    wait(button, true, "Asking…");
    try {
      const { data } = await post("/v1/reservations", { kind: "visit", property_id: home.id, starts_at: chosen }, { key });
      toast(data.status === "confirmed" ? "The visit is agreed." : "Asked for. The landlord answers next.");
      go(`/stays/${data.id}`);
    } catch (error) {
      showProblem(element, error);
      if (error.code === "imba.dates_taken") picker.again();
    } finally {
      wait(button, false, "Ask for this visit");
    }
    return undefined;
  }

  if (!me()) element.append(h("p", { class: "small faint" }, h("a", { href: signInAddress() }, "Sign in"), " to visit."));
  else if (!hasRole("tenant")) element.append(h("p", { class: "small faint" }, "Visiting needs a tenant's account."));
  return element;
}
