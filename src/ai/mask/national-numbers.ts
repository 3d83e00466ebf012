import { digitRunsAt } from "./digit-groups.ts";
import { isNhsNumber } from "./nhs-checksum.ts";
import { hasPhoneContext } from "./phones.ts";
import { type Rule, textBefore, wholeOf } from "./rule.ts";

/**
 * UK National Insurance numbers.
 *
 * @see https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
 */
export const niNumberRule: Rule = {
  kind: "NI_NUMBER",
  pattern:
    /(?<![A-Z\d])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d\d[ -]?\d\d[ -]?\d\d[ -]?[A-D](?![A-Z\d])/gi,
};

/** NHS numbers: with their usual spaces and a right check digit, or announced by the word. */
export const nhsNumberRule: Rule = {
  kind: "NHS_NUMBER",
  pattern: /(?<![\p{L}\p{N}_]|\d[ .,-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\p{L}\p{N}_])/gu,
  accept(candidate, text) {
    const written = candidate[0];
    const isAnnounced = /\bnhs\b[^\d\n]{0,30}$/i.test(textBefore(text, candidate.index, 40));
    const isTyped = /^\d{3} \d{3} \d{4}$/.test(written) && isNhsNumber(written.replaceAll(" ", ""));
    return isAnnounced || (isTyped && !hasPhoneContext(text, candidate.index)) ? [wholeOf(candidate)] : [];
  },
};

const ssnWords = /\b(?:ssn|social security)\b[^\d\n]{0,30}$/i;

/**
 * US Social Security numbers: with their hyphens, or announced by the words.
 *
 * @see https://www.ssa.gov/employer/stateweb.htm
 */
export const ssnRule: Rule = {
  kind: "SSN",
  pattern: /(?<![\p{L}\p{N}_]|\d[.,-])(?!000|666|9)\d{3}(?=[ -]?\d{2}[ -]?\d{4}(?![\p{L}\p{N}_]|-\d))/gu,
  accept(candidate, text) {
    const run = digitRunsAt(text, candidate.index, /^[ -]/, 9).at(-1);
    if (run?.digits.length !== 9 || /^.{3}00|0000$/.test(run.digits)) return [];
    const written = text.slice(candidate.index, run.end);
    const isTyped = /^\d{3}-\d\d-\d{4}$/.test(written);
    return isTyped || ssnWords.test(textBefore(text, candidate.index, 50))
      ? [{ start: candidate.index, end: run.end }]
      : [];
  },
};
