// What people reported: the queue, and one report with the conversation that it opens to staff.

import { h } from "../../core/dom.js";
import { all, get, post } from "../../core/api.js";
import { here, link } from "../../core/place.js";
import { fromNow, showInstant } from "../../core/days.js";
import { count } from "../../core/words.js";
import { ask } from "../../parts/actions.js";
import { field } from "../../parts/forms.js";
import { REASONS } from "../../parts/guard.js";
import { back, badge, empty, pageHead, section } from "../../parts/states.js";
import { toast } from "../../parts/say.js";

const STATES = { open: ["pending", "Open"], upheld: ["rejected", "Upheld"], dismissed: ["confirmed", "Dismissed"] };
const PAGE = 50;
const state = (report) => badge(...STATES[report.status]);

export function reports() {
  const chosen = here().query.get("status") ?? "open";
  const place = h("div", {});
  const tabs = h("nav", { class: "tabs", "aria-label": "Reports by state" }, Object.entries(STATES).map(([name, [, words]]) => h("a", { href: link(`/reports?status=${name}`), "aria-current": name === chosen ? "page" : null }, words)));
  section(place, async () => {
    const { data } = await get("/v1/reports", { query: { status: chosen, sort: "created_at", limit: PAGE, count: "true" } });
    if (data.items.length === 0) return empty("Nothing here", chosen === "open" ? "Every report has been decided." : "");
    return [h("p", { class: "faint" }, count(data.total, "report"), data.total > PAGE && `, the oldest ${PAGE} shown`), h("ul", { class: "rows" }, data.items.map(row))];
  }, { shape: ["row", 5] });
  return { title: "Reports", element: h("section", { class: "narrow" }, pageHead("Reports", "A conversation is open to staff until its report is decided."), tabs, place) };
}

function row(report) {
  return h("li", { class: "row-item" },
    h("div", { class: "grow" }, h("h2", { class: "row-title" }, h("a", { href: link(`/reports/${report.id}`) }, REASONS[report.reason])),
      report.text && h("p", {}, report.text), h("p", { class: "small faint" }, `${report.message_id ? "One message" : "The conversation"} · ${fromNow(report.created_at)}`)),
    state(report));
}

export async function oneReport(id) {
  const place = h("div", {});
  const again = section(place, async () => {
    const { data: report } = await get(`/v1/reports/${id}`);
    return [
      h("div", { class: "listing-head" }, h("h1", {}, REASONS[report.reason]), state(report)),
      h("p", { class: "faint" }, `Reported ${showInstant(report.created_at)}`), report.text && h("p", { class: "prose" }, report.text),
      report.status === "open" ? [await talk(report), decide(report, again)] : h("p", { class: "notice" }, `Decided ${showInstant(report.decided_at)}: ${report.decision}`),
    ];
  }, { shape: ["row", 4] });
  return { title: "A report", element: h("section", { class: "narrow" }, back(link("/reports"), "Reports"), place) };
}

async function talk(report) {
  const [{ data: thread }, messages] = await Promise.all([get(`/v1/threads/${report.thread_id}`), all(`/v1/threads/${report.thread_id}/messages`)]);
  const name = (each) => (each.sender_id === thread.tenant_id ? thread.tenant_name : thread.landlord_name) || "Somebody who has left";
  return h("ol", { class: "talk", "aria-label": "The conversation", tabindex: 0 }, messages.reverse().map((each) => h("li", { class: `word ${each.id === report.message_id ? "reported" : ""}` },
    h("p", { class: "small strong" }, name(each), each.id === report.message_id && " (reported)"), h("p", { class: "prose" }, each.text), h("time", { class: "small", datetime: each.created_at }, showInstant(each.created_at)))));
}

function decide(report, again) {
  const decision = () => field("decision", "What you found", { kind: "textarea", rows: 3, maxlength: 1000, hint: "Staff alone read it." });
  const dialog = (title, submit, fields, send) => () => ask({ title, submit, wide: true, text: "Whoever reported it is told that it was decided.", fields, send, done: () => {
    toast("Decided.");
    again();
  } });
  const uphold = dialog("Act on it", "Uphold", [decision(),
    field("closes_thread", "Close the conversation", { kind: "check" }),
    field("told", "What both sides are told, where it is closed", { kind: "textarea", rows: 2, maxlength: 500, optional: true })],
  (given, key) => post(`/v1/reports/${report.id}/upholding`, given, { key }));
  const dismiss = dialog("Nothing to act on", "Dismiss", [decision()], (given, key) => post(`/v1/reports/${report.id}/dismissal`, given, { key }));
  return h("div", { class: "row end after" }, h("button", { type: "button", class: "button", onclick: dismiss }, "Dismiss"), h("button", { type: "button", class: "button primary", onclick: uphold }, "Uphold"));
}
