// Who is signed in: tokens in memory, and in sessionStorage so that a reload keeps them. A tab that was duplicated
// holds a copy of the same refresh token; using it twice would look like theft and end the log-in. So one tab at a
// time refreshes (a Web Lock), and tells the others what the old token has become.

import { root } from "./place.js";
import { ApiProblem, Unreachable } from "./problem.js";

const KEY = "imba.session";
const watchers = new Set();
const channel = new BroadcastChannel("imba.session");
let tokens = read();
let user = null;
let refreshing = null;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? null;
  } catch {
    return null;
  }
}

function keep(next) {
  tokens = next;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
}

channel.addEventListener("message", ({ data }) => {
  if (!tokens || data.old !== tokens.refresh) return;
  keep(data.next);
  if (!data.next) become(null);
});

async function form(path, fields) {
  let answer;
  try {
    answer = await fetch(`${root}${path}`, { method: "POST", body: new URLSearchParams(fields) });
  } catch {
    throw new Unreachable();
  }
  const body = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
  if (!answer.ok) throw new ApiProblem(body, { retryAfter: Number(answer.headers.get("retry-after")) || null });
  return body;
}

const kept = (answer) => ({
  access: answer.access_token,
  refresh: answer.refresh_token,
  // Half a minute early: a token that dies under way costs a round trip.
  until: Date.now() + (answer.expires_in - 30) * 1000,
});

function become(next) {
  user = next;
  for (const each of watchers) each(next);
}

/** The account that is signed in, or null. */
export const me = () => user;
export const hasRole = (...names) => Boolean(user && names.some((name) => user.roles.includes(name)));
export const isSignedIn = () => tokens !== null;
/** Be told when somebody signs in or out. */
export const watch = (call) => watchers.add(call);

export async function logIn(email, password) {
  keep(kept(await form("/v1/auth/token", { grant_type: "password", username: email, password })));
  await loadUser();
}

/** The log-in that this browser has just finished at another provider. */
export async function logInByProvider() {
  keep(kept(await form("/v1/auth/providers/token", {})));
  await loadUser();
}

/** The same log-in, with an access token that says that its owner was asked once more. */
export function keepFresh(answer) {
  if (tokens) keep({ ...tokens, ...kept(answer), refresh: tokens.refresh });
}

/** Ends the log-in on the server too. Whatever it answers, this browser forgets. */
export async function logOut() {
  const old = tokens;
  forget();
  if (old) await form("/v1/auth/revocation", { token: old.refresh }).catch(() => {});
}

function forget() {
  if (tokens) channel.postMessage({ old: tokens.refresh, next: null });
  keep(null);
  become(null);
}

/** Load the account behind the tokens: at the start, after log-in, after a change of it. */
export async function loadUser() {
  const access = await accessToken();
  if (!access) return become(null);
  const answer = await fetch(`${root}/v1/users/me`, { headers: { Authorization: `Bearer ${access}` } }).catch(() => null);
  if (answer === null) return undefined;
  if (answer.status === 401) return forget();
  if (answer.ok) become(await answer.json());
  return undefined;
}

/** A token that is good now, null for nobody. Concurrent requests wait for one refresh. stale: one that was refused. */
export async function accessToken({ stale = null } = {}) {
  if (!tokens) return null;
  if (Date.now() < tokens.until && tokens.access !== stale) return tokens.access;
  refreshing ??= refresh(stale).finally(() => {
    refreshing = null;
  });
  await refreshing;
  return tokens?.access ?? null;
}

const alone = (work) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

async function refresh(stale) {
  await alone(async () => {
    // Another tab may have done it while this one waited for the lock.
    if (!tokens || (Date.now() < tokens.until && tokens.access !== stale)) return;
    const old = tokens.refresh;
    try {
      const next = kept(await form("/v1/auth/token", { grant_type: "refresh_token", refresh_token: old }));
      keep(next);
      channel.postMessage({ old, next });
    } catch (problem) {
      // Only a refusal ends the log-in; a lost connection does not.
      if (!(problem instanceof ApiProblem) || problem.status >= 500 || problem.status === 429) throw problem;
      forget();
    }
  });
}
