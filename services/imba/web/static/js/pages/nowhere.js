// An address that names no view.

import { h } from "../core/dom.js";
import { link } from "../core/place.js";
import { empty } from "../parts/states.js";

export function nowhere() {
  return { title: "Not found", element: empty("There is no such page", "The address may be old.", h("a", { class: "button primary", href: link("/") }, "Find a home")) };
}
