/** Stands in a {@link ReadableText} for the rest of an escape sequence. Detectors take it for a break between words. */
export const filler = "\0";

const word = /[\p{L}\p{N}\p{M}]/u;
/** Scripts that put no space between words: there any place may be the edge of a name. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** For each UTF-16 code unit: 0 not asked yet, 1 joins, 2 does not. */
const joining = new Uint8Array(0x10000);

/** Whether a UTF-16 code unit belongs to the word that its neighbour belongs to; false for NaN (no neighbour). */
export function joins(code: number): boolean {
  if (Number.isNaN(code)) return false;
  if (joining[code] === 0) {
    const character = String.fromCharCode(code);
    joining[code] = word.test(character) && !unspaced.test(character) ? 1 : 2;
  }
  return joining[code] === 1;
}

/** Lower case of the same length, so that positions stay what they are. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  // Some letters (U+0130) become two; they are left as they are.
  return Array.from({ length: text.length }, (_, index) => foldUnit(text.charAt(index))).join("");
}

function foldUnit(unit: string): string {
  const lower = unit.toLowerCase();
  return lower.length === 1 ? lower : unit;
}
