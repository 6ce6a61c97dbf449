// Words for what the API names by codes.

export const KINDS = { house: "House", apartment: "Apartment", room: "Room", office: "Office", land: "Land" };
export const PRICES = { night: "By the night", month: "By the month", sale: "For sale" };
export const STATUS = {
  draft: "Draft", listed: "Listed", unlisted: "Not listed", archived: "In the archive", pending: "Waiting", confirmed: "Confirmed", rejected: "Declined",
  cancelled: "Cancelled", expired: "Lapsed", completed: "Completed",
};

export const status = (code) => STATUS[code] ?? humanly(code);
/** cancellation_terms -> Cancellation terms */
export const humanly = (code) => {
  const words = String(code).replaceAll(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};
export const count = (number, one, many = `${one}s`) => `${number.toLocaleString()} ${number === 1 ? one : many}`;
export const area = (sqm) => (sqm ? `${Math.round(sqm).toLocaleString()} m²` : "");
/** 1.75 -> 1¾ */
export const quarters = (number) => {
  const whole = Math.floor(number);
  return `${whole || number === 0 || number % 1 === 0 ? whole : ""}${["", "¼", "½", "¾"][Math.round((number % 1) * 4)] ?? ""}`;
};
