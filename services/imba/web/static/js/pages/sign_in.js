// Logging in. Where one wanted to go is kept in the address, and is only ever an address of this client.

import { h } from "../core/dom.js";
import { go, link, root } from "../core/place.js";
import { ApiProblem, Unreachable } from "../core/problem.js";
import { hasRole, logIn, logInByProvider, me } from "../core/session.js";
import { field, form, summary } from "../parts/forms.js";
import { failure, providers } from "../parts/providers.js";

/** Where a person belongs once signed in. */
export const homeOf = () => (hasRole("landlord", "agent") ? "/my-homes" : hasRole("reviewer") ? "/review" : "/");

export function backTo(query) {
  const wanted = query.get("back") ?? "";
  return wanted.startsWith(`${root}/app/`) || wanted === `${root}/app` ? wanted.slice(`${root}/app`.length) || "/" : null;
}

/** What came of a log-in at a provider: null where it is done, or there was none. */
async function finished(query) {
  if (query.get("login") !== "done") return failure(query);
  try {
    await logInByProvider();
    return null;
  } catch (problem) {
    if (!(problem instanceof ApiProblem) && !(problem instanceof Unreachable)) throw problem;
    return summary(problem);
  }
}

/** The query less what a provider's log-in has put into it. */
function plain(query) {
  const kept = new URLSearchParams(query);
  for (const name of ["login", "login_error"]) kept.delete(name);
  return kept;
}

export async function signIn(query) {
  const back = backTo(query);
  const said = me() ? null : await finished(query);
  const asked = plain(query);
  if (me()) {
    queueMicrotask(() => go(back ?? homeOf(), { replace: true }));
  }
  const fields = [
    field("username", "E-mail", { kind: "email", autocomplete: "username", inputmode: "email" }),
    field("password", "Password", { kind: "password", autocomplete: "current-password" }),
  ];
  const element = h("section", { class: "sheet" },
    h("h1", {}, "Sign in"),
    said,
    form(fields, { submit: "Sign in", busy: "Signing in…", send: ({ username, password }) => logIn(username ?? "", password ?? ""), done: () => go(back ?? homeOf(), { replace: true }) }),
    providers(`/sign-in?${asked}`, "Sign in with"),
    h("p", {}, h("a", { href: link("/forgot-password") }, "Forgot the password?")),
    h("p", {}, "New here? ", h("a", { href: link(`/register?${asked}`) }, "Register"), "."));
  return { title: "Sign in", element };
}
