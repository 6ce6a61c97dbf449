// Starts the client: the head with who is signed in, and the view that the address names.

import { fill } from "./core/dom.js";
import { whenStale } from "./core/api.js";
import { here, onMove } from "./core/place.js";
import { loadUser, watch } from "./core/session.js";
import { proveAnew } from "./parts/prove_anew.js";
import { failed } from "./parts/states.js";
import { drawHead, drawFoot } from "./parts/head.js";
import { find } from "./routes.js";

const main = document.getElementById("main");
let leave = null;
let isFirst = true;
let turn = 0;

async function show() {
  const mine = ++turn;
  const { path, query } = here();
  leave?.();
  leave = null;
  drawHead();
  let view;
  try {
    const [make, ...parameters] = find(path);
    view = await make(...parameters, query);
  } catch (error) {
    view = { element: failed(error, show), title: "Something went wrong" };
  }
  // A later move has overtaken this one: what it shows stays.
  if (mine !== turn) return void view.leave?.();
  leave = view.leave;
  document.title = `${view.title} · Imba`;
  main.className = view.wide ? "wide" : "";
  fill(main, view.element);
  if (!isFirst) {
    // A new view starts at its top, and its heading is what a screen reader hears next.
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  isFirst = false;
}

addEventListener("unhandledrejection", ({ reason }) => console.error(reason));
for (const name of ["online", "offline"]) addEventListener(name, () => document.body.classList.toggle("offline", !navigator.onLine));
document.body.classList.toggle("offline", !navigator.onLine);

whenStale(proveAnew);
await loadUser().catch(() => {});
onMove(show);
// Signing out, or a log-in that ended, draws the view again for nobody; signing in is followed by a move of its own.
watch((user) => (user ? drawHead() : show()));
drawFoot();
await show();
