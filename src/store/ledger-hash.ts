import { createHash } from "node:crypto";

/** What stands for the hash before the first entry. */
export const hashBeforeFirst = "0".repeat(64);

/** What the hash of an entry covers, each part as Postgres holds it. */
export interface HashedParts {
  readonly workspaceId: string;
  /** The number as text, for one that was tampered with may be too large for a JavaScript number. */
  readonly seq: string;
  /** UTC without a zone and without zeros at the end of the fraction, such as `2026-11-24T09:12:00.12`. */
  readonly at: string;
  readonly kind: string;
  readonly runId: string | null;
  readonly ref: string | null;
  readonly digest: string | null;
  /** The JSON text as it was stored, to the letter. */
  readonly data: string;
  /** Hash of the entry before; {@link hashBeforeFirst} for the first one. */
  readonly previous: string;
}

/**
 * The hash of an entry: SHA-256 over a JSON array of its parts, as 64 hexadecimal digits.
 *
 * It does not ask Postgres, so that a changed function in the database cannot make changed entries look right. Both escape
 * the same characters in strings: quotes, backslashes and control characters below U+0020.
 *
 * @see `ledger_text` in migrations/gateway/ledger.ts, which writes the same text.
 */
export function hashOf(parts: HashedParts): string {
  const { workspaceId, seq, at, kind, runId, ref, digest, data, previous } = parts;
  const facts = [at, kind, runId, ref, digest].map((fact) => JSON.stringify(fact));
  const text = [JSON.stringify(workspaceId), seq, ...facts, data, JSON.stringify(previous)].join(", ");
  return createHash("sha256").update(`[${text}]`).digest("hex");
}
