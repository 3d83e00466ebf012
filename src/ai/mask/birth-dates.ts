import { type Rule, textBefore, wholeOf } from "./rule.ts";

const before = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(?:d\.?o\.?b|date[ _-]?of[ _-]?birth|birth[ _-]?da(?:te|y)|born|geb|geboren|geburts(?:datum|tag)|` +
    String.raw`naissance|née?|nacimiento|nacid[oa]|geboorte(?:datum)?|nascita|nat[oa]|nascimento|data nasc|fecha de nac)(?!\p{L})[^\n;]{0,28}$`,
  "iu",
);
const after =
  /^[ ,]{0,2}(?:\(?(?:dob|d\.o\.b|date of birth|birthday|born)|(?:is|was) (?:my|his|her|their|the) (?:birthday|date of birth|dob|birth ?date))/i;

/** Whether what stands around a date says that somebody was born on it. */
function isOfBirth(text: string, start: number, end: number): boolean {
  return before.test(textBefore(text, start, 50)) || after.test(text.slice(end, end + 40));
}

const accept = (candidate: RegExpExecArray, text: string) => {
  const span = wholeOf(candidate);
  return isOfBirth(text, span.start, span.end) ? [span] : [];
};

/** Dates of birth in figures: `1980-03-12`, `12/03/1980`, `12.3.80`. */
export const birthDateRule: Rule = {
  kind: "DATE_OF_BIRTH",
  pattern: /(?<![\p{L}\p{N}])(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}([-./ ])\d{1,2}\1(?:\d{4}|\d\d))(?!\d|[-./]\d)/gu,
  accept,
};

/** Beginnings of the months' names in English, German, French, Spanish, Italian and Dutch. */
const months =
  "jan|feb|fév|fev|mar|mär|maa|apr|avr|abr|may|mai|maj|mei|mag|jun|jui|giu|jul|lug|aug|aoû|aou|ago|sep|set|oct|okt|ott|nov|dec|dez|déc|dic|ene|gen";

/** Dates of birth with the month in words: `12 March 1980`, `March 12th, 1980`, `12. März 1980`, `12 de marzo de 1980`. */
export const birthDateInWordsRule: Rule = {
  kind: "DATE_OF_BIRTH",
  pattern: new RegExp(
    String.raw`(?<![\p{L}\p{N}])(?:\d{1,2}(?:st|nd|rd|th|er|\.)?[ -](?:of |de )?(?:${months})\p{L}{0,8}\.?,?[ -](?:de |del )?(?:\d{4}|'?\d\d)` +
      String.raw`|(?:${months})\p{L}{0,8}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})(?![\p{L}\p{N}])`,
    "giu",
  ),
  accept,
};
