import { groupOf, type Rule } from "./rule.ts";

/**
 * E-mail addresses, internationalised ones and those of a URL (`%40`) too.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1 (64 and 255 octets)
 */
export const emailRule: Rule = {
  kind: "EMAIL",
  pattern: /(?<![\p{L}\p{N}_])[\p{L}\p{N}_][\p{L}\p{N}\p{M}._%+'’-]{0,63}(?:@|%40)[\p{L}\p{N}.-]{3,253}/gu,
  accept(candidate) {
    const address = candidate[0].replace(/[.-]{1,9}$/, "");
    return /\.(?:\p{L}{2,63}|xn--[a-z\d-]{2,59})$/iu.test(address) ? [groupOf(candidate, address)] : [];
  },
};
