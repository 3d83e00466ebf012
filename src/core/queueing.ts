import type { AnyFlow, Priority } from "./flow.ts";
import type { Json } from "./json.ts";

/** Priorities as runs keep them: the lowest number goes first. */
const ranks: { readonly [priority in Priority]: number } = { interactive: 0, standard: 1, batch: 2 };

/** Longer keys are cut. */
const longestKey = 500;

/** How a run stands among those that wait for room. */
export interface Queueing {
  /** 0 interactive, 1 standard, 2 batch. */
  readonly priority: number;
  /** Under which key it counts for its flow's limits; null for a flow without limits. */
  readonly concurrencyKey: string | null;
}

/**
 * Tells how a run of a flow for a payload is queued. Where the flow's own key function throws, the run counts with those
 * that have no key, because its event must be accepted all the same.
 */
export function queueingOf(flow: AnyFlow, payload: Json): Queueing {
  return { priority: ranks[flow.priority], concurrencyKey: concurrencyKeyOf(flow, payload) };
}

function concurrencyKeyOf({ concurrency, rate }: AnyFlow, payload: Json): string | null {
  if (!concurrency && !rate) return null;
  try {
    // Flows in JavaScript may give anything.
    const key: unknown = concurrency?.key?.(payload as never) ?? "";
    // A `text` column holds neither NUL nor half a character.
    return String(key).slice(0, longestKey).replaceAll("\0", "").toWellFormed();
  } catch {
    return "";
  }
}
