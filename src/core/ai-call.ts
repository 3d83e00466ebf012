import type { Json } from "./json.ts";
import type { MaskPolicy } from "./masking.ts";
import type { Priority } from "./flow.ts";
import type { Schema } from "./schema.ts";

/** The fields that leave the company with an AI call. Nothing else of the event or the run is sent. */
export type SentFields = { readonly [field: string]: Json };

/** A file that a model is shown, where it takes files. Text files are masked as all text; what is inside of images and PDFs is not. */
export interface AiFile {
  /** Such as `image/png`, `application/pdf`, `text/plain`. */
  readonly mediaType: string;
  /** The bytes in base64. */
  readonly data: string;
  readonly name?: string;
}

/** What every call of a model for text takes. */
export interface AiRequest {
  /** The operator's text: what the model is to do. Trusted; never built from received text. */
  readonly instructions: string;
  /** The only data that the model sees. */
  readonly send: SentFields;
  /** Default: none. */
  readonly files?: readonly AiFile[];
  /** Name of a configured model: `fast`, `smart`, or one of your own. Default: `fast`. */
  readonly model?: string;
  /** Upper limit of the answer's length in tokens. Default: 2,000. */
  readonly maxOutputTokens?: number;
  /** Default: 0, the most repeatable answer that the model gives. */
  readonly temperature?: number;
  /**
   * Who goes first where models have limits, and at which price: `batch` takes the provider's batch API where there is one, at
   * about half the price and within a day. Default: the priority of the flow.
   */
  readonly lane?: Priority;
  /** Classes of the data in this call, such as `health`, besides those of the flow. Only models that may be sent all of them are asked. */
  readonly dataClasses?: readonly string[];
  /** What happens to personal values of this call, over what the flow says. */
  readonly masking?: MaskPolicy;
  /** Whether the flow is granted the real values behind the placeholders of the answer. Default: true. */
  readonly restore?: boolean;
}

/** A call for text. */
export interface TextRequest extends AiRequest {
  /** Given the answer piece by piece as it comes, real values restored. Not called again on replay, and anew when a try fails. */
  readonly onText?: (text: string) => void;
}

/**
 * A condition of the flow's own on an answer. True: it fits. A text says what does not, for the model, which is asked again.
 *
 * @example
 * const check: Check<{ from: number; to: number }> = ({ from, to }) => from <= to || "from must not be after to";
 */
export type Check<Output> = (answer: Output) => true | string | Promise<true | string>;

/** A call that answers with data of a schema. */
export interface ObjectRequest<Output> extends AiRequest {
  readonly schema: Schema<Output>;
  /** Conditions that the schema cannot say; see also {@link mustAppearIn}. Default: none. */
  readonly check?: Check<Output> | readonly Check<Output>[];
  /** A second model that is asked whether the answer meets the criteria. It sees the same fields, masked. Default: none. */
  readonly judge?: { readonly criteria: string; readonly model?: string };
  /**
   * When no answer of any model fits: `fail` the step, or ask a person for the value (`review`): the run waits, and what the
   * person gives is held against schema and checks as well. Default: `fail`.
   */
  readonly onInvalid?: "fail" | "review";
}

/** A call that answers with one of the given labels. */
export interface ClassifyRequest<Label extends string> extends AiRequest {
  /** Each label with what it stands for, in the operator's words. */
  readonly labels: { readonly [Name in Label]: string };
}

/** A call for vectors. */
export interface EmbedRequest {
  /** Sent and masked as the fields of other calls. */
  readonly texts: readonly string[];
  /** Name of a configured model of kind `embedding`. Default: `embed`. */
  readonly model?: string;
  readonly dataClasses?: readonly string[];
  readonly masking?: MaskPolicy;
}

/** A call that orders documents by how well they answer a query. */
export interface RerankRequest {
  readonly query: string;
  readonly documents: readonly string[];
  /** Most documents to give. Default: all. */
  readonly top?: number;
  /** Name of a configured model of kind `rerank`. Default: `rerank`. */
  readonly model?: string;
  readonly dataClasses?: readonly string[];
  readonly masking?: MaskPolicy;
}

/** A place in the order of {@link Ai.rerank}. */
export interface Ranked {
  /** Index of the document in the request. */
  readonly index: number;
  /** The larger, the better; comparable inside one answer only. */
  readonly score: number;
}

/** The gateway as flows see it. Each call is a durable step of the run: its answer is recorded once. */
export interface Ai {
  /**
   * Asks a model for data of a schema.
   *
   * An answer that does not fit is repaired when it is nearly JSON, then asked for again with what is wrong, at most twice; then
   * the next model of the name is asked; then, with `onInvalid: "review"`, a person.
   *
   * @throws OUTPUT_INVALID when no answer fits; MODEL_NOT_ALLOWED, MASKING_FAILED, MASKING_BLOCKED or BUDGET_EXCEEDED before
   * anything is sent; MODEL_* as the provider answers.
   */
  object<Output>(name: string, request: ObjectRequest<Output>): Promise<Output>;
  /** Asks a model for text. @throws as `object`; OUTPUT_TRUNCATED when it was cut off. */
  text(name: string, request: TextRequest): Promise<string>;
  /** Asks a model which label fits best. @throws as `object`. */
  classify<Label extends string>(name: string, request: ClassifyRequest<Label>): Promise<Label>;
  /** Gives a vector for each text, in order. @throws as `object`. */
  embed(name: string, request: EmbedRequest): Promise<number[][]>;
  /** Orders documents by how well they answer a query, the best first. @throws as `object`. */
  rerank(name: string, request: RerankRequest): Promise<Ranked[]>;
}

/**
 * What happened to an answer on its way to the flow: accepted as it came, repaired, asked for again, taken from another
 * model than the first, or given by a person.
 */
export type AnswerRung = "as_is" | "repaired" | "asked_again" | "fallback" | "review";

/** Where a field that was sent came from. */
export interface SentField {
  readonly name: string;
  /** Paths in the event's payload that hold the same value, such as `company`; empty: made by the flow or an earlier step. */
  readonly sources: readonly string[];
  /** Kinds of personal values in it that were masked. */
  readonly masked: readonly string[];
}

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
  /** Where the model runs, as configured, such as `eu`; null when nothing is said. */
  readonly region: string | null;
  readonly lane: Priority;
  /** Whether the answer came from the simulated model. */
  readonly simulated: boolean;
  /** The fields sent, and how many the event had. */
  readonly sentFields: readonly SentField[];
  readonly availableFields: number;
  /** How many different values of each kind were masked. */
  readonly masked: { readonly [kind: string]: number };
  /** The messages as they were sent, masked. Null when their key was destroyed. */
  readonly request: Json;
  /** Digest of `request`; proves what was sent. */
  readonly requestDigest: string;
  /** The answer as it came. Null when there is none, or its key was destroyed. */
  readonly response: Json;
  readonly status: "intent" | "succeeded" | "failed";
  readonly rung: AnswerRung | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Whole micro-dollars (1 USD = 1,000,000); null when the price is unknown. */
  readonly costMicroUsd: number | null;
  /** Whether usage or cost is an estimate, because the provider did not say. */
  readonly estimated: boolean;
  /** The most that the call could cost, as reserved; null when the price is unknown. */
  readonly reservedMicroUsd: number | null;
  /** How long it waited for limits, budgets or the batch before it was sent. */
  readonly waitedMs: number;
  /** Digest of instructions and schema: the version of the prompt. */
  readonly promptVersion: string;
  readonly error: Json;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}
