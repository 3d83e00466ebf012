import { type Rule, type Span, textBefore, wholeOf } from "./rule.ts";

const forms =
  String.raw`Ltd|Limited|LTD|Inc|INC|Incorporated|LLC|LLP|PLC|plc|Corp|Corporation|GmbH(?: & Co\.? KG)?|AG|KG|OHG|UG|SE|S\.A\.S?|SAS|SARL|S\.r\.l|S\.p\.A|SpA|Srl|` +
  String.raw`B\.V|BV|N\.V|NV|Oyj?|AB|ASA?|ApS|A/S|Kft|s\.r\.o|Sp\. z o\.o|d\.o\.o|Pty(?:\.? Ltd)?|Pvt(?:\.? Ltd)?|Co`;
const word = String.raw`[\p{Lu}\d][\p{L}\p{M}\p{N}&'’.-]{0,30}`;
const nameBefore = new RegExp(
  String.raw`(?<![\p{L}\p{N}.-])\p{Lu}[\p{L}\p{M}\p{N}&'’.-]{0,30}(?: (?:(?:&|and|und|et|of|y|e|\+) )?${word}){0,4}$`,
  "u",
);

/** Companies that are written with their legal form: `Acme Widgets Ltd`, `Müller & Söhne GmbH`. Begins at the legal form. */
export const companyRule: Rule = {
  kind: "COMPANY",
  pattern: new RegExp(String.raw`(?<=[\p{L}\p{N}),]) (?:${forms})(?![\p{L}\p{N}-]| \d)\.?`, "gu"),
  accept(candidate, text): Span[] {
    const before = textBefore(text, candidate.index, 120).replace(/,$/, "");
    const name = nameBefore.exec(before)?.[0] ?? "";
    const kept = name.slice(lengthOfOpening(name));
    const isHeading = kept === kept.toUpperCase() && / (?:AS|SE|Co)\b/.test(candidate[0]);
    if (kept.length < 3 || isHeading) return [];
    return [
      {
        start: candidate.index - (text.charAt(candidate.index - 1) === "," ? 1 : 0) - kept.length,
        end: wholeOf(candidate).end,
      },
    ];
  },
};

const openings = new Set(
  "the a an at from with for to of and or our your their by via dear contact employer company client customer supplier vendor hi hello kunde firma bei von der die für chez avec pour de con para".split(
    " ",
  ),
);

/** Words before the name that only begin a sentence: "From Acme Ltd". All of "The" in "The Limited", which is no company. */
function lengthOfOpening(name: string): number {
  let offset = 0;
  for (const opening of name.split(" ")) {
    if (!openings.has(opening.toLowerCase())) return offset;
    offset += opening.length + 1;
  }
  return name.length;
}
