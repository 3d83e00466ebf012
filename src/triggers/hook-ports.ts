import type { AnyFlow, ErrorCode, Json, WebhookTrigger } from "../core/index.ts";
import type { ResolveSecret } from "./verifier.ts";

/** A flow and the webhook that starts it. */
export interface Hook {
  readonly flow: Pick<AnyFlow, "name">;
  readonly trigger: WebhookTrigger;
}

/** A delivery that passed every check and is to be committed. */
export interface AcceptedDelivery {
  /** Name of the flow. */
  readonly flow: string;
  readonly path: string;
  /** The same for all attempts of one delivery; unique within the path. Starts with `id:`, `batch:` or `body:`. */
  readonly dedupKey: string;
  /** The sender's own id of the delivery, when it has one. */
  readonly deliveryId: string | null;
  /** As received; it fits the hook's schema. */
  readonly payload: Json;
  /** `sha256:` and the digest of the body, after any content encoding was undone. */
  readonly bodyDigest: string;
  readonly receivedAt: Date;
}

/** A run that came to its end. */
export interface FinishedRun {
  readonly status: string;
  readonly output: Json;
  /** A SluiceError in its JSON form, or null; only `code` and `message` of it are given to the caller. */
  readonly error: Json;
}

/** What the hooks need from the rest of the application. */
export interface HookPorts {
  /** @throws SECRET_MISSING */
  readonly resolveSecret: ResolveSecret;
  /**
   * Commits the event and its run; resolves only after the commit. `duplicate`: the key was accepted before, and `runId`
   * is the first delivery's. A rejection with a SluiceError is answered as such, any other as DATABASE_UNAVAILABLE.
   */
  accept(delivery: AcceptedDelivery): Promise<{ readonly runId: string; readonly duplicate: boolean }>;
  /** Gives the finished run; null when it is not finished in time or the client went away. */
  waitForRun(runId: string, timeoutMs: number, signal: AbortSignal): Promise<FinishedRun | null>;
  /** Counts a refused delivery; nothing else of it is kept. The path of an unknown hook is `(unknown)`. */
  countRefusal(refusal: { readonly path: string; readonly code: ErrorCode }): void;
  now(): Date;
  /** Address under which senders reach this server, such as `https://hooks.example.com`; needed by schemes that sign it. */
  readonly publicUrl: string | null;
}
