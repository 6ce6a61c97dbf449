// Where things stand: the API's root and the address bar. Pages are addresses under /app (History API), so that every
// view can be linked to, opened in a tab and gone back to.

/** What stands before /v1 and /app: empty, unless a proxy mounts the service under a path. */
export const root = document.documentElement.dataset.root ?? "";
export const link = (path) => `${root}/app${path}`;

const listeners = new Set();
export const onMove = (call) => listeners.add(call);

/** The path inside the client, and its query. */
export function here() {
  const path = location.pathname.slice(`${root}/app`.length).replace(/\/$/, "") || "/";
  return { path, query: new URLSearchParams(location.search) };
}

export function go(path, { replace = false } = {}) {
  const address = link(path);
  if (replace) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
  for (const each of listeners) each();
}

/** Change the query without a new view: filters, a chosen tab. */
export function setQuery(query, { push = false } = {}) {
  const text = query.toString();
  const address = `${location.pathname}${text ? `?${text}` : ""}`;
  if (address === location.pathname + location.search) return;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

addEventListener("popstate", () => {
  for (const each of listeners) each();
});

// Plain links, handled here: a new tab, a download or another site stay the browser's.
document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href]");
  if (!anchor || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (anchor.target || anchor.hasAttribute("download") || anchor.origin !== location.origin) return;
  const base = `${root}/app`;
  if (anchor.pathname !== base && !anchor.pathname.startsWith(`${base}/`)) return;
  if (anchor.hash && anchor.pathname === location.pathname) return;
  event.preventDefault();
  go(anchor.pathname.slice(base.length) + anchor.search);
});
