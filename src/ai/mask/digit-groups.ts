/** The beginning of a number: all digits up to the end of one of its groups. */
export interface DigitRun {
  /** Where it ends in the text, exclusive. */
  readonly end: number;
  /** Without separators. */
  readonly digits: string;
  /** Lengths of its groups. */
  readonly groups: readonly number[];
}

/**
 * Reads a number that is written in groups, such as `4111 1111 1111 1111`: every part of it that begins at `start` and ends with
 * a group, the shortest first.
 *
 * @param separator what may stand between two groups, one character or a few; anything else ends the number.
 */
export function digitRunsAt(text: string, start: number, separator: RegExp, mostDigits: number): DigitRun[] {
  const runs: DigitRun[] = [];
  let at = start;
  let digits = "";
  const groups: number[] = [];
  for (;;) {
    let end = at;
    while (isDigit(text.charCodeAt(end)) && end - at <= mostDigits) end += 1;
    digits += text.slice(at, end);
    if (end === at || digits.length > mostDigits) return runs;
    groups.push(end - at);
    runs.push({ end, digits, groups: [...groups] });
    const between = separator.exec(text.slice(end, end + 4))?.[0];
    if (between === undefined) return runs;
    at = end + between.length;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
