// The documents of a request. Pictures are shown here; the rest is opened by an address that works once.

import { fill, h, icon } from "../../core/dom.js";
import { get, post } from "../../core/api.js";
import { root } from "../../core/place.js";
import { showDay } from "../../core/days.js";
import { actionButton } from "../../parts/actions.js";
import { DOCUMENTS } from "../../parts/evidence.js";
import { privatePicture } from "../../parts/private_picture.js";

export function papers(check) {
  if (check.redacted_at) return h("p", { class: "faint" }, `The documents were deleted ${showDay(check.redacted_at.slice(0, 10))}, as they are some time after a decision.`);
  if (check.documents.length === 0) return h("p", { class: "faint" }, "None were handed in.");
  return h("ul", { class: "papers" }, check.documents.map((each) => h("li", { class: "paper" }, paper(each))));
}

function paper(document_) {
  const facts = [document_.number && `number ${document_.number}`, document_.expires_on && `until ${showDay(document_.expires_on)}`].filter(Boolean).join(", ");
  const view = h("div", { class: "paper-view" });
  const head = h("p", {}, h("strong", {}, DOCUMENTS[document_.kind]), facts && h("span", { class: "small faint" }, ` ${facts}`));
  if (!document_.id) return [head];
  get(`/v1/media/${document_.id}`).then(({ data }) => fill(view, look(data)), () => fill(view, h("p", { class: "faint" }, "The file is no longer there.")));
  return [head, view];
}

function look(medium) {
  const name = medium.filename;
  return [
    medium.content_type.startsWith("image/") && privatePicture(`/v1/media/${medium.id}/content`, { alt: name }),
    h("p", { class: "row" }, icon("file"), h("span", { class: "grow small" }, name), actionButton("Download", async (key) => {
      const { data } = await post(`/v1/media/${medium.id}/address`, undefined, { key });
      // It comes as a download, so that this page stays.
      location.assign(root + data.url);
    }, { kind: "quiet", name: `Download ${name}` })),
  ];
}
