import { digitRunsAt } from "./digit-groups.ts";
import { type Rule, type Span, textBefore } from "./rule.ts";

let loading: Promise<typeof import("ibantools")> | undefined;

const loadIbanLibrary = () => (loading ??= import("ibantools"));

/**
 * IBANs of every country, in groups or not, upper or lower case: with right check digits, or of the right length where the word IBAN announces one.
 *
 * @see https://www.swift.com/standards/data-standards/iban-international-bank-account-number
 */
export const ibanRule: Rule = {
  kind: "IBAN",
  pattern: /(?<![\p{L}\p{N}_])[A-Z]{2}\d{2}(?=[ -]?[A-Z\d]{2})/giu,
  async accept(candidate, text) {
    const { countrySpecs, validateIBAN, ValidationErrorsIBAN } = await loadIbanLibrary();
    const length = countrySpecs[candidate[0].slice(0, 2).toUpperCase()]?.chars ?? 0;
    const span = spanOfCharacters(text, candidate.index, length);
    if (span === undefined) return [];
    const iban = text.slice(span.start, span.end).replaceAll(/[ -]/g, "").toUpperCase();
    const isAnnounced = /\biban\b[^\d\n]{0,20}$/i.test(textBefore(text, candidate.index, 30));
    // The check digits that some countries have inside the account number besides need not be right.
    const { errorCodes } = validateIBAN(iban);
    const isValid = errorCodes.every((code) => code === ValidationErrorsIBAN.WrongAccountBankBranchChecksum);
    return isAnnounced || isValid ? [span] : [];
  },
};

/** So many letters and digits, with at most one space or hyphen between two of them, and none following directly. */
function spanOfCharacters(text: string, start: number, count: number): Span | undefined {
  let end = start;
  for (let seen = 0; seen < count; seen += 1) {
    if (seen > 0 && /[ -]/.test(text.charAt(end))) end += 1;
    if (!/[A-Za-z\d]/.test(text.charAt(end))) return undefined;
    end += 1;
  }
  return count === 0 || /[A-Za-z\d]/.test(text.charAt(end)) ? undefined : { start, end };
}

/** Where the numbers of the card networks begin. @see https://www.iso.org/standard/70484.html */
const issuer = /^(?:4|5[0-8]|2[2-7]|3[0-9]|6\d)/;
/** How people write them: in one piece, or as printed on the card. */
const layouts = new Set([
  "4-4-4-1",
  "4-4-4-4",
  "4-6-5",
  "4-6-4",
  "4-4-4-4-1",
  "4-4-4-4-2",
  "4-4-4-4-3",
  "4-4-5",
  "6-13",
  "8-8",
  "6-10",
]);

/** Payment card numbers: 13 to 19 digits, a known network, a right check digit (Luhn). */
export const cardRule: Rule = {
  kind: "CARD",
  pattern: /(?<![\p{L}\p{N}_]|\d[ .,-])[2-6]\d{3}(?=[ -]?\d{4})/gu,
  accept(candidate, text) {
    const runs = digitRunsAt(text, candidate.index, /^[ -]/, 19).filter(
      ({ digits, groups, end }) =>
        digits.length >= 13 &&
        issuer.test(digits) &&
        (groups.length === 1 || layouts.has(groups.join("-"))) &&
        !/^[\p{L}_]/u.test(text.slice(end, end + 1)) &&
        passesLuhn(digits),
    );
    const longest = runs.at(-1);
    return longest === undefined ? [] : [{ start: candidate.index, end: longest.end }];
  },
};

function passesLuhn(digits: string): boolean {
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => total + (index % 2 === 1 ? doubled(Number(digit)) : Number(digit)), 0);
  return sum % 10 === 0;
}

function doubled(digit: number): number {
  return digit > 4 ? digit * 2 - 9 : digit * 2;
}
