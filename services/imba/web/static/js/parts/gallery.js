// The photos of a home: a few of them in the page, all of them over it.

import { fill, h, icon } from "../core/dom.js";
import { root } from "../core/place.js";
import { photo } from "./picture.js";
import { privatePicture } from "./private_picture.js";

const SHOWN = 5;

/** media: photos and videos in their order. isOwn: they may be the caller's alone, still. */
export function gallery(media, { isOwn = false } = {}) {
  const pictures = media.filter((each) => each.purpose === "photo" && each.status === "ready").sort((one, other) => other.is_cover - one.is_cover || one.position - other.position);
  const films = media.filter((each) => each.purpose === "video");
  if (pictures.length === 0 && films.length === 0) return null;
  const image = (medium, size, options) => (isOwn ? privatePicture(medium.variants[size], { alt: medium.alt_text }) : photo(medium.variants, size, { alt: medium.alt_text, ...options }));
  const shown = pictures.slice(0, SHOWN);
  const shots = shown.map((medium, at) => h("button", { type: "button", class: "shot", "aria-label": `Photo ${at + 1} of ${pictures.length}${medium.alt_text ? `: ${medium.alt_text}` : ""}`, onclick: () => lightbox(pictures, at, image) },
    image(medium, at === 0 ? "full" : "card", { eager: at === 0, alt: "" })));
  return h("div", {},
    h("div", { class: `gallery of-${shown.length}` }, shots),
    pictures.length > SHOWN && h("p", { class: "gallery-more" }, h("button", { type: "button", class: "button", onclick: () => lightbox(pictures, 0, image) }, icon("photo"), `All ${pictures.length} photos`)),
    !isOwn && films.map((film) => h("video", { class: "film", controls: true, preload: "none", src: root + film.url, "aria-label": film.alt_text || film.filename })));
}

function lightbox(pictures, first, image) {
  let at = first;
  const stage = h("figure", { class: "stage" });
  const close = h("button", { type: "button", class: "button icon-only", "aria-label": "Close", onclick: () => dialog.close() }, icon("cross"));
  const step = (by, words, sign) => h("button", { type: "button", class: "button icon-only", "aria-label": words, onclick: () => turn(by) }, icon(sign));
  const dialog = h("dialog", { class: "lightbox", "aria-label": "Photos", onkeydown: ({ key }) => turn({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0) },
    stage, h("div", { class: "lightbox-controls" }, pictures.length > 1 && [step(-1, "Earlier photo", "left"), step(1, "Next photo", "right")], close));
  let pulled = null;
  stage.addEventListener("pointerdown", ({ clientX }) => {
    pulled = clientX;
  });
  stage.addEventListener("pointerup", ({ clientX }) => {
    if (pulled !== null && Math.abs(clientX - pulled) > 40) turn(clientX < pulled ? 1 : -1);
    pulled = null;
  });

  function turn(by) {
    at = (at + by + pictures.length) % pictures.length;
    const medium = pictures[at];
    fill(stage, image(medium, "full", { eager: true, alt: medium.alt_text || `Photo ${at + 1}` }), h("figcaption", { "aria-live": "polite" }, `${at + 1} of ${pictures.length}`, medium.alt_text && `: ${medium.alt_text}`));
  }

  turn(0);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
