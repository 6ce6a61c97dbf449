// A new account: somebody who looks for a place, or somebody who offers one.

import { h } from "../core/dom.js";
import { go, link } from "../core/place.js";
import { post } from "../core/api.js";
import { logIn } from "../core/session.js";
import { field, form } from "../parts/forms.js";
import { providers } from "../parts/providers.js";
import { backTo } from "./sign_in.js";

const START = { tenant: "/", landlord: "/my-homes", agent: "/mandates" };

function sides(chosen) {
  const side = (value, words, text) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "account", value, checked: chosen === value }), h("span", {}, h("strong", {}, words), h("small", {}, text)));
  return h("fieldset", { class: "field choices" }, h("legend", {}, "I want to"),
    side("tenant", "Find a home", "Search, keep, visit and reserve."),
    side("landlord", "Offer a home", "List homes and answer requests."),
    side("agent", "Act for landlords", "Manage homes that others offer."),
    h("p", { class: "error", hidden: true }));
}

export function register(query) {
  const chosen = ["landlord", "agent"].find((each) => each === query.get("as")) ?? "tenant";
  const fields = [
    sides(chosen),
    field("full_name", "Full name", { autocomplete: "name" }),
    field("email", "E-mail", { kind: "email", autocomplete: "email", inputmode: "email" }),
    field("password", "Password", { kind: "password", autocomplete: "new-password", hint: "A sentence of a few words is easy to keep and hard to guess." }),
  ];
  const account = () => element.querySelector("[name=account]:checked").value;
  const element = h("section", { class: "sheet" },
    h("h1", {}, "Register"),
    form(fields, {
      submit: "Register",
      busy: "Making your account…",
      send: async (given, key) => {
        await post("/v1/users", given, { key });
        await logIn(given.email, given.password);
        return given;
      },
      done: (given) => go(backTo(query) ?? START[given.account], { replace: true }),
    }),
    providers(`/sign-in?${query}`, "Register with", { registration: () => ({ account: account() }) }),
    h("p", {}, "You have an account? ", h("a", { href: link(`/sign-in?${query}`) }, "Sign in"), "."));
  return { title: "Register", element };
}
