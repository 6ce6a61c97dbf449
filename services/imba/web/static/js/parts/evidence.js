// Documents for a check: sent in privately, and what each of them is.

import { fill, h, icon } from "../core/dom.js";
import { del } from "../core/api.js";
import { plusDays, today } from "../core/days.js";
import { uploader } from "./uploader.js";

export const DOCUMENTS = { identity: "Proof of identity", ownership_proof: "Proof of ownership", mandate: "Mandate to let" };
const USUAL = { identity: "identity", property: "ownership_proof" };

/** A group of a form, under the name `documents`. home: the id of the home that they belong to, if to one. */
export function evidence(subject, home) {
  const held = [];
  const list = h("ul", { class: "rows" });
  const element = h("fieldset", { class: "field", name: "documents" }, h("legend", {}, "Documents"),
    uploader({
      words: "Choose documents, or drop them here",
      hint: "PDF, JPEG or PNG, up to 25 MB each. You and our reviewers read them, nobody else; some time after the decision they are deleted.",
      accept: ["application/pdf", "image/jpeg", "image/png"],
      fields: () => ({ purpose: "document", property_id: home }),
      ondone: (medium) => {
        held.push(one(medium, held.length));
        draw();
      },
    }),
    list, h("p", { class: "error", hidden: true }));
  element.readValue = () => held.map((each) => each.read());

  function one(medium) {
    const kind = h("select", {}, Object.entries(DOCUMENTS).map(([value, words]) => h("option", { value, selected: value === USUAL[subject] }, words)));
    const number = h("input", { type: "text", maxlength: 60, autocomplete: "off" });
    const ends = h("input", { type: "date", min: plusDays(today(), 1) });
    const optional = h("span", { class: "faint" }, " (optional)");
    const labelled = (words, control) => h("label", { class: "small labelled" }, h("span", {}, words), control);
    const error = h("p", { class: "error", hidden: true });
    const controls = { kind, number, expires_on: ends };
    const row = h("li", { class: "document field" }, h("p", { class: "row" }, icon("file"), h("span", { class: "grow strong" }, medium.filename),
      h("button", { type: "button", class: "button quiet icon-only", "aria-label": `Take ${medium.filename} away`, onclick: async () => {
        held.splice(held.indexOf(entry), 1);
        draw();
        await del(`/v1/media/${medium.id}`).catch(() => {});
      } }, icon("cross"))), h("div", { class: "three" }, labelled("What it is", kind), labelled(["Number", optional], number), labelled(["Expires", optional.cloneNode(true)], ends)), error);
    const entry = {
      row,
      /** Inputs are named by their place, which moves when another document is taken away. */
      name(place) {
        for (const [key, control] of Object.entries(controls)) control.name = `documents/${place}/${key}`;
      },
      read: () => ({ id: medium.id, kind: kind.value, ...(number.value && { number: number.value }), ...(ends.value && { expires_on: ends.value }) }),
    };
    return entry;
  }

  function draw() {
    held.forEach((each, place) => each.name(place));
    fill(list, held.map(({ row }) => row));
  }

  return element;
}
