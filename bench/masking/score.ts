import { type EntityKind, entityKinds } from "../../src/core/index.ts";
import { builtInDetectors, createMasker, knownValuesOf } from "../../src/ai/mask/index.ts";
import type { Label, LabelledText } from "./labelled-texts.ts";

/** How often a kind was there, was masked as what it is, and was claimed. */
export interface Score {
  labels: number;
  found: number;
  claimed: number;
  right: number;
}

/** Something that went wrong, for people. */
export interface Miss {
  readonly kind: EntityKind;
  readonly what: "missed" | "invented";
  readonly value: string;
  readonly around: string;
}

/** Masks each text by itself and compares with its labels. */
export async function scoreTexts(
  texts: readonly LabelledText[],
): Promise<{ scores: ReadonlyMap<EntityKind, Score>; misses: Miss[] }> {
  const scores = new Map<EntityKind, Score>(
    entityKinds.map((kind) => [kind, { labels: 0, found: 0, claimed: 0, right: 0 }]),
  );
  const misses: Miss[] = [];
  for (const { text, labels, payload } of texts) {
    const claims = await claimsOf(text, payload === undefined ? [] : knownValuesOf(payload));
    const note = (what: Miss["what"], { start, end, kind }: Label) =>
      misses.push({ what, kind, value: text.slice(start, end), around: text.slice(Math.max(0, start - 30), end + 30) });
    for (const label of labels) {
      const score = scores.get(label.kind)!;
      score.labels += 1;
      if (
        isCovered(
          text,
          label,
          claims.filter(({ kind }) => kind === label.kind),
        )
      )
        score.found += 1;
      else note("missed", label);
    }
    for (const claim of claims) {
      const score = scores.get(claim.kind)!;
      score.claimed += 1;
      if (labels.some((label) => label.kind === claim.kind && label.start < claim.end && claim.start < label.end))
        score.right += 1;
      else note("invented", claim);
    }
  }
  return { scores, misses };
}

/** What was masked, read from the placeholders in the masked text. */
async function claimsOf(text: string, known: ReturnType<typeof knownValuesOf>): Promise<Label[]> {
  const { texts, originals } = await createMasker({ policy: {}, known, detectors: builtInDetectors() }).mask([text]);
  const claims: Label[] = [];
  let [shift, masked] = [0, texts[0]!];
  for (const match of masked.matchAll(/[A-Z_]+_\d+/g)) {
    const original = originals[match[0]];
    if (original !== undefined) {
      const start = match.index + shift;
      claims.push({ start, end: start + original.length, kind: match[0].replace(/_\d+$/, "") as EntityKind });
      shift += original.length - match[0].length;
    }
  }
  return claims;
}

/** Whether every letter and digit of a label is inside a claim. */
function isCovered(text: string, { start, end }: Label, claims: readonly Label[]): boolean {
  for (let at = start; at < end; at += 1) {
    const isBare =
      /[\p{L}\p{N}]/u.test(text.charAt(at)) && !claims.some((claim) => claim.start <= at && at < claim.end);
    if (isBare) return false;
  }
  return true;
}
