import { neverNames } from "./common-words.ts";
import { type Rule, type Span, wholeOf } from "./rule.ts";

const forms =
  String.raw`Ltd|Limited|LTD|Inc|INC|Incorporated|LLC|LLP|PLC|plc|Corp|Corporation|GmbH(?: & Co\.? KG)?|AG|KG|OHG|UG|SE|S\.A\.S?|SAS|SARL|S\.r\.l|S\.p\.A|SpA|Srl|` +
  String.raw`B\.V|BV|N\.V|NV|Oyj?|AB|ASA?|ApS|A/S|Kft|s\.r\.o|Sp\. z o\.o|d\.o\.o|Pty(?:\.? Ltd)?|Pvt(?:\.? Ltd)?|Co`;
const word = String.raw`[\p{Lu}\d][\p{L}\p{M}\p{N}&'’.-]{0,30}`;

/** Companies that are written with their legal form: `Acme Widgets Ltd`, `Müller & Söhne GmbH`. */
export const companyRule: Rule = {
  kind: "COMPANY",
  pattern: new RegExp(
    String.raw`(?<![\p{L}\p{N}.-])\p{Lu}[\p{L}\p{M}\p{N}&'’.-]{0,30}(?: (?:(?:&|and|und|et|of|y|e|\+) )?${word}){0,4},? (?:${forms})(?![\p{L}\p{N}])\.?`,
    "gu",
  ),
  accept(candidate): Span[] {
    const { start, end } = wholeOf(candidate);
    const offset = lengthOfOpening(candidate[0]);
    // Only an opening before the legal form: "The Limited".
    return candidate[0].slice(offset).includes(" ") ? [{ start: start + offset, end }] : [];
  },
};

/** Words before the name that only begin a sentence: "From Acme Ltd". */
function lengthOfOpening(text: string): number {
  let offset = 0;
  for (let space = text.indexOf(" "); space > 0; space = text.indexOf(" ", offset)) {
    if (!neverNames.has(text.slice(offset, space).toLowerCase())) return offset;
    offset = space + 1;
  }
  return offset;
}
