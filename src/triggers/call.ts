import type { CallTrigger, Json, Schema } from "../core/index.ts";

/** What {@link call} takes. */
export interface CallOptions<Payload> {
  /** What a run is started with. */
  readonly payload: Schema<Payload>;
  /** Payloads to test with, by name. Default: none. */
  readonly samples?: { readonly [name: string]: Json };
}

/**
 * Declares that a flow is started by the run API, the command line, or another flow, and by nothing else.
 *
 * @example
 * flow({ name: "enrich", trigger: call({ payload: z.object({ domain: z.string() }) }), run: async ({ domain }) => ... });
 */
export function call<Payload>({ payload, samples = {} }: CallOptions<Payload>): CallTrigger<Payload> {
  return { kind: "call", payload, samples };
}
