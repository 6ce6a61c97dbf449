// Elements are made by code and text stays text: there is no way from a string to markup in this client.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "circle", "line", "rect", "text", "polyline", "title"]);

/**
 * Make an element. `on*` are listeners, `data` fills the dataset, `vars` sets CSS custom properties (through the
 * object model: the policy refuses style attributes), true and false add or leave out an attribute.
 */
export function h(tag, props = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  add(element, children);
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name === "vars") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
  else if (name === "value" && "value" in element) element.value = value;
  else if (name === "checked" || name === "indeterminate") element[name] = value;
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Append what is there: arrays are flattened, null and false are nothing. */
export function add(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === true) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Replace what is inside. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

let counter = 0;
/** An id that is free on this page. */
export const uid = (stem) => `${stem}-${++counter}`;

/** Wait until nothing has called for `ms`. */
export function debounce(ms, call) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), ms);
  };
}

const PATHS = {
  home: "M4 11 12 4l8 7M6.500 9.500V20h11V9.500",
  heart: "M12 20S4 15 4 9.300A4.300 4.300 0 0 1 12 7a4.300 4.300 0 0 1 8 2.300C20 15 12 20 12 20Z",
  left: "m14.500 6-6 6 6 6",
  right: "m9.500 6 6 6-6 6",
  up: "m6 14 6-6 6 6",
  down: "m6 10 6 6 6-6",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  check: "m5 12.500 4.500 4.500L19 7.500",
  cross: "m6 6 12 12M18 6 6 18",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  bed: "M3 18v-5h18v5M3 13V7M6 13v-3h5v3M21 13v-1.500a2 2 0 0 0-2-2h-8",
  bath: "M3 12h18v2a4 4 0 0 1-4 4H7a4 4 0 0 1-4-4v-2ZM6 12V6.500a2 2 0 0 1 4 0M7 18v2M17 18v2",
  area: "M4 4h16v16H4zM4 9h3M4 14h3M10 4v3M15 4v3",
  star: "m12 4 2.400 5 5.600.700-4.100 3.800 1.100 5.500-5-2.700L7 19l1.100-5.500L4 9.700 9.600 9Z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2",
  photo: "M4 6h16v13H4zM4 16l5-5 4 4 3-3 4 4M15.500 10h.010",
  message: "M4 5h16v11H10l-4 4v-4H4z",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20a7.500 7.500 0 0 1 15 0",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.010M4 12h.010M4 18h.010",
  map: "m4 6 5-2 6 2 5-2v14l-5 2-6-2-5 2zM9 4v14M15 6v14",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.500 1.500h-15zM10 21h4",
  calendar: "M5 6h14v14H5zM5 10h14M9 4v4M15 4v4",
};

/** A drawn sign beside words; it says nothing by itself. */
export function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: PATHS[name] }));
}
