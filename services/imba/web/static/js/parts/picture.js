// Photos: the variants of one medium as <picture>, and a drawing where a home has none. The drawing is made from the
// home's id, so that the same home always looks the same, and no two rows of a list look alike.

import { h } from "../core/dom.js";
import { root } from "../core/place.js";

// The variants are named by the box they fit into; which format comes is agreed between browser and server (Accept).
const WIDTHS = { thumb: 320, card: 800, full: 2048 };
const SIZES = { thumb: "160px", card: "(max-width: 700px) 100vw, 400px", full: "(max-width: 1000px) 100vw, 1000px" };
const address = (path) => (path?.startsWith("/") ? root + path : path);

/** variants: {thumb, card, full}, paths or null. size: how large it is shown. */
export function photo(variants, size = "card", { alt = "", eager = false, width, height } = {}) {
  const there = Object.keys(WIDTHS).filter((name) => variants[name]);
  const set = there.map((name) => `${address(variants[name])} ${WIDTHS[name]}w`).join(", ");
  const image = h("img", { alt, width, height, loading: eager ? "eager" : "lazy", decoding: "async", sizes: SIZES[size], srcset: set, src: address(variants[size] ?? variants[there[0]]) });
  const element = h("picture", {}, image);
  image.addEventListener("error", () => element.classList.add("broken"), { once: true });
  return element;
}

function seedOf(id) {
  let seed = 7;
  for (const each of String(id).slice(-12)) seed = (seed * 31 + each.charCodeAt(0)) % 100_003;
  return seed;
}

/** A quiet drawing of a house on a hill, for a home without a photo. */
export function drawing(id, kind = "house") {
  const seed = seedOf(id);
  const pick = (salt, count) => Math.floor(seed / salt) % count;
  const hill = 150 + pick(3, 30);
  const x = 110 + pick(7, 150);
  const [wide, tall] = kind === "apartment" ? [70, 110] : kind === "office" ? [96, 96] : [96 + pick(11, 40), 56 + pick(5, 22)];
  const top = hill - tall + 16;
  const roof = kind === "apartment" || kind === "office" ? `M${x} ${top}h${wide}v-7h-${wide}z` : `M${x - 10} ${top + 2}L${x + wide / 2} ${top - 34 - pick(13, 16)}L${x + wide + 10} ${top + 2}z`;
  const windows = [];
  for (let wy = top + 14; wy < hill - 18; wy += 26) for (let wx = x + 12; wx < x + wide - 14; wx += 26) windows.push(h("rect", { class: (wx + wy + seed) % 3 ? "pane" : "pane lit", x: wx, y: wy, width: 13, height: 14, rx: 1.5 }));
  return h("svg", { class: `drawing tint-${pick(17, 5)}`, viewBox: "0 0 400 260", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    h("rect", { class: "sky", width: 400, height: 260 }),
    h("circle", { class: "sun", cx: 40 + pick(19, 320), cy: 48 + pick(23, 30), r: 20 }),
    h("path", { class: "far", d: `M0 ${hill - 16}Q100 ${hill - 70 - pick(29, 30)} 210 ${hill - 20}T400 ${hill - 40}V260H0z` }),
    kind === "land" ? null : h("rect", { class: "wall", x, y: top, width: wide, height: tall + 30 }),
    kind === "land" ? null : h("path", { class: "roof", d: roof }),
    kind === "land" ? null : windows,
    h("path", { class: "near", d: `M0 ${hill + 14}Q130 ${hill - 12} 240 ${hill + 20}T400 ${hill + 2}V260H0z` }),
    [30, 352, 322].map((tx, place) => h("path", { class: "tree", d: `M${tx + pick(31, 20)} ${hill + 28 - place * 8}v-52q15 20 0 52z` })));
}

/** What stands for a home in a list: its cover, or the drawing. */
export const cover = (home, size = "card", options = {}) => (home.cover ? photo(home.cover, size, options) : drawing(home.id, home.kind));
