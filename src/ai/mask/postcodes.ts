import { groupOf, type Rule, textBefore, wholeOf } from "./rule.ts";

/** The areas of the UK. @see https://www.ons.gov.uk/methodology/geography/ukgeographies/postalgeography */
const areas = new Set(
  (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU GY HA HD " +
    "HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH " +
    "RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
  ).split(" "),
);

/** UK postcodes. In small letters only with the space in the middle. */
export const ukPostcodeRule: Rule = {
  kind: "POSTCODE",
  pattern: /(?<![A-Za-z\d_-])([A-Za-z]{1,2})\d[A-Za-z\d]?( ?)\d[ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2}(?![A-Za-z\d_-])/g,
  accept(candidate) {
    const [written, area = "", space] = candidate;
    const isTyped = space === " " || written === written.toUpperCase();
    return isTyped && areas.has(area.toUpperCase()) ? [wholeOf(candidate)] : [];
  },
};

const states =
  "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]";
/** Without the comma after the town only those that are no words or units: "Order ID 12345", "PR 26546". */
const plainStates = "A[KZR]|C[AT]|DC|FL|GA|I[AL]|K[SY]|M[INOT]|N[CDEHJMVY]|OH|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]";
const afterState = new RegExp(String.raw`(?:\p{L}, ?(?:${states})|(?<![A-Za-z])(?:${plainStates}))\.?,? {1,2}$`, "u");
const announced =
  /(?:\bzip(?: ?code)?|\bpost(?:al)? ?code|\bplz|\bpostleitzahl|\bcode postal|\bcódigo postal|\bcap)\W{0,12}$/iu;

/** US ZIP codes and the five digits of other countries: only after a state, or where a word announces them. */
export const fiveDigitPostcodeRule: Rule = {
  kind: "POSTCODE",
  pattern: /(?<![\p{L}\p{N}_.,-])(\d{5}(?:-\d{4})?)(?![\p{L}\p{N}_]|[.,-]\d)/gu,
  accept(candidate, text) {
    const before = textBefore(text, candidate.index, 30);
    return afterState.test(before) || announced.test(before) ? [groupOf(candidate, candidate[1] ?? "")] : [];
  },
};
