// Writing to the other side, about a home or a reservation.

import { h, icon } from "../core/dom.js";
import { post } from "../core/api.js";
import { go } from "../core/place.js";
import { me } from "../core/session.js";
import { ask } from "./actions.js";
import { field } from "./forms.js";
import { toSignIn } from "./states.js";
import { toast } from "./say.js";

/** about: {property_id} or {reservation_id}. to: "the landlord", "the guest". */
export function writeButton(about, to, { kind = "" } = {}) {
  return h("button", { type: "button", class: `button ${kind}`, onclick: () => (me() ? write(about, to) : toSignIn()) }, icon("message"), `Write to ${to}`);
}

function write(about, to) {
  ask({
    title: `Write to ${to}`, text: "Only the two of you read it.", submit: "Send",
    fields: [field("text", "Message", { kind: "textarea", rows: 5, maxlength: 4000 })],
    send: (given, key) => post("/v1/threads", { ...about, ...given }, { key }),
    done: ({ data }) => {
      toast("Sent.");
      go(`/messages/${data.id}`);
    },
  });
}
