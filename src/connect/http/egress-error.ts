import { isRecord, SluiceError } from "../../core/index.ts";

/** One call of guarded fetch, from its start to the end of the answer's body. */
export interface Exchange {
  /** Host of the present hop; for messages. */
  host: string;
  /** Whether any hop's request was handed to an open socket. */
  sent: boolean;
  /** The caller's own signal. */
  readonly caller: AbortSignal | null;
  /** Fires when a deadline passed; its reason says which. */
  readonly deadline: AbortSignal;
  /** Fires with either. */
  readonly signal: AbortSignal;
  /** Ends the wait for the first byte. */
  readonly answered: () => void;
  /** Stops the clocks. */
  readonly end: () => void;
}

/** Failures of TLS that trying again does not cure. */
const certificateProblem = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/**
 * Gives the error that the caller of guarded fetch sees: the reason of the caller's own abort as it is, else a SluiceError with
 * `details.sent`.
 */
export function toEgressError(thrown: unknown, exchange: Exchange): Error {
  if (exchange.caller?.aborted === true) return exchange.caller.reason as Error;
  const sent = exchange.sent ? "maybe" : "no";
  if (exchange.deadline.aborted) {
    const { message } = exchange.deadline.reason as Error;
    return new SluiceError("EGRESS_TIMEOUT", { message: `request to ${exchange.host}: ${message}`, details: { sent } });
  }
  const chain = causesOf(thrown);
  const ours = chain.find((error) => error instanceof SluiceError);
  if (ours) return new SluiceError(ours.code, { ...ours.toJSON(), cause: ours.cause, details: { sent } });
  const code = chain
    .map((error) => (error as NodeJS.ErrnoException).code)
    .findLast((value) => typeof value === "string");
  return new SluiceError("EGRESS_FAILED", {
    message: `request to ${exchange.host} failed: ${code ?? "network error"}`,
    retryable: code === undefined || !certificateProblem.test(code),
    details: { sent, ...(code !== undefined && { code }) },
    cause: thrown,
  });
}

/**
 * Whether a failed request certainly had no effect outside, because it never left this machine.
 */
export function wasNeverSent(error: SluiceError): boolean {
  return isRecord(error.details) && error.details["sent"] === "no";
}

function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 10; error = error.cause) chain.push(error);
  return chain;
}
