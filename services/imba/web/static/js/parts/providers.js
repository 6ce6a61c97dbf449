// Logging in by other providers: a button for each that this service knows, and what came of it.

import { h } from "../core/dom.js";
import { post } from "../core/api.js";
import { ApiProblem, Unreachable } from "../core/problem.js";
import { root } from "../core/place.js";
import { summary, wait } from "./forms.js";

const KNOWN = JSON.parse(document.documentElement.dataset.providers ?? "[]");

const SAID = {
  "login.account_exists": "Your e-mail address has an account here. Sign in to it with its password.",
  "login.email_unverified": "It has not verified your e-mail address. Register with a password instead.",
  "login.registration_needed": "You have no account yet: say what you want to do here, and register.",
  "login.denied": "You called it off.",
  "login.provider_away": "It does not answer. Try again in a while.",
};

/** The buttons, or nothing where there are no providers. page: of this client, to come back to. registration(): further fields of a new account. */
export function providers(page, words, { registration } = {}) {
  if (KNOWN.length === 0) return null;
  const said = h("div");
  const buttons = KNOWN.map(({ name, title }) => {
    const text = `${words} ${title}`;
    const button = h("button", { type: "button", class: "button wide" }, text);
    button.addEventListener("click", () => begin(name, button, text));
    return button;
  });

  async function begin(name, button, text) {
    wait(button, true, "One moment…");
    const wanted = { return_to: `${root}/app${page}`, ...(registration && { registration: registration() }) };
    try {
      const { data } = await post(`/v1/auth/providers/${name}/attempts`, wanted);
      location.assign(data.url);
    } catch (problem) {
      if (!(problem instanceof ApiProblem) && !(problem instanceof Unreachable)) throw problem;
      wait(button, false, text);
      said.replaceChildren(summary(problem));
    }
  }

  return h("div", { class: "providers" }, said, buttons);
}

/** What went wrong there, in words; null where nothing did. */
export function failure(query) {
  const code = query.get("login_error");
  if (!code) return null;
  return h("div", { class: "summary", role: "alert" }, h("p", { class: "strong" }, "You are not signed in"), h("p", {}, SAID[code] ?? "Its answer could not be taken. Try again."));
}
