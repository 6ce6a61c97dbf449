// One's own account: name, address, password, where one is signed in, one's data, and leaving.

import { h } from "../core/dom.js";
import { api, get, patch, post } from "../core/api.js";
import { go } from "../core/place.js";
import { loadUser, logOut, me } from "../core/session.js";
import { showInstant } from "../core/days.js";
import { actionButton, ask } from "../parts/actions.js";
import { conflict } from "../parts/conflict.js";
import { field, form } from "../parts/forms.js";
import { empty, pageHead, section } from "../parts/states.js";
import { toast } from "../parts/say.js";
import { signInAddress } from "../parts/states.js";

const LANGUAGES = [["en", "English"], ["es", "Español"], ["de", "Deutsch"]];

export async function account() {
  if (!me()) return { title: "Your account", element: empty("Sign in to see your account", "", h("a", { class: "button primary", href: signInAddress() }, "Sign in")) };
  const parts = [profile, address, password, sessions, elsewhere, data];
  return { title: "Your account", element: h("section", { class: "narrow" }, pageHead("Your account", me().email), parts.map((make) => h("section", { class: "block" }, make()))) };
}

function profile() {
  const place = h("div", {});
  section(place, async () => {
    const { data: user, etag } = await get("/v1/users/me");
    let version = etag;
    const fields = [
      field("full_name", "Full name", { value: user.full_name, autocomplete: "name" }),
      field("language", "Language of letters and notices", { kind: "select", options: LANGUAGES, value: user.language ?? "en" }),
    ];
    return [h("h2", {}, "Name and language"), form(fields, {
      send: async (given) => {
        const answer = await patch("/v1/users/me", given, { match: version });
        version = answer.etag;
        await loadUser();
      },
      onproblem: (problem, element) => conflict(problem, element, { path: "/v1/users/me", names: ["full_name", "language"], onload: (next) => {
        version = next;
      } }),
      done: () => toast("Saved."),
    })];
  });
  return place;
}

// Pages of the server: they ask for a log-in of their own.
const elsewhere = () => [
  h("h2", {}, "API keys"),
  h("p", {}, "Let a program act for you, without your password. ", h("a", { href: "/account/api-keys" }, "Your API keys")),
];

function address() {
  const user = me();
  const state = user.email_verified_at
    ? h("p", {}, `${user.email} is verified.`)
    : h("div", {}, h("p", {}, `${user.email} is not verified yet. Open the link in the mail that was sent there.`),
      actionButton("Send the mail again", async (key) => {
        await post("/v1/auth/verification", undefined, { key });
        toast("The mail is on its way.");
      }));
  return [h("h2", {}, "E-mail"), state];
}

function password() {
  const fields = [
    field("current_password", "Password now", { kind: "password", autocomplete: "current-password" }),
    field("new_password", "New password", { kind: "password", autocomplete: "new-password" }),
  ];
  return [h("h2", {}, "Password"), form(fields, {
    submit: "Change the password",
    send: (given, key) => post("/v1/auth/password", given, { key }),
    done: (_, element) => {
      element.reset();
      toast("Your password is changed. Every other log-in has ended.");
    },
  })];
}

function sessions() {
  const place = h("div", {});
  const again = section(place, async () => {
    const { data } = await get("/v1/auth/sessions");
    return [h("h2", {}, "Where you are signed in"), h("ul", { class: "rows" }, data.items.map((each) => h("li", { class: "row-item" },
      h("div", { class: "grow" }, h("p", { class: "strong" }, device(each)), h("p", { class: "small faint" }, each.address ?? "", " · since ", showInstant(each.created_at))),
      each.is_current ? h("span", { class: "badge confirmed" }, "This one") : actionButton("Sign out", async () => {
        await api("DELETE", `/v1/auth/sessions/${each.id}`);
        again();
      }))))];
  });
  return place;
}

/** A user agent as people say it: the browser and the system, where they can be told. */
function device({ user_agent: agent = "" }) {
  const browser = ["Edg", "Firefox", "Chrome", "Safari", "curl"].find((each) => agent?.includes(each));
  const system = ["Windows", "Android", "iPhone", "Mac OS", "Linux"].find((each) => agent?.includes(each));
  return [browser === "Edg" ? "Edge" : browser, system].filter(Boolean).join(" on ") || agent || "A device";
}

function data() {
  return [
    h("h2", {}, "Your data"),
    h("div", { class: "row" },
      actionButton("Download what is held about you", async () => {
        const { data: held } = await get("/v1/users/me/export");
        const file = URL.createObjectURL(new Blob([JSON.stringify(held, null, 2)], { type: "application/json" }));
        h("a", { href: file, download: "imba-export.json" }).click();
        setTimeout(() => URL.revokeObjectURL(file), 1000);
      }),
      h("button", { type: "button", class: "button danger", onclick: leaveForGood }, "Erase the account")),
  ];
}

function leaveForGood() {
  ask({
    title: "Erase your account?", submit: "Erase it for good", kind: "danger",
    text: "Your personal data goes, your homes are taken off, what you hold is given up. This cannot be undone.",
    send: () => api("DELETE", "/v1/users/me"),
    done: async () => {
      await logOut();
      toast("Your account is erased.");
      go("/");
    },
  });
}
