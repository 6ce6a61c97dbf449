// What stands where there is nothing yet, nothing at all, or an error.

import { fill, h, icon } from "../core/dom.js";
import { ApiProblem, Unreachable, advice } from "../core/problem.js";
import { go, link } from "../core/place.js";
import { isSignedIn } from "../core/session.js";

/** Grey shapes in the place of what is coming. They are silent; the view's region says that it is busy. */
export function skeleton(kind, count = 1) {
  return Array.from({ length: count }, () =>
    h("div", { class: `skeleton ${kind}`, "aria-hidden": "true" }, h("i"), h("i"), h("i")),
  );
}

export function empty(title, text, ...actions) {
  return h("div", { class: "state" }, h("h2", {}, title), text && h("p", {}, text), actions.length > 0 && h("p", { class: "row" }, actions));
}

/** An error in the place of content, with what the API said, what one can do, and the request to quote. */
export function failed(error, again) {
  const isKnown = error instanceof ApiProblem || error instanceof Unreachable;
  if (!isKnown) console.error(error);
  if (error.status === 401) return signInFirst();
  return h(
    "div",
    { class: "state", role: "alert" },
    h("h2", {}, isKnown ? error.title : "Something went wrong in this page"),
    h("p", {}, isKnown ? [error.detail, " ", advice(error)] : "Load it again; the request was not the cause."),
    error.requestId && requestId(error),
    again && h("p", { class: "row" }, h("button", { type: "button", class: "button", onclick: again }, "Try again")),
  );
}

export const requestId = (problem) => h("p", { class: "small faint" }, "Request ", h("code", {}, problem.requestId));

function signInFirst() {
  return empty("Sign in to see this", isSignedIn() ? "Your log-in has ended." : "", h("a", { class: "button primary", href: signInAddress() }, "Sign in"));
}

/** Sign in, then come back here. */
export function signInAddress() {
  const back = location.pathname + location.search;
  return link(`/sign-in?${new URLSearchParams({ back })}`);
}

export const toSignIn = () => go(`/sign-in?${new URLSearchParams({ back: location.pathname + location.search })}`);

/**
 * Show what `load` makes inside `place`: shapes while it works, its error with "try again". Returns a function that
 * loads again. A load that was overtaken by a later one shows nothing.
 */
export function section(place, load, { shape = ["line", 3] } = {}) {
  let turn = 0;
  const again = async ({ quiet = false } = {}) => {
    const mine = ++turn;
    if (!quiet) fill(place, skeleton(...shape));
    place.setAttribute("aria-busy", "true");
    try {
      const made = await load();
      if (mine === turn) fill(place, made);
    } catch (error) {
      if (mine === turn && error.name !== "AbortError") fill(place, failed(error, () => again()));
    } finally {
      if (mine === turn) place.removeAttribute("aria-busy");
    }
  };
  again();
  return again;
}

/** A word with a colour for where something stands. */
export function badge(status, words = status) {
  return h("span", { class: `badge ${status}` }, words);
}

export const pageHead = (title, text, ...actions) =>
  h("div", { class: "page-head" }, h("div", {}, h("h1", {}, title), text && h("p", { class: "faint" }, text)), actions.length > 0 && h("div", { class: "row" }, actions));

export const back = (href, words) => h("p", { class: "back" }, h("a", { href }, icon("left"), words));
