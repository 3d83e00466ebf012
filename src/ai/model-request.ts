import { toModelError } from "./failures.ts";
import type { ModelAccess } from "./model-access.ts";
import { isSimulated, type ResolvedModel } from "./model-spec.ts";
import { overWire, type Wire, wiredFetch } from "./provider-wire.ts";
import { type RequestTime, withinTime } from "./request-time.ts";
import { estimateUsage, type TextSizes } from "./usage.ts";

/** What every request to a model takes. */
export interface ModelRequestCall<Answer> {
  readonly model: Pick<ResolvedModel, "name" | "spec">;
  /** The most that it can use. */
  readonly reservation: { readonly inputTokens: number };
  readonly access: ModelAccess;
  /** Fires when the run is cancelled or the process shuts down. */
  readonly stop: AbortSignal;
  readonly now: () => Date;
  /** When the answer is of no use any more. Default: the model's own deadline. The sooner of both counts. */
  readonly deadline?: Date;
  /**
   * Given an answer that came within a minute after the deadline, when its caller had long been told of MODEL_TIMEOUT: for its
   * cost, since it is not used. Must not throw. Default: late answers are not listened for.
   */
  readonly onLate?: ((answer: Answer) => void) | undefined;
}

/** What is at hand while a request is made. */
export interface SendContext {
  /** With a `fetch` that lets one request through. */
  readonly access: ModelAccess;
  readonly time: RequestTime;
  readonly wire: Wire;
  /** To be told what was sent and has come back, for the estimate of what a request used that failed half-way. */
  readonly sizes: TextSizes;
}

const defaultTimeoutMs = 60_000;

/** Makes exactly one request within its time. @throws what `toModelError` makes of its failure. */
export async function sendOnce<Answer>(
  call: ModelRequestCall<Answer>,
  send: (context: SendContext) => Promise<Answer>,
): Promise<Answer> {
  const { model, access, stop, now, onLate } = call;
  return overWire(access.fetch, async (wire) => {
    const context = { access: { ...access, fetch: wiredFetch }, wire, sizes: { sentBytes: 0, receivedBytes: 0 } };
    try {
      return await withinTime({ timeoutMs: timeoutOf(call), stop, onLate }, (time) => send({ ...context, time }));
    } catch (thrown) {
      // An answer that has begun well shows that the model was at work, which is charged.
      const isAtWork = wire.status !== null && wire.status < 300;
      throw toModelError(thrown, {
        model,
        stop,
        inputTokensAtMost: call.reservation.inputTokens,
        answered: wire.status,
        usage: isAtWork && context.sizes.sentBytes > 0 ? estimateUsage(context.sizes) : null,
        now: now(),
      });
    }
  });
}

function timeoutOf({ model: { spec }, deadline, now }: ModelRequestCall<never>): number {
  const timeoutMs = (isSimulated(spec) ? undefined : spec.timeoutMs) ?? defaultTimeoutMs;
  return deadline === undefined ? timeoutMs : Math.max(0, Math.min(timeoutMs, deadline.getTime() - now().getTime()));
}
