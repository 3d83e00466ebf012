import type { CountryCode, PhoneNumber } from "libphonenumber-js";

let loading: Promise<typeof import("libphonenumber-js")> | undefined;

/** Loaded with the first number that looks like a telephone number. One question to it costs some 40 µs, and so would `import` each time. */
const load = () => (loading ??= import("libphonenumber-js"));

/**
 * Countries whose way of writing numbers without a country code is known: English-speaking ones and the larger neighbours in
 * Europe, the most likely first. Not Germany and Austria: their plans take nearly any ten digits after a 0.
 */
const nationalCountries: readonly CountryCode[] = [
  ...(["GB", "US", "FR", "IE", "AU", "ES", "IT", "NL", "BE", "CH", "PL", "IN", "ZA", "NZ"] as const),
];

/** Whether a number with a country code has a length that its country uses. */
export async function isPossiblePhone(number: string): Promise<boolean> {
  const { parsePhoneNumberFromString } = await load();
  return parsePhoneNumberFromString(number)?.isPossible() === true;
}

/** Whether digits without a country code are a number that one of the countries has given out. */
export async function isNationalPhone(digits: string): Promise<boolean> {
  const { parsePhoneNumberFromString } = await load();
  return nationalCountries.some((country) => parsePhoneNumberFromString(digits, country)?.isValid() === true);
}

/** Reads a number with a country code, else as one of the first country that has such a number, or could. */
export async function parsePhone(phone: string): Promise<PhoneNumber | undefined> {
  const { parsePhoneNumberFromString } = await load();
  const text = phone.trim().replace(/^00/, "+");
  if (text.startsWith("+")) return parsePhoneNumberFromString(text);
  // A 0 and ten digits are British: the numbers kept for examples (07700 900123) count as invalid there, and as valid in India.
  const countries = /^\(?0\D{0,3}(?:\d\D{0,3}){10}$/.test(text) ? nationalCountries.slice(0, 1) : nationalCountries;
  let possible: PhoneNumber | undefined;
  for (const country of countries) {
    const number = parsePhoneNumberFromString(text, country);
    if (number?.isValid()) return number;
    if (number?.isPossible()) possible ??= number;
  }
  return possible;
}
