import type { Json } from "./json.ts";
import type { Schema } from "./schema.ts";

/** The fields that leave the company with an AI call. Nothing else of the event or the run is sent. */
export type SentFields = { readonly [field: string]: Json };

/** What every kind of AI call takes. */
export interface AiRequest {
  /** The operator's text: what the model is to do. Trusted; never built from received text. */
  readonly instructions: string;
  /** The only data that the model sees. */
  readonly send: SentFields;
  /** Name of a configured model: `fast`, `smart`, or one of your own. Default: `fast`. */
  readonly model?: string;
  /** Upper limit of the answer's length in tokens. Default: 2,000. */
  readonly maxOutputTokens?: number;
  /** Default: 0, the most repeatable answer that the model gives. */
  readonly temperature?: number;
}

/** A call that answers with data of a schema. */
export interface ObjectRequest<Output> extends AiRequest {
  readonly schema: Schema<Output>;
}

/** A call that answers with one of the given labels. */
export interface ClassifyRequest<Label extends string> extends AiRequest {
  /** Each label with what it stands for, in the operator's words. */
  readonly labels: { readonly [Name in Label]: string };
}

/** The gateway as flows see it. Each call is a durable step of the run: its answer is recorded once. */
export interface Ai {
  /**
   * Asks a model for data of a schema.
   *
   * An answer that does not fit is repaired when it is nearly JSON, then asked for again with the validation error, at most twice.
   *
   * @throws OUTPUT_INVALID when no answer fits; MODEL_* as the provider answers.
   */
  object<Output>(name: string, request: ObjectRequest<Output>): Promise<Output>;
  /** Asks a model for text. @throws MODEL_* as the provider answers; OUTPUT_TRUNCATED when it was cut off. */
  text(name: string, request: AiRequest): Promise<string>;
  /** Asks a model which label fits best. @throws as `object`. */
  classify<Label extends string>(name: string, request: ClassifyRequest<Label>): Promise<Label>;
}

/** What happened to an answer on its way to the flow: accepted as it came, repaired, or asked for again. */
export type AnswerRung = "as_is" | "repaired" | "asked_again";

/** The record of one request to a model. */
export interface AiCallRecord {
  readonly id: string;
  readonly runId: string;
  readonly stepPath: string;
  /** Which request of the step this is, from 1: retries and ask-again rungs count on. */
  readonly attempt: number;
  /** Name in the configuration, such as `fast`. */
  readonly modelName: string;
  readonly provider: string;
  /** The provider's id of the model. */
  readonly model: string;
  /** Whether the answer came from the simulated model. */
  readonly simulated: boolean;
  /** Names of the fields sent, and how many the event had. */
  readonly sentFields: readonly string[];
  readonly availableFields: number;
  /** The messages as they were sent. */
  readonly request: Json;
  /** Digest of `request`; proves what was sent. */
  readonly requestDigest: string;
  readonly response: Json;
  readonly status: "intent" | "succeeded" | "failed";
  readonly rung: AnswerRung | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Whole micro-dollars (1 USD = 1,000,000); null when the price is unknown. */
  readonly costMicroUsd: number | null;
  readonly error: Json;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}
