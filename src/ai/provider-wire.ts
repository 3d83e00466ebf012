import { SluiceError } from "../core/index.ts";
import type { ModelFetch } from "./model-access.ts";
import type { AnswerHeaders } from "./retry-after.ts";

/** One request as it went over the network, whatever the provider's package makes of it. */
export interface Wire {
  /** To be used for the request. */
  readonly fetch: ModelFetch;
  /** Status of the answer; null while there is none. */
  status: number | null;
  /** By lower-case name; empty while there is no answer. */
  headers: AnswerHeaders;
}

/**
 * Lets exactly one request through and keeps what its answer began with. A package that wants to ask again, to try once more or to
 * have an answer continued, is refused: each request has to be admitted and recorded.
 */
export function createWire(fetch: ModelFetch): Wire {
  let requests = 0;
  const wire: Wire = {
    status: null,
    headers: {},
    async fetch(input, init) {
      requests += 1;
      if (requests > 1) {
        throw new SluiceError("MODEL_UNAVAILABLE", {
          message: "the provider's package wanted to send a second request for one call",
          hint: "Ask for a shorter answer, so that it need not be continued.",
        });
      }
      const response = await fetch(input, init);
      wire.status = response.status;
      wire.headers = Object.fromEntries(response.headers);
      return response;
    },
  };
  return wire;
}
