import {
  type AiFile,
  createIdentifier,
  digestOf,
  digestOfJson,
  type Json,
  type Priority,
  type SentField,
  toJson,
} from "../core/index.ts";
import type { AiCallIntent } from "../store/index.ts";
import { isSimulated, modelIdOf, type ResolvedModel } from "./model-spec.ts";
import type { Prompt } from "./prompt.ts";

/** A request for text as it is sent. */
export interface ModelRequest {
  readonly prompt: Prompt;
  /** Images and PDFs. */
  readonly files: readonly AiFile[];
  readonly maxOutputTokens: number;
  readonly temperature: number;
}

/** What is to be written down of a request before it leaves. */
export interface Intent {
  readonly place: { readonly runId: string; readonly stepPath: string; readonly attempt: number };
  readonly model: ResolvedModel;
  readonly lane: Priority;
  readonly sentFields: readonly SentField[];
  readonly availableFields: number;
  readonly masked: { readonly [kind: string]: number };
  /** As it is sent. */
  readonly request: Json;
  readonly reservedMicroUsd: number | null;
  readonly waitedMs: number;
  readonly promptVersion: string;
  readonly now: Date;
}

/** Stage 5: what the record and the ledger say of a request before it leaves. The digest proves what was sent. */
export function toIntent(intent: Intent): AiCallIntent {
  const { place, model, now, ...rest } = intent;
  const { spec } = model;
  return {
    id: createIdentifier("call", now),
    ...place,
    ...rest,
    modelName: model.name,
    provider: spec.provider,
    model: modelIdOf(spec),
    region: isSimulated(spec) ? null : (spec.region ?? null),
    simulated: isSimulated(spec),
    requestDigest: digestOfJson(intent.request),
    startedAt: now,
  };
}

/** A request for text as it is recorded: files by their digests. */
export function toRecord({ prompt, files, ...settings }: ModelRequest): Json {
  const attached = files.map(({ data, mediaType, name }) => ({ name, mediaType, digest: digestOf(data) }));
  return toJson({ ...prompt, ...settings, ...(attached.length > 0 && { files: attached }) });
}
