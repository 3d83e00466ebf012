import type { Json } from "./json.ts";
import type { Schema } from "./schema.ts";

/**
 * What an action does outside.
 * - `read` changes nothing and may be repeated freely.
 * - `write` changes something that a repeat with the same idempotency key does not double, or that can be undone.
 * - `irreversible` cannot be taken back (a mail sent, money moved) and runs at most once.
 */
export type EffectKind = "read" | "write" | "irreversible";

/**
 * How an action keeps a repeat from doubling its effect.
 * - `key`: the outside system drops a repeat of the same idempotency key.
 * - `lookup`: the action first looks for what it wrote before, and updates it.
 * - `none`: nothing keeps it; a repeat can double. Allowed only for `read`, or where the action says what a double would cost.
 */
export type Idempotency = "key" | "lookup" | "none";

/** One operation of an outside system, as its connector declares it. */
export interface ActionDeclaration<Input, Output> {
  /** Name inside the connector, such as `postMessage`. */
  readonly name: string;
  /** What it does, in one sentence for the dashboard and for agents. */
  readonly description: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  readonly effect: EffectKind;
  readonly idempotency: Idempotency;
}

/**
 * What is known about an effect.
 * - `intent`: recorded before the call; the process may have died since.
 * - `done`: the outside system confirmed it.
 * - `not_done`: the outside system refused it, or it was never sent.
 * - `unknown`: it was sent and no answer came that settles it.
 */
export type ReceiptState = "intent" | "done" | "not_done" | "unknown";

/** The record that one effect leaves. One receipt per idempotency key; a repeat updates it. */
export interface Receipt {
  /** Stable idempotency key: `run id/step sequence`. */
  readonly key: string;
  readonly runId: string;
  readonly stepSequence: number;
  /** Name of the connection, such as `slack`. */
  readonly connection: string;
  /** Connector and action, such as `slack.postMessage`. */
  readonly action: string;
  readonly effect: EffectKind;
  readonly state: ReceiptState;
  /** Digest of the validated input; see {@link digestOf}. */
  readonly requestDigest: string;
  readonly request: Json;
  readonly response: Json;
  /** How often the call was sent. */
  readonly attempts: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}
