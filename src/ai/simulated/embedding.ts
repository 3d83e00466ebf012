import { createHash } from "node:crypto";
import type { EmbedAnswer } from "../embed.ts";
import { estimateUsage } from "../usage.ts";
import { wordsOf } from "./words.ts";

const dimensions = 256;

/**
 * Vectors of the simulated model: each word of a text adds to a few places that its hash names. Texts that share words are near to
 * each other, and that is all: nothing of their meaning is in it. The same text always has the same vector, of length 1.
 */
export function embedSimulated(texts: readonly string[]): EmbedAnswer {
  const sentBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const usage = { ...estimateUsage({ sentBytes, receivedBytes: 0 }), estimated: false };
  return { vectors: texts.map(toVector), usage, headers: {} };
}

function toVector(text: string): number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const word of ["", ...wordsOf(text)]) {
    const hash = createHash("sha256").update(word).digest();
    for (let place = 0; place < 4; place += 1) {
      const at = hash.readUInt8(place);
      vector[at] = (vector[at] ?? 0) + (hash.readUInt8(place + 4) < 128 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
