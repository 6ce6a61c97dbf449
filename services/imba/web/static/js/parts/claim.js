// Whose a request for verification is at this moment.

import { me } from "../core/session.js";
import { showTime } from "../core/days.js";
import { badge } from "./states.js";

const isHeld = (check) => check.claimed_until !== null && check.claimed_until > new Date().toISOString();
export const isMine = (check) => isHeld(check) && check.claimed_by_id === me()?.id;
export const isAnothers = (check) => isHeld(check) && check.claimed_by_id !== me()?.id;

export function claimBadge(check) {
  if (isMine(check)) return badge("confirmed", `Yours until ${showTime(check.claimed_until)}`);
  if (isAnothers(check)) return badge("pending", "With another reviewer");
  return null;
}
