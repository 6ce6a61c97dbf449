// The map: a plot of coordinates, without tiles, hence without another host. Places that cover each other are drawn
// as one circle with their number. It is worked with a pointer or with keys; the list beside it says the same in words.

import { debounce, h, icon } from "../core/dom.js";
import { View, groups } from "./projection.js";

const PAN_STEP = 90;

/**
 * label(place): the words of a marker. onmove(box): the view has come to rest after a person moved it.
 * onpick(place, group), onhover(place or null): a marker was chosen or pointed at.
 */
export function plot({ label, onmove, onpick, onhover, name = "Map of the results" }) {
  const view = new View();
  const lines = h("g", { class: "graticule" });
  const seen = h("g", { class: "seen" });
  const towns = h("g", { class: "towns" });
  const marks = h("g", { class: "marks" });
  const drawing = h("svg", { class: "plot-drawing", "aria-hidden": "true" }, lines, seen, towns, marks);
  const ruler = h("span", { class: "ruler", "aria-hidden": "true" });
  const keys = h("span", { class: "unseen", id: "plot-keys" }, "Arrow keys move the map, plus and minus zoom, zero shows every result. The list holds the same places.");
  const board = h("div", { class: "plot-board", tabindex: 0, role: "application", "aria-roledescription": "map", "aria-label": name, "aria-describedby": "plot-keys" }, drawing);
  const control = (sign, words, act) => h("button", { type: "button", class: "button icon-only", "aria-label": words, title: words, onclick: act }, icon(sign));
  const element = h("div", { class: "plot" }, board, keys, ruler,
    h("div", { class: "plot-controls" }, control("plus", "Zoom in", () => zoom(1.8)), control("minus", "Zoom out", () => zoom(1 / 1.8)), control("fit", "Show every result", () => fitAll())));
  const memory = new Map();
  let places = [];
  let active = null;
  let isFitted = false;

  const rest = debounce(350, () => onmove?.(view.box()));
  const frame = () => {
    cancelAnimationFrame(frame.pending);
    frame.pending = requestAnimationFrame(draw);
  };
  const moved = () => {
    frame();
    rest();
  };
  const zoom = (factor, x, y) => {
    view.zoom(factor, x, y);
    moved();
  };
  const fitAll = () => {
    view.fit(places);
    moved();
  };

  function draw() {
    const { width, height } = view;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawGraticule();
    drawSeen();
    drawTowns();
    marks.replaceChildren(...groups(places, view, { radius: width < 420 ? 40 : 46 }).filter(isNear).map(mark));
    const { pixels, words } = view.ruler();
    ruler.style.setProperty("--length", `${pixels}px`);
    ruler.textContent = words;
  }

  const isNear = ({ x, y }) => x > -60 && y > -60 && x < view.width + 60 && y < view.height + 60;

  function drawGraticule() {
    const { longitudes, latitudes } = view.graticule();
    const across = longitudes.map((each) => view.at(0, each)[0]);
    const down = latitudes.map((each) => view.at(each, 0)[1]);
    lines.replaceChildren(
      ...across.map((x) => h("line", { x1: x, x2: x, y1: 0, y2: view.height })),
      ...down.map((y) => h("line", { x1: 0, x2: view.width, y1: y, y2: y })),
    );
  }

  // Whatever was found before stays as faint dots: with time they draw the coast and the lakes.
  function drawSeen() {
    const path = [...memory.values()].map((each) => view.at(each.latitude, each.longitude)).filter(([x, y]) => isNear({ x, y }));
    seen.replaceChildren(h("path", { d: path.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h.01`).join("") }));
  }

  function drawTowns() {
    const byTown = Map.groupBy ? Map.groupBy(memory.values(), (each) => each.city) : new Map();
    const shown = [];
    const named = [...byTown].sort((one, other) => other[1].length - one[1].length).slice(0, 14);
    for (const [town, found] of named) {
      const mean = (key) => found.reduce((sum, each) => sum + each[key], 0) / found.length;
      const [x, y] = view.at(mean("latitude"), mean("longitude"));
      if (!isNear({ x, y }) || shown.some((each) => Math.abs(each[0] - x) < 90 && Math.abs(each[1] - y) < 30)) continue;
      shown.push([x, y, town]);
    }
    towns.replaceChildren(...shown.map(([x, y, town]) => h("text", { x, y: y + 34 }, town)));
  }

  function mark(group) {
    const [first] = group.places;
    const isActive = group.places.some((each) => each.id === active);
    const many = group.places.length > 1;
    const words = many ? String(group.places.length) : label(first);
    const half = many ? 15 + Math.min(group.places.length, 60) / 8 : words.length * 3.9 + 10;
    const shape = many ? h("circle", { r: half }) : h("rect", { x: -half, y: -14, width: 2 * half, height: 28, rx: 14 });
    return h("g", {
      class: `mark ${many ? "many" : ""} ${isActive ? "active" : ""}`,
      transform: `translate(${group.x.toFixed(1)} ${group.y.toFixed(1)})`,
      onclick: () => pick(group),
      onpointerenter: () => onhover?.(first),
      onpointerleave: () => onhover?.(null),
    }, shape, h("text", { "text-anchor": "middle", dy: "0.35em" }, words));
  }

  function pick(group) {
    if (pointers.dragged) return;
    if (group.places.length === 1) return onpick?.(group.places[0], group);
    const scale = view.scale;
    view.fit(group.places, { nearest: 2 ** 25 });
    // Homes at one address cannot be told apart by coming nearer.
    if (view.scale <= scale * 1.02 || view.scale >= 2 ** 25) onpick?.(group.places[0], group);
    return moved();
  }

  const pointers = { held: new Map(), dragged: false };
  board.addEventListener("pointerdown", (event) => {
    pointers.held.set(event.pointerId, [event.clientX, event.clientY]);
    pointers.dragged = false;
  });
  board.addEventListener("pointermove", (event) => {
    const before = pointers.held.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    if (!pointers.dragged && Math.hypot(now[0] - before[0], now[1] - before[1]) < 4) return;
    if (!pointers.dragged) board.setPointerCapture(event.pointerId);
    pointers.dragged = true;
    const others = [...pointers.held].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (others.length === 1) pinch(before, now, others[0]);
    else view.pan(before[0] - now[0], before[1] - now[1]);
    pointers.held.set(event.pointerId, now);
    moved();
  });
  for (const ending of ["pointerup", "pointercancel"]) board.addEventListener(ending, (event) => pointers.held.delete(event.pointerId));

  function pinch(before, now, other) {
    const distance = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    const frameBox = board.getBoundingClientRect();
    view.zoom(distance(now) / (distance(before) || 1), (now[0] + other[0]) / 2 - frameBox.left, (now[1] + other[1]) / 2 - frameBox.top);
  }

  board.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frameBox = board.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 400), event.clientX - frameBox.left, event.clientY - frameBox.top);
  }, { passive: false });

  const KEYS = {
    ArrowLeft: () => view.pan(-PAN_STEP, 0), ArrowRight: () => view.pan(PAN_STEP, 0),
    ArrowUp: () => view.pan(0, -PAN_STEP), ArrowDown: () => view.pan(0, PAN_STEP),
    "+": () => view.zoom(1.6), "=": () => view.zoom(1.6), "-": () => view.zoom(1 / 1.6), 0: () => view.fit(places),
  };
  board.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
    moved();
  });

  new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width) return;
    Object.assign(view, { width: contentRect.width, height: contentRect.height });
    if (!isFitted && pending) pending();
    frame();
  }).observe(board);
  let pending = null;

  return {
    element,
    /** Show these places. box: where to look, else all of them, else (keep) where one is. */
    show(next, { box, keep = false } = {}) {
      places = next.filter((each) => each.latitude !== null && each.longitude !== null);
      for (const each of places) memory.set(each.id, each);
      pending = () => {
        isFitted = true;
        if (box) view.show(box);
        else view.fit(places);
      };
      if (view.width > 1 && !(keep && isFitted)) pending();
      frame();
    },
    /** Places that are not results, as faint dots. */
    around(others) {
      for (const each of others) if (each.latitude !== null) memory.set(each.id, each);
      frame();
    },
    /** Mark one place; null marks none. */
    activate(id) {
      active = id;
      frame();
    },
  };
}
