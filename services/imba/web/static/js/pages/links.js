// Where the links in mails lead: a verified address, a new password.

import { fill, h } from "../core/dom.js";
import { post } from "../core/api.js";
import { link } from "../core/place.js";
import { loadUser, me } from "../core/session.js";
import { field, form, summary } from "../parts/forms.js";
import { skeleton } from "../parts/states.js";

const sheet = (title, ...children) => ({ title, element: h("section", { class: "sheet" }, h("h1", {}, title), children) });
const onward = () => h("p", {}, h("a", { class: "button primary", href: link(me() ? "/account" : "/sign-in") }, me() ? "Go on" : "Sign in"));

export function verifyEmail(query) {
  const place = h("div", { "aria-live": "polite" }, skeleton("line", 1));
  post("/v1/auth/verification/confirmation", { token: query.get("token") ?? "" }).then(async () => {
    // The account that is signed in here may be the one: it is verified from now on.
    await loadUser();
    fill(place, h("p", {}, "Thank you, your address is verified."), onward());
  }, (problem) => fill(place, summary(problem, problem.errors), h("p", {}, "A link works once, and for a time. Ask for another one in your account."), onward()));
  return sheet("Your e-mail address", place);
}

export function forgot() {
  const place = h("div", {});
  fill(place, h("p", {}, "We send a link to your address, with which you set a new password."), form([field("email", "E-mail", { kind: "email", autocomplete: "username" })], {
    submit: "Send the link",
    send: (given, key) => post("/v1/auth/reset", given, { key }),
    done: () => fill(place, h("p", { role: "status" }, "If an account has this address, the mail is on its way.")),
  }));
  return sheet("Forgot the password?", place);
}

export function reset(query) {
  const place = h("div", {});
  fill(place, form([field("password", "New password", { kind: "password", autocomplete: "new-password" })], {
    submit: "Set the password",
    send: (given, key) => post("/v1/auth/reset/confirmation", { token: query.get("token") ?? "", ...given }, { key }),
    done: () => fill(place, h("p", { role: "status" }, "Your new password is set. Every other log-in has ended."), onward()),
  }));
  return sheet("A new password", place);
}
