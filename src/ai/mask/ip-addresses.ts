import { isIPv4, isIPv6 } from "node:net";
import { groupOf, type Rule, textBefore, wholeOf } from "./rule.ts";

/** Four numbers after such a word are a version, not an address. */
const versionWord = /(?:\bv|\bversion|\brelease|\bbuild|\bfirmware|\bver\.?|\bupdate|\bdriver)[ :=]{0,3}v?$/i;

export const ipv4Rule: Rule = {
  kind: "IP",
  pattern: /(?<![\p{L}\p{N}_.-])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\p{L}\p{N}_]|[.-]\d)/gu,
  accept: (candidate, text) =>
    isIPv4(candidate[0]) && !versionWord.test(textBefore(text, candidate.index, 20)) ? [wholeOf(candidate)] : [],
};

/** With at least four hexadecimal digits, one of them a figure, and three colons or `::`: not a time of day, not `std::move`. */
export const ipv6Rule: Rule = {
  kind: "IP",
  pattern: /(?<![\p{L}\p{N}_:.])[\dA-Fa-f]{0,4}:[\dA-Fa-f:]{1,37}(?:\.\d{1,3}\.\d{1,3}\.\d{1,3})?/gu,
  accept(candidate) {
    const address = candidate[0].replace(/(?<!:):$/, "");
    const isLong = address.replaceAll(/[^\dA-Fa-f]/g, "").length >= 4 && /\d/.test(address);
    return isLong && isIPv6(address) ? [groupOf(candidate, address)] : [];
  },
};
