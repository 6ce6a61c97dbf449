// What one may do about somebody who writes what they should not: report it, and hear no more from them.

import { fill, h } from "../core/dom.js";
import { all, del, get, post } from "../core/api.js";
import { actionButton, ask } from "./actions.js";
import { field } from "./forms.js";
import { toast } from "./say.js";

export const REASONS = { spam: "It is spam", fraud: "It looks like fraud", harassment: "It is harassment", off_platform: "It asks to pay or write elsewhere", other: "Something else" };
const LONGEST = 60;
const shorten = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** theirs(): the messages of the other side that are shown. */
export async function guard(thread, name, theirs) {
  const place = h("div", { class: "row guard" });
  const [mine, blocked] = await Promise.all([
    get("/v1/reports", { query: { thread_id: thread.id, status: "open", limit: 1 } }).then(({ data }) => data.items[0]),
    all("/v1/blocked-people", { query: { thread_id: thread.id }, most: 1 }).then(([first]) => first),
  ]);
  let [report, block] = [mine, blocked];

  const reported = () => ask({
    title: `Report ${name}?`, submit: "Report it", wide: true,
    text: "Somebody of the staff reads this conversation until it is decided. The other side is not told.",
    fields: [
      field("message_id", "What", { kind: "select", optional: true, options: [["", "The whole conversation"], ...theirs().toReversed().map((each) => [each.id, shorten(each.text)])] }),
      field("reason", "Why", { kind: "select", options: Object.entries(REASONS) }),
      field("text", "What should we know?", { kind: "textarea", rows: 3, maxlength: 2000, optional: true, blank: "" }),
    ],
    send: (given, key) => post("/v1/reports", { thread_id: thread.id, ...given }, { key }),
    done: ({ data }) => {
      report = data;
      toast("Reported. You are told when it is decided.");
      draw();
    },
  });

  function draw() {
    fill(place,
      report ? h("span", { class: "small faint" }, "You have reported this; it is being looked at.") : h("button", { type: "button", class: "button quiet", onclick: reported }, "Report"),
      block
        ? actionButton(`Hear from ${name} again`, async () => {
          await del(`/v1/blocked-people/${block.id}`);
          block = null;
          toast("You can write to each other again.");
          draw();
        }, { kind: "quiet" })
        : actionButton("Block", async (key) => {
          ({ data: block } = await post("/v1/blocked-people", { thread_id: thread.id }, { key }));
          toast(`${name} cannot write to you any more.`);
          draw();
        }, { kind: "quiet", name: `Block ${name}` }));
  }

  draw();
  return place;
}
