import type { EntityKind } from "../../core/index.ts";
import { rulesSource } from "./built-in-detectors.ts";
import type { Finding } from "./finding.ts";
import { knownSource } from "./known-finder.ts";
import type { PlaceholderKind } from "./placeholders.ts";
import type { ReadableText } from "./readable-text.ts";

/** A part of a text for which one placeholder will stand. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly kind: PlaceholderKind;
}

/** Kinds that a rule knows for certain by how they are written; such a finding may take in a known value inside it. */
const certain: ReadonlySet<EntityKind> = new Set([
  "EMAIL",
  "PHONE",
  "IBAN",
  "CARD",
  "NI_NUMBER",
  "NHS_NUMBER",
  "SSN",
  "IP",
  "KEY",
]);

/**
 * Chooses between findings that overlap. Known values and certain rules first, the longest first and known ones first of the same
 * length; then other rules; then the rest, the longest first. What a finding loses to another it keeps outside of it, so that
 * nothing that anybody found remains.
 *
 * A piece ends at an escape sequence for a line break or a quotation mark: the originals are then the same in JSON text and in the
 * values of an answer. Private keys alone are kept whole.
 */
export function resolveFindings({ original, escapes }: ReadableText, findings: readonly Finding[]): Piece[] {
  if (findings.length === 0) return [];
  // For each code unit 1 and the place of the finding that has it, or 0.
  const owners = new Uint32Array(original.length);
  const ranked = findings.toSorted(
    (a, b) => rank(a) - rank(b) || b.end - b.start - (a.end - a.start) || order(a) - order(b),
  );
  ranked.forEach(({ start, end }, index) => {
    for (let at = start; at < end; at += 1) if (owners[at] === 0) owners[at] = index + 1;
  });
  for (const { start, end, isLetter } of escapes) {
    const owner = owners[start] ?? 0;
    const isKept = owner !== 0 && (isLetter || ranked[owner - 1]?.kind === "KEY");
    owners.fill(isKept ? owner : 0, start, end);
  }
  return piecesOf(original, owners, ranked);
}

function rank({ kind, source }: Finding): number {
  if (source === knownSource || (source === rulesSource && certain.has(kind))) return 0;
  return source === rulesSource ? 1 : 2;
}

function order({ source }: Finding): number {
  return source === knownSource ? 0 : 1;
}

function piecesOf(text: string, owners: Uint32Array, ranked: readonly Finding[]): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0; start < text.length;) {
    const owner = owners[start] ?? 0;
    let end = start + 1;
    while (end < text.length && owners[end] === owner) end += 1;
    const finding = ranked[owner - 1];
    if (finding !== undefined) {
      const piece = { start, end, kind: finding.kind };
      const isWhole = finding.start === start && finding.end === end;
      const kept = trim(text, piece, isWhole ? space : edge);
      if (kept !== undefined) pieces.push(kept);
    }
    start = end;
  }
  return pieces;
}

const edge = /[^\p{L}\p{N}\p{M}]/u;
const space = /\s/;

/**
 * A piece without the spaces at its edges, and, of what is left of a finding, without the marks; undefined when it holds no letter
 * and no digit.
 */
function trim(text: string, { start, end, kind }: Piece, outside: RegExp): Piece | undefined {
  let [first, last] = [start, end];
  while (first < last && outside.test(text.charAt(first))) first += 1;
  while (last > first && outside.test(text.charAt(last - 1))) last -= 1;
  return /[\p{L}\p{N}]/u.test(text.slice(first, last)) ? { start: first, end: last, kind } : undefined;
}

/** Adds pieces where no other is: `find` is given each part that is still bare, and says where in it something is to be masked. */
export function addToBareParts(
  length: number,
  pieces: readonly Piece[],
  find: (start: number, end: number) => Iterable<Piece>,
): Piece[] {
  const all: Piece[] = [];
  let bare = 0;
  for (const piece of [...pieces, undefined]) {
    const end = piece?.start ?? length;
    if (end > bare) for (const found of find(bare, end)) all.push(found);
    if (piece !== undefined) all.push(piece);
    bare = piece?.end ?? length;
  }
  return all;
}

/**
 * Makes room around the pieces of a text: takes in digits that follow, which would be read as part of the placeholder's number, and
 * the other half of a surrogate pair.
 */
export function widenPieces(text: string, pieces: readonly Piece[]): Piece[] {
  return pieces.map(({ start, end, kind }, index) => {
    const [most, least] = [pieces[index + 1]?.start ?? text.length, pieces[index - 1]?.end ?? 0];
    let [first, last] = [start, end];
    if (first > least && isLow(text.charCodeAt(first)) && isHigh(text.charCodeAt(first - 1))) first -= 1;
    if (last < most && isHigh(text.charCodeAt(last - 1)) && isLow(text.charCodeAt(last))) last += 1;
    while (last < most && /\d/.test(text.charAt(last))) last += 1;
    return { start: first, end: last, kind };
  });
}

const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff;
