// Logging in. Where one wanted to go is kept in the address, and is only ever an address of this client.

import { h } from "../core/dom.js";
import { go, link, root } from "../core/place.js";
import { hasRole, logIn, me } from "../core/session.js";
import { field, form } from "../parts/forms.js";

/** Where a person belongs once signed in. */
export const homeOf = () => (hasRole("landlord", "agent") ? "/my-homes" : hasRole("reviewer") ? "/review" : "/");

export function backTo(query) {
  const wanted = query.get("back") ?? "";
  return wanted.startsWith(`${root}/app/`) || wanted === `${root}/app` ? wanted.slice(`${root}/app`.length) || "/" : null;
}

export function signIn(query) {
  const back = backTo(query);
  if (me()) {
    queueMicrotask(() => go(back ?? homeOf(), { replace: true }));
  }
  const fields = [
    field("username", "E-mail", { kind: "email", autocomplete: "username", inputmode: "email" }),
    field("password", "Password", { kind: "password", autocomplete: "current-password" }),
  ];
  const element = h("section", { class: "sheet" },
    h("h1", {}, "Sign in"),
    form(fields, { submit: "Sign in", busy: "Signing in…", send: ({ username, password }) => logIn(username ?? "", password ?? ""), done: () => go(back ?? homeOf(), { replace: true }) }),
    h("p", {}, h("a", { href: link("/forgot-password") }, "Forgot the password?")),
    h("p", {}, "New here? ", h("a", { href: link(`/register?${query}`) }, "Register"), "."));
  return { title: "Sign in", element };
}
