/** Decides how long the stand-in's answers are: half as long as they may be, half of a length drawn by the request. */
import { createHash } from "node:crypto";
import { leastOutputTokens, maxOutputTokens } from "./overspend-plan.ts";

const charactersPerToken = 4;

export function answer(request: { readonly messages: readonly object[] }): { readonly content: string } {
  const drawn = createHash("sha256").update(JSON.stringify(request.messages)).digest();
  const share = drawn.readUInt32BE(1) / 2 ** 32;
  const variable = leastOutputTokens + Math.floor(share * (maxOutputTokens - leastOutputTokens));
  const tokens = drawn.readUInt8() % 2 === 0 ? maxOutputTokens : variable;
  return { content: "SIMULATED ".padEnd(tokens * charactersPerToken, "word ") };
}
