// Sending a file in by tus 1.0: in pieces, and after a broken line from where the server stands. XMLHttpRequest, since
// fetch tells nothing of how much has left.

import { api, get } from "./api.js";
import { root } from "./place.js";
import { ApiProblem, Unreachable } from "./problem.js";
import { accessToken } from "./session.js";

const TUS = { "Tus-Resumable": "1.0.0" };
const PIECE_BYTES = 8 * 1024 * 1024;
const RETRIES_MS = [500, 1500, 4000, 8000];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Metadata travels as base64 of UTF-8. */
const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const metadata = (fields) => Object.entries(fields).filter(([, value]) => value).map(([name, value]) => `${name} ${encoded(value)}`).join(",");

/**
 * Send a file; the medium that it became. fields: what stands beside it (purpose, property_id, alt_text).
 * onprogress: told the part that has left, from 0 to 1. Throws ApiProblem, Unreachable, AbortError.
 */
export async function upload(file, fields, { onprogress, signal } = {}) {
  const about = metadata({ ...fields, filename: file.name, filetype: file.type });
  const begun = await api("POST", "/v1/uploads", { headers: { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": about }, signal });
  const path = begun.headers.get("location");
  try {
    await send(file, path, { onprogress, signal });
  } catch (error) {
    // What was begun counts against the quota until it ends; the server forgets it in a day where this is lost as well.
    if (error.name === "AbortError") api("DELETE", path, { headers: TUS }).catch(() => {});
    throw error;
  }
  const { data } = await get(path);
  if (data.status === "refused") throw new ApiProblem({ title: "The file was refused", ...data.failure });
  return (await get(`/v1/media/${data.medium_id}`)).data;
}

async function send(file, path, { onprogress, signal }) {
  let [offset, failures, stale] = [0, 0, null];
  while (offset < file.size) {
    const token = await accessToken({ stale });
    const told = (loaded) => onprogress?.(Math.min(1, (offset + loaded) / file.size));
    const answer = await append(path, file.slice(offset, offset + PIECE_BYTES), offset, { token, told, signal });
    if (answer.status === 204) {
      [offset, failures] = [Number(answer.offset), 0];
      continue;
    }
    const isLost = answer.status === 0 || answer.status >= 500 || answer.status === 401;
    if (answer.status !== 409 && !isLost) throw new ApiProblem(answer.problem);
    if (failures >= RETRIES_MS.length) throw answer.problem ? new ApiProblem(answer.problem) : new Unreachable();
    stale = answer.status === 401 ? token : null;
    await pause(RETRIES_MS[failures++]);
    signal?.throwIfAborted();
    offset = await standing(path).catch(() => offset);
  }
}

/** How many bytes the server has. */
async function standing(path) {
  const { headers } = await api("HEAD", path, { headers: TUS });
  return Number(headers.get("upload-offset"));
}

function append(path, piece, offset, { token, told, signal }) {
  const request = new XMLHttpRequest();
  request.open("PATCH", root + path);
  const headers = { ...TUS, "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream", Authorization: `Bearer ${token}` };
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  const abort = () => request.abort();
  signal?.addEventListener("abort", abort);
  return new Promise((done, fail) => {
    request.upload.onprogress = ({ loaded }) => told(loaded);
    request.onload = () => done({ status: request.status, offset: request.getResponseHeader("upload-offset"), problem: problemOf(request) });
    request.onerror = () => done({ status: 0 });
    request.onabort = () => fail(new DOMException("given up", "AbortError"));
    request.send(piece);
  }).finally(() => signal?.removeEventListener("abort", abort));
}

function problemOf({ status, statusText, responseText }) {
  if (status < 400) return null;
  try {
    return JSON.parse(responseText);
  } catch {
    return { status, title: statusText || "The upload was refused" };
  }
}
