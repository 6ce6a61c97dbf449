// Countries, currencies and time zones, in the words of the browser. What the API does not know it refuses by itself.

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/** [code, name] of every country that the browser has a name for, by name. */
export function countries() {
  const names = new Intl.DisplayNames(undefined, { type: "region", fallback: "none" });
  const codes = LETTERS.flatMap((one) => LETTERS.map((other) => one + other));
  const named = codes.map((code) => [code, names.of(code)]).filter(([code, name]) => name && names.of(new Intl.Locale(`und-${code}`).region ?? code) === name);
  return named.sort(([, one], [, other]) => one.localeCompare(other));
}

export const currencies = () => Intl.supportedValuesOf("currency");
export const zones = () => ["UTC", ...Intl.supportedValuesOf("timeZone")];
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
/** The country of the browser's language, as a first guess. */
export const ownCountry = () => new Intl.Locale(navigator.language).maximize().region ?? "";
