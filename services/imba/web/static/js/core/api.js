// Requests to /v1. Every POST carries an Idempotency-Key, so that asking again after a lost answer does nothing twice.

import { root } from "./place.js";
import { ApiProblem, Unreachable } from "./problem.js";
import { accessToken } from "./session.js";

const RETRIES_MS = [400, 1500];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A key for one intention. A form keeps it while it sends the same thing again. */
export const newKey = () => crypto.randomUUID();

export function withQuery(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return text ? `${path}?${text}` : path;
}

/**
 * One request; `{data, etag, status, headers}`. Throws ApiProblem or Unreachable.
 * key: the idempotency key of a POST, made here where not given. match: the ETag that a change starts from.
 */
export async function api(method, path, { query, body, key, match, signal, headers = {} } = {}) {
  const address = root + withQuery(path, query);
  const sent = { Accept: "application/json", ...headers };
  const options = { method, headers: sent, signal };
  if (body instanceof FormData || body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    sent["Content-Type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  if (method === "POST" || method === "PATCH") sent["Idempotency-Key"] = key ?? newKey();
  if (match) sent["If-Match"] = match;
  const answer = await authorised(address, options);
  const text = await answer.text();
  const data = text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) throw new ApiProblem(data ?? { status: answer.status, title: answer.statusText }, { retryAfter: wait(answer) });
  return { data, etag: answer.headers.get("etag"), status: answer.status, headers: answer.headers };
}

const wait = (answer) => Number(answer.headers.get("retry-after")) || null;

const STEP_UP = "/v1/auth/step-up";
let proveAnew = null;

/** call: where a request needs a more recent log-in; true once there is one, and the request is sent again. */
export const whenStale = (call) => {
  proveAnew = call;
};

const isStale = (answer) => answer.headers.get("www-authenticate")?.includes("insufficient_user_authentication");

const isDead = (answer) => answer.status === 401 && answer.headers.get("www-authenticate")?.includes("invalid_token");

async function authorised(address, options) {
  const token = await accessToken();
  if (token) options.headers.Authorization = `Bearer ${token}`;
  const answer = await insistent(address, options);
  if (isStale(answer)) {
    if (address === root + STEP_UP || !(await proveAnew?.())) return answer;
    options.headers.Authorization = `Bearer ${await accessToken()}`;
    return insistent(address, options);
  }
  // A password or code that is wrong is 401 as well: sent again, it would count as two tries.
  if (!token || !isDead(answer)) return answer;
  // The token died early (a key was changed, a clock is off): once more with a new one, or as nobody.
  const next = await accessToken({ stale: token });
  if (!next) return answer;
  options.headers.Authorization = `Bearer ${next}`;
  return insistent(address, options);
}

/** A lost answer is asked for again, twice: reads are safe to repeat, writes carry their key or state the end result. */
async function insistent(address, options) {
  for (const delay of [...RETRIES_MS, null]) {
    try {
      const answer = await fetch(address, options);
      // "Outcome unknown, retry with the same key", or the first try is still at work.
      const isUnsettled = answer.status === 503 || (answer.status === 409 && options.headers["Idempotency-Key"] && (await inFlight(answer)));
      if (!isUnsettled || delay === null) return answer;
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (delay === null || !navigator.onLine) throw new Unreachable();
    }
    await pause(delay);
  }
  throw new Unreachable();
}

async function inFlight(answer) {
  const document = await answer.clone().json().catch(() => ({}));
  return document.code === "idempotency.in_flight";
}

/** What stands behind a path that asks for the caller's token, which no <img> can send. */
export async function blob(path, { signal } = {}) {
  const answer = await authorised(root + path, { method: "GET", signal, headers: { Accept: "image/avif,image/webp,image/*,*/*" } });
  if (!answer.ok) throw new ApiProblem(await answer.json().catch(() => ({ status: answer.status, title: answer.statusText })));
  return answer.blob();
}

export const get = (path, options) => api("GET", path, options);
export const post = (path, body, options) => api("POST", path, { body, ...options });
export const patch = (path, body, options) => api("PATCH", path, { body, ...options });
export const put = (path, body, options) => api("PUT", path, { body, ...options });
export const del = (path, options) => api("DELETE", path, options);

/** Every item of a list, page by page, up to `most`. */
export async function all(path, { query = {}, most = 500 } = {}) {
  const found = [];
  let cursor;
  do {
    const { data } = await get(path, { query: { limit: 100, ...query, cursor } });
    found.push(...data.items);
    cursor = data.next_cursor;
  } while (cursor && found.length < most);
  return found;
}
