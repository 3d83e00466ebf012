import type { Rule } from "./rule.ts";

const longestLocalPart = 64;
const localCharacter = /[\p{L}\p{N}\p{M}._%+'’-]/u;

/**
 * E-mail addresses, internationalised ones and those of a URL (`%40`) too. Begins at the `@`: text without one costs nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1 (64 and 255 octets)
 */
export const emailRule: Rule = {
  kind: "EMAIL",
  pattern: /(?:@|%40)[\p{L}\p{N}.-]{3,253}/gu,
  accept({ index, 0: domain }, text) {
    let start = index;
    while (start > index - longestLocalPart && localCharacter.test(text.charAt(start - 1))) start -= 1;
    start += /^[^\p{L}\p{N}_]*/u.exec(text.slice(start, index))?.[0].length ?? 0;
    const host = domain.replace(/[.-]{1,9}$/, "");
    const isHost = /\.(?:\p{L}{2,63}|xn--[a-z\d-]{2,59})$/iu.test(host);
    return isHost && start < index ? [{ start, end: index + host.length }] : [];
  },
};
