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

/**
 * What a person may say about an effect in doubt.
 * - `done`: it happened; the run goes on with the output given, and it is not performed again.
 * - `not_done`: it did not happen and is not to; the step fails with EFFECT_NOT_DONE, which the flow may handle.
 * - `try_again`: it did not happen; it is performed once more, with the same idempotency key.
 */
export type RulingWord = "done" | "not_done" | "try_again";

/** A person's word about an effect in doubt. */
export interface EffectRuling {
  readonly word: RulingWord;
  /** Id of the user or API key; null on the command line of the machine itself. */
  readonly by: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** The record that one effect leaves. One receipt per idempotency key; a repeat updates it. */
export interface Receipt {
  /** Stable idempotency key: `run id/step path`. */
  readonly key: string;
  readonly runId: string;
  readonly stepPath: string;
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
  /** What a person said about it when it was in doubt; null when nobody had to. */
  readonly ruling: EffectRuling | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}
