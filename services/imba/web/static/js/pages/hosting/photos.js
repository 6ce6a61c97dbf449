// The gallery: sending photos in, their order, the cover, and words for those who do not see them.

import { fill, h, icon } from "../../core/dom.js";
import { all, del, patch } from "../../core/api.js";
import { actionButton } from "../../parts/actions.js";
import { field, form } from "../../parts/forms.js";
import { privatePicture } from "../../parts/private_picture.js";
import { failed } from "../../parts/states.js";
import { say, toast } from "../../parts/say.js";
import { uploader } from "../../parts/uploader.js";

const PICTURES = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"];
const VIDEOS = ["video/mp4", "video/webm", "video/quicktime"];
const LOOKS_MS = [250, 500, 1000, 2000];
const MOST_LOOKS = 60;

export async function photos(context) {
  const { home } = context.known;
  const place = h("div", {});
  const forms = new Map();
  let looks = 0;
  let timer = 0;

  async function load() {
    const found = await all("/v1/media", { query: { property_id: home.id, sort: "position" }, most: 200 });
    clearTimeout(timer);
    // Variants are made by a job: what is still at work is looked at again, ever less often.
    if (found.some((each) => each.status === "processing") && looks < MOST_LOOKS) {
      timer = setTimeout(() => place.isConnected && changed(), LOOKS_MS[Math.min(looks++, LOOKS_MS.length - 1)]);
    }
    draw(found.filter((each) => each.purpose === "photo"), found.filter((each) => each.purpose === "video"));
  }

  function draw(pictures, videos) {
    const focused = document.activeElement;
    fill(place,
      pictures.length > 0 && h("ol", { class: "shots", "aria-label": "Photos, in the order in which they are shown" }, pictures.map((each, at) => shot(each, at, pictures))),
      videos.map((each) => h("p", { class: "row" }, icon("file"), h("span", { class: "grow" }, each.filename), remover(each, each.filename))));
    // What somebody is typing at this moment stays, and keeps the focus.
    if (focused?.isConnected && place.contains(focused)) focused.focus();
  }

  async function changed(words) {
    if (words) say(words);
    try {
      await load();
      if (words !== undefined || context.known.photos === 0) await context.refresh();
    } catch (error) {
      fill(place, failed(error, () => changed()));
    }
  }

  function shot(medium, at, among) {
    const name = medium.alt_text || medium.filename;
    const isCover = medium.is_cover || (at === 0 && !among.some((each) => each.is_cover));
    return h("li", { class: "shot-card", data: { id: medium.id } },
      h("div", { class: "shot-picture" }, picture(medium), isCover && h("span", { class: "badge approved" }, "Cover")),
      words(medium),
      h("div", { class: "row" },
        mover(medium, at - 1, among, "Earlier", name), mover(medium, at + 1, among, "Later", name),
        !isCover && medium.status === "ready" && actionButton("Make cover", async () => {
          await patch(pathOf(medium), { is_cover: true });
          await changed(`${name} is the cover now.`);
        }, { kind: "quiet", name: `Make ${name} the cover` }),
        remover(medium, name)));
  }

  /** The form of a photo's words is made once: a list that is drawn anew must not take away what is half typed. */
  function words(medium) {
    if (!forms.has(medium.id)) {
      forms.set(medium.id, form([field("alt_text", "What it shows", { value: medium.alt_text, optional: true, blank: "", maxlength: 500 })], {
        submit: "Keep", kind: "quiet", class: "inline",
        send: (given) => patch(pathOf(medium), given),
        done: () => toast("Kept."),
      }));
    }
    return forms.get(medium.id);
  }

  function mover(medium, to, among, label, name) {
    return h("button", { type: "button", class: "button quiet icon-only", "aria-label": `${label}: ${name}`, disabled: to < 0 || to >= among.length, onclick: async () => {
      try {
        await patch(pathOf(medium), { position: to });
      } catch (error) {
        return toast(`${error.title}. ${error.detail}`, { kind: "bad" });
      }
      await changed(`${name} is number ${to + 1} now.`);
      place.querySelector(`[data-id="${medium.id}"] button[aria-label^="${label}"]:not(:disabled), [data-id="${medium.id}"] .icon-only:not(:disabled)`)?.focus();
      return undefined;
    } }, icon(label === "Earlier" ? "left" : "right"));
  }

  const remover = (medium, name) => actionButton("Remove", async () => {
    await del(pathOf(medium));
    await changed(`${name} is removed.`);
  }, { kind: "quiet", name: `Remove ${name}` });

  await changed();
  return [
    h("h2", {}, "Photos and videos"),
    uploader({
      words: "Choose photos or videos, or drop them here",
      hint: "JPEG, PNG, WebP or AVIF up to 25 MB; MP4 or WebM up to 500 MB. A broken line is picked up where it stood.",
      accept: [...PICTURES, ...VIDEOS],
      fields: (file) => ({ purpose: file.type.startsWith("video/") ? "video" : "photo", property_id: home.id }),
      ondone: () => {
        looks = 0;
        return changed();
      },
    }),
    place,
    h("div", { class: "row end after" }, context.next()),
  ];
}

const pathOf = (medium) => `/v1/media/${medium.id}`;

function picture(medium) {
  if (medium.status === "failed") return h("p", { class: "error" }, medium.failure ?? "It cannot be shown.");
  if (medium.status === "processing") return h("div", { class: "skeleton photo", role: "img", "aria-label": `${medium.filename}, being made ready` }, h("i"));
  return privatePicture(medium.variants.card, { alt: medium.alt_text });
}
