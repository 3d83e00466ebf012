import type { ModelCandidate } from "../ai/index.ts";
import { priceText } from "./money-text.ts";
import { type Span, toned } from "./terminal.ts";
import { durationText, timeText } from "./time-text.ts";

/** What limits count, in words. */
export const limitWords: { readonly [kind in ModelCandidate["gauges"][number]["kind"]]: string } = {
  requests: "requests",
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
};

/** Why a circuit is open, in words. Other reasons are shown as they are. */
const reasonWords: { readonly [reason: string]: string } = {
  quota: "its quota is used up",
  auth: "its key is refused",
  unavailable: "it is not available",
};

/** Whether a model can be asked now: a sign and words, so that it can be told without colour. */
export function stateSpan({ provider, circuit, pausedUntil }: ModelCandidate, now: Date): Span {
  if (provider === "simulated") return toned("notable", "SIMULATED");
  const reason = circuit.reason === null ? "" : `: ${reasonWords[circuit.reason] ?? circuit.reason}`;
  if (circuit.state === "probing") return toned("notable", `◔ being tried again${reason}`);
  if (circuit.state === "open") {
    const until = circuit.until === null ? "" : `, tried again at ${timeText(new Date(circuit.until))}`;
    return toned("bad", `✗ stopped${reason}${until}`);
  }
  const pausedMs = pausedUntil === null ? 0 : new Date(pausedUntil).getTime() - now.getTime();
  return pausedMs > 0 ? toned("notable", `◔ paused for ${durationText(pausedMs)}`) : toned("good", "✓ ready");
}

/** The price of a million tokens: `$0.25 in, $2 out`. */
export function priceWords({ provider, price }: ModelCandidate): string {
  if (provider === "simulated") return "free";
  if (price === null) return "price unknown";
  const source = price.source === "own" ? "own price" : `list of ${price.asOf}`;
  return `${priceText(price.inputUsdPerMillion)} in, ${priceText(price.outputUsdPerMillion)} out (${source})`;
}
