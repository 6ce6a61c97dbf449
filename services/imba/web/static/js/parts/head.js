// The head and the foot of every view.

import { fill, h, icon } from "../core/dom.js";
import { go, here, link, root } from "../core/place.js";
import { hasRole, isSignedIn, logOut, me } from "../core/session.js";
import { counted, unreadMessages, unreadNotices } from "./unread.js";
import { signInAddress } from "./states.js";
import { toast } from "./say.js";

const isHere = (path) => (path === "/" ? here().path === "/" : here().path.startsWith(path));

function item(path, words) {
  return h("li", {}, h("a", { href: link(path), "aria-current": isHere(path) ? "page" : null }, words));
}

export function drawHead() {
  const user = me();
  fill(
    document.getElementById("head"),
    h("div", { class: "head-inner" },
      h("a", { class: "brand", href: link("/") }, sign(), "Imba"),
      h("nav", { "aria-label": "Main" }, h("ul", {},
        item("/", "Find a home"),
        hasRole("tenant") && [item("/stays", "My stays"), item("/favourites", "Favourites")],
        hasRole("landlord", "agent") && [item("/my-homes", "My homes"), item("/requests", "Requests")],
        hasRole("landlord") && item("/figures", "Figures"),
        hasRole("agent") && item("/mandates", "Mandates"),
        user && h("li", {}, counted(h("a", { href: link("/messages"), "aria-current": isHere("/messages") ? "page" : null }), unreadMessages, "Messages")),
        hasRole("tenant") && item("/searches", "Searches"),
        hasRole("reviewer") && item("/review", "Review"),
        hasRole("reviewer", "admin") && item("/reports", "Reports"))),
      h("div", { class: "who" }, user ? whoIs(user) : entrance())),
    h("p", { class: "offline-note", role: "status" }, "You are offline. What you see may be old; what you enter is kept here."),
  );
  // On a narrow screen the views are a strip, and the present one may be outside of it.
  const strip = document.querySelector("#head nav ul");
  strip.scrollLeft = (strip.querySelector("[aria-current]")?.offsetLeft ?? 0) - strip.clientWidth / 2;
}

const entrance = () => [h("a", { class: "button quiet", href: signInAddress() }, "Sign in"), h("a", { class: "button primary", href: link("/register") }, "Register")];

function whoIs(user) {
  return [
    counted(h("a", { class: "button quiet bell", href: link("/notices"), "aria-current": isHere("/notices") ? "page" : null }), unreadNotices, "Notices", icon("bell")),
    h("a", { class: "button quiet", href: link("/account"), "aria-current": isHere("/account") ? "page" : null }, icon("user"), h("span", { class: "name" }, user.full_name)),
    h("button", { type: "button", class: "button", onclick: leave }, "Sign out"),
  ];
}

async function leave() {
  if (!isSignedIn()) return;
  await logOut();
  toast("You are signed out.");
  go("/");
}

function sign() {
  return h("svg", { class: "sign", viewBox: "0 0 32 32", "aria-hidden": "true" }, h("rect", { width: 32, height: 32, rx: 8 }), h("path", { d: "M7 16.5 16 8l9 8.5M10 14.5V24h12v-9.5" }), h("circle", { cx: 16, cy: 18.5, r: 2.2 }));
}

export function drawFoot() {
  fill(
    document.getElementById("foot"),
    h("p", {}, "A client of Imba's public API, and of nothing else. ", h("a", { href: `${root}/docs` }, "The API"), " · ", h("a", { href: `${root}/` }, "For developers")),
  );
}
