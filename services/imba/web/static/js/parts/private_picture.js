// Pictures and documents that their owner or a reviewer alone may see: an <img> sends no token, so they are fetched.

import { h } from "../core/dom.js";
import { blob } from "../core/api.js";

/** The picture behind a path. It is let go of once the browser has drawn it. */
export function privatePicture(path, { alt = "" } = {}) {
  const image = h("img", { alt, decoding: "async" });
  const holder = h("span", { class: "private-picture" }, image);
  blob(path).then((found) => {
    image.src = URL.createObjectURL(found);
    const free = () => URL.revokeObjectURL(image.src);
    image.addEventListener("load", free, { once: true });
    image.addEventListener("error", free, { once: true });
  }, () => holder.classList.add("broken"));
  return holder;
}
