import { AsyncLocalStorage } from "node:async_hooks";
import { SluiceError } from "../core/index.ts";
import type { ModelFetch } from "./model-access.ts";
import type { AnswerHeaders } from "./retry-after.ts";

/** One request as it went over the network, whatever the provider's package makes of it. */
export interface Wire {
  /** Status of the answer; null while there is none. */
  readonly status: number | null;
  /** By lower-case name; empty while there is no answer. */
  readonly headers: AnswerHeaders;
}

interface OpenWire extends Wire {
  readonly fetch: ModelFetch;
  requests: number;
  status: number | null;
  headers: AnswerHeaders;
}

const wires = new AsyncLocalStorage<OpenWire>();

/**
 * Makes one request, for which `work` uses {@link wiredFetch}. Exactly one is let through: a package that wants to ask again, to
 * try once more or to have an answer continued, is refused, since each request has to be admitted and recorded.
 */
export function overWire<T>(fetch: ModelFetch, work: (wire: Wire) => T): T {
  const wire: OpenWire = { fetch, requests: 0, status: null, headers: {} };
  return wires.run(wire, () => work(wire));
}

/**
 * The `fetch` of the request under way. Always the same function, so that what was opened with it serves further requests: opening a
 * model of `openai-compatible` takes longer than asking it.
 */
export const wiredFetch: ModelFetch = async (input, init) => {
  const wire = wires.getStore();
  if (wire === undefined) throw new SluiceError("INTERNAL", { message: "a model was asked outside of a request" });
  wire.requests += 1;
  if (wire.requests > 1) {
    throw new SluiceError("MODEL_UNAVAILABLE", {
      message: "the provider's package wanted to send a second request for one call",
      hint: "Ask for a shorter answer, so that it need not be continued.",
    });
  }
  const response = await wire.fetch(input, init);
  wire.status = response.status;
  wire.headers = Object.fromEntries(response.headers);
  return response;
};
