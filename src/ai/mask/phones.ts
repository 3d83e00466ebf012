import { type DigitRun, digitRunsAt } from "./digit-groups.ts";
import { isNhsNumber } from "./nhs-checksum.ts";
import { isNationalPhone, isPossiblePhone } from "./phone-library.ts";
import { type Rule, type Span, textBefore } from "./rule.ts";

const contextWords =
  "tel|telephone|telefon|telefono|teléfono|téléphone|phone|phones|mobile|mob|mobil|móvil|portable|cell|cellphone|handy|call|ring|text|sms|" +
  "whatsapp|fax|reach|dial|hotline|rufnummer|contact number|phone number";
const context = new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${contextWords})(?![\p{L}])[^\d\n]{0,24}$`, "iu");

/** Whether the words before a place announce a telephone number. */
export function hasPhoneContext(text: string, at: number): boolean {
  return context.test(textBefore(text, at, 40));
}

/**
 * Telephone numbers: with a country code anywhere, in national form where the way of writing or the words before say so.
 * A candidate is the beginning of a number; no more than 15 digits after it are read.
 *
 * @see https://www.itu.int/rec/T-REC-E.164 (at most 15 digits)
 */
export const phoneRule: Rule = {
  kind: "PHONE",
  pattern: /(?<![\p{L}\p{N}_]|\d[ .,:/()-])(?:\+ ?\(?|\(\+?)?\d(?=[\d ().\-/\u00a0\u2010-\u2013]{5})/gu,
  async accept(candidate, text) {
    const spans: Span[] = [];
    // A list of numbers with only spaces between them is one chain of candidates.
    for (let start: number | undefined = candidate.index; start !== undefined;) {
      const end: number | undefined = await phoneEndAt(text, start);
      if (end === undefined) break;
      spans.push({ start, end });
      const next: string | undefined = /^[ ,;/|]{1,3}(?=[+(]{0,2}\d)/.exec(text.slice(end, end + 6))?.[0];
      start = next === undefined || spans.length >= 100 ? undefined : end + next.length;
    }
    return spans;
  },
};

const separator = /^[ .\-/()\u00a0\u2010-\u2013]{1,3}/u;
const opening = /^\+? ?\(?\+?/;
const extension = /^,? ?(?:ext\.?|extension|x|durchwahl|poste) ?\d{1,6}(?!\d)/i;

async function phoneEndAt(text: string, start: number): Promise<number | undefined> {
  const prefix = opening.exec(text.slice(start, start + 4))?.[0] ?? "";
  const runs = digitRunsAt(text, start + prefix.length, separator, 15).filter((run) => isEdge(text, run.end));
  const isAnnounced = hasPhoneContext(text, start);
  for (const run of runs.toReversed()) {
    if (await isPhone(run, { prefix, isAnnounced, written: text.slice(start, run.end) })) {
      return run.end + (extension.exec(text.slice(run.end, run.end + 20))?.[0].length ?? 0);
    }
  }
  return undefined;
}

/** No letter follows, and no decimal. */
function isEdge(text: string, end: number): boolean {
  return !/^(?:[\p{L}_]|[.,:]\d)/u.test(text.slice(end, end + 2));
}

interface Writing {
  readonly prefix: string;
  readonly isAnnounced: boolean;
  readonly written: string;
}

async function isPhone(run: DigitRun, { prefix, isAnnounced, written }: Writing): Promise<boolean> {
  const { digits, groups } = run;
  if (digits.length < 7 || isDate(written)) return false;
  const isInternational =
    prefix.includes("+") || (digits.startsWith("00") && (groups.length > 1 || digits.length >= 11));
  if (isInternational) return (await isPossiblePhone(written.replace(/^00/, "+"))) || isAnnounced;
  if (isAnnounced && digits.length >= 7 && groups.length <= 6) return true;
  if (isNorthAmerican(run, prefix)) return true;
  const isNational = digits.startsWith("0") && digits.length >= 9 && digits.length <= 11;
  if (!isNational) return false;
  // Written in groups like a telephone number, or one that a country really has.
  const isGrouped = groups.length >= 2 && groups.length <= 5 && Math.min(...groups) >= 2 && Math.max(...groups) <= 8;
  return isGrouped || (groups.length === 1 && digits.length >= 10 && (await isNationalPhone(digits)));
}

/** `(212) 555-0142`, `212-555-0142`, `1.212.555.0142`; with spaces alone only what is no NHS number. */
function isNorthAmerican({ digits, groups }: DigitRun, prefix: string): boolean {
  const shape = groups.join("-");
  if (shape !== "3-3-4" && shape !== "1-3-3-4" && !(shape === "3-7" && prefix.includes("("))) return false;
  return /^1?[2-9]\d\d[2-9]\d{6}$/.test(digits) && (prefix.includes("(") || !isNhsNumber(digits));
}

/** A date, with or without a time after it, is written in groups as well. */
function isDate(written: string): boolean {
  return /^\(?(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d)(?!\d)/.test(written);
}
