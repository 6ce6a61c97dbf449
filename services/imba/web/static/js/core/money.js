// Money comes as an integer in minor units beside a code of ISO 4217. Browsers disagree with ISO about the decimals of
// a few currencies (they follow usage), so the exponents that are not 2 stand here.

const EXPONENTS = new Map([
  ...["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"].map((code) => [code, 0]),
  ...["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"].map((code) => [code, 3]),
  ...["CLF", "UYW"].map((code) => [code, 4]),
]);

/** How many decimals the currency has. */
export const exponent = (currency) => EXPONENTS.get(currency) ?? 2;

/** The amount as people write it. short: without decimals where they are all zero. */
export function money(amount, currency, { short = false } = {}) {
  if (amount === null || amount === undefined || !currency) return "";
  const digits = exponent(currency);
  const isWhole = amount % 10 ** digits === 0;
  const shown = short && isWhole ? 0 : digits;
  const options = { style: "currency", currency, minimumFractionDigits: shown, maximumFractionDigits: shown };
  return new Intl.NumberFormat(undefined, options).format(amount / 10 ** digits);
}

/** For a label on the map: 1.2M, 640K, 88. */
export function brief(amount, currency) {
  const options = { style: "currency", currency, notation: "compact", maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(undefined, options).format(amount / 10 ** exponent(currency));
}

/** What a person typed as minor units, by string arithmetic: 0.1 + 0.2 has no place here. null when it is no amount. */
export function toMinor(text, currency) {
  const digits = exponent(currency);
  const found = /^\s*(\d{1,13})(?:[.,](\d*))?\s*$/.exec(text);
  if (!found || (found[2] ?? "").length > digits) return null;
  return Number(found[1] + (found[2] ?? "").padEnd(digits, "0"));
}

/** The same back, for an input. */
export function toMajor(amount, currency) {
  const digits = exponent(currency);
  if (digits === 0) return String(amount);
  const text = String(amount).padStart(digits + 1, "0");
  const cents = text.slice(-digits);
  return /^0+$/.test(cents) ? text.slice(0, -digits) : `${text.slice(0, -digits)}.${cents}`;
}

const PER = { night: "a night", month: "a month", sale: "" };
/** "a night", "a month", or nothing for a sale. */
export const per = (unit) => PER[unit] ?? "";
