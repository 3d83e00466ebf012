import type { Json, Receipt, SecretReference, ServiceKey } from "../core/index.ts";
import type { EffectIntent } from "../store/index.ts";
import type { Secret } from "./secret.ts";

/** What actions need of the application; it registers this in every run under {@link connectRuntime}. */
export interface ConnectRuntime {
  /** @throws SECRET_MISSING when there is no such secret. */
  resolveSecret(reference: SecretReference): Secret;
  /**
   * What the sandbox or the operator puts in place of a connection's own settings: another base URL, and secrets by the
   * connection's field, such as `token`. A base URL on this machine must also be in `allowedOrigins`.
   */
  override(connection: { readonly name: string; readonly connector: string }): ConnectionOverride | undefined;
  /** Origins that may be reached although they are on this machine or in a private network. */
  readonly allowedOrigins: readonly string[];
  readonly receipts: ReceiptJournal;
}

/** See {@link ConnectRuntime.override}. */
export interface ConnectionOverride {
  readonly baseUrl?: string;
  readonly secrets?: { readonly [field: string]: string };
}

/** Keeps the receipts of effects; see {@link Receipt}. */
export interface ReceiptJournal {
  /**
   * Records that an effect is about to be tried, durable when it resolves: a new receipt, or one more attempt of the receipt
   * with this key, whose `startedAt` stays that of the first.
   *
   * @returns the receipt as it stood before, null for the first attempt. Its states `intent` and `unknown` mean that an earlier
   * attempt may have had its effect.
   */
  begin(intent: EffectIntent): Promise<Receipt | null>;
  /** Records what is known after the attempt. May be called again with the same outcome. */
  settle(key: string, outcome: EffectOutcome): Promise<void>;
}

/** What is recorded after an effect. `response` is the action's output when done, else the error's JSON. */
export interface EffectOutcome {
  readonly state: "done" | "not_done" | "unknown";
  readonly response: Json;
  /** The execution that tried it. */
  readonly epoch: number;
}

/** Where actions find the {@link ConnectRuntime} of their run. */
export const connectRuntime: ServiceKey<ConnectRuntime> = { name: "connect" };
