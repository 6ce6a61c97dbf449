// Calendars in both directions: those kept elsewhere that take nights here, and the secret address that others read.

import { fill, h } from "../../core/dom.js";
import { all, del, get, post, put } from "../../core/api.js";
import { count } from "../../core/words.js";
import { root } from "../../core/place.js";
import { fromNow } from "../../core/days.js";
import { actionButton } from "../../parts/actions.js";
import { copied } from "../../parts/copied.js";
import { field, form } from "../../parts/forms.js";
import { badge, section } from "../../parts/states.js";
import { toast } from "../../parts/say.js";

const LOOK_MS = 1500;
const LOOKS = 60;
const STATUS = { new: ["pending", "Being read"], synced: ["confirmed", "Read"], failed: ["rejected", "Not read"] };

/** changed: called when nights may have come or gone. */
export function calendars(home, changed) {
  return [
    h("section", { class: "block" }, h("h2", {}, "Calendars kept elsewhere"), h("p", { class: "faint" }, "Nights that are booked on another site are taken here, too."), imported(home, changed)),
    h("section", { class: "block" }, h("h2", {}, "Your calendar for other sites"), feed(home)),
  ];
}

function imported(home, changed) {
  const place = h("div", {});
  let looks = 0;
  const again = section(place, async () => {
    const found = await all("/v1/calendars", { query: { property_id: home.id } });
    if (found.some((each) => each.status === "new") && looks++ < LOOKS) setTimeout(() => place.isConnected && again({ quiet: true }), LOOK_MS);
    else changed();
    return found.length === 0 ? h("p", { class: "faint" }, "None yet.") : h("ul", { class: "rows" }, found.map((each) => row(each, again)));
  }, { shape: ["line", 1] });
  const after = (words) => (_, element) => {
    element.reset();
    toast(words);
    looks = 0;
    again();
  };
  const add = (given, key) => post(`/v1/properties/${home.id}/calendars`, given, { key });
  const name = () => field("name", "Name", { optional: true, blank: "", maxlength: 120 });
  return [place,
    h("details", { class: "fold" }, h("summary", {}, "Add one by its address"),
      form([name(), field("url", "Address", { kind: "url", inputmode: "url", placeholder: "https://…/calendar.ics", hint: "As the other site gives it out. It is read every half hour." })],
        { submit: "Read it", send: add, done: after("Being read.") })),
    h("details", { class: "fold" }, h("summary", {}, "Add one from a file"),
      form([name(), field("file", "The calendar (.ics)", { kind: "file", accept: ".ics,text/calendar", hint: "Its events take the nights, as told." })],
        { submit: "Take it in", done: after("Taken in."),
          send: async (given, key, element) => add({ ...given, file: (await element.elements.file.files[0]?.text()) ?? "" }, key) }))];
}

function row(each, again) {
  const [kind, words] = STATUS[each.status];
  const result = each.synced_at ? `${count(each.events, "event")}, read ${fromNow(each.synced_at)}` : "Not read so far";
  const next = each.url && each.next_sync_at && each.status !== "new" && `, again ${fromNow(each.next_sync_at)}`;
  return h("li", { class: "row-item" },
    h("div", { class: "grow" }, h("h3", {}, each.name || "A calendar"), each.url && h("p", { class: "small faint address" }, each.url),
      h("p", { class: "small" }, result, next), each.failure && h("p", { class: "error" }, each.failure, each.failures > 1 && ` (${each.failures} times)`)),
    badge(kind, words),
    actionButton("Read now", async (key) => {
      await post(`/v1/calendars/${each.id}/sync`, undefined, { key });
      toast("It is read again.");
      setTimeout(() => again({ quiet: true }), LOOK_MS);
    }, { kind: "quiet", name: `Read ${each.name || "the calendar"} now` }),
    actionButton("Remove", async () => {
      await del(`/v1/calendars/${each.id}`);
      toast("Removed, and with it the nights it took.");
      again();
    }, { kind: "quiet", name: `Remove ${each.name || "the calendar"}` }));
}

function feed(home) {
  const place = h("div", {});
  const path = `/v1/properties/${home.id}/calendar-feed`;
  const show = ({ path: secret, since }) => fill(place, secret ? given(`${location.origin}${root}${secret}`, since) : none());
  const renew = async (words) => {
    show((await put(path)).data);
    toast(words);
  };
  const none = () => [h("p", {}, "Other sites can read when this home is taken, by an address that only you know."),
    actionButton("Make the address", () => renew("Made. Give it to the other site."))];
  const given = (address, since) => [
    h("p", {}, "Whoever knows this address reads when the home is taken, and nothing of whom."),
    copied(address, "Secret address of the calendar"),
    h("p", { class: "small faint" }, `Made ${fromNow(since)}.`),
    h("div", { class: "row" },
      actionButton("Make a new one", () => renew("A new address. The former shows nothing any more."), { kind: "quiet" }),
      actionButton("Give it out no more", async () => {
        await del(path);
        show({ path: null });
        toast("Nobody reads it any more.");
      }, { kind: "quiet" }))];
  section(place, async () => {
    const { data } = await get(path);
    return data.path ? given(`${location.origin}${root}${data.path}`, data.since) : none();
  }, { shape: ["line", 1] });
  return place;
}
