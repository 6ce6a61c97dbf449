// The way from a draft to a listed home: its steps, and how far each is.

import { all, get } from "../../core/api.js";
import { me } from "../../core/session.js";

const mine = () => me()?.id;

/** What is known of a home by its landlord: the row and its version, photos, and the newest check of each subject. */
export async function load(id) {
  const [home, photos, checks] = await Promise.all([
    get(`/v1/properties/${id}`),
    get("/v1/media", { query: { property_id: id, purpose: "photo", count: "true", limit: 1 } }),
    all("/v1/verification-requests", { query: { landlord_id: mine(), sort: "created_at" } }),
  ]);
  const newest = (test) => checks.findLast(test) ?? null;
  return {
    home: home.data,
    etag: home.etag,
    photos: photos.data.total,
    checks: { identity: newest((each) => each.subject === "identity"), property: newest((each) => each.property_id === id) },
  };
}

const verified = ({ checks }) => [checks.identity, checks.property].every((each) => each?.status === "approved");
const asks = ({ checks }) => [checks.identity, checks.property].some((each) => each?.status === "information_needed");
const waits = ({ checks }) => [checks.identity, checks.property].some((each) => each?.status === "pending");

/** [name, words, state]: "done", "todo", "waits", "asks", or null for what one may leave as it is. */
export function steps(known) {
  const { home, photos } = known;
  const isNightly = home.price_per === "night";
  return [
    ["details", "Details", home.description ? "done" : "todo"],
    ["photos", "Photos", photos > 0 ? "done" : "todo"],
    isNightly && ["terms", "Terms", null],
    isNightly && ["nights", "Nights", null],
    ["visits", "Visits", null],
    home.landlord_id === mine() && ["documents", "Documents", verified(known) ? "done" : asks(known) ? "asks" : waits(known) ? "waits" : "todo"],
    ["publish", "Publish", home.status === "listed" ? "done" : "todo"],
  ].filter(Boolean);
}

export { verified };
