import { type AiCallRecord, createIdentifier, digestOf, type Json, toJson } from "../core/index.ts";
import type { AiJournal } from "./journal.ts";
import type { Minimised } from "./minimise.ts";
import { isSimulated, modelIdOf, type ResolvedModel } from "./model-spec.ts";
import type { Prompt } from "./prompt.ts";

/** A request as it is sent and recorded. */
export interface ModelRequest {
  readonly prompt: Prompt;
  readonly maxOutputTokens: number;
  readonly temperature: number;
}

/** Which request of which step is recorded. */
export interface RequestPlace {
  readonly runId: string;
  readonly stepPath: string;
  readonly attempt: number;
  /** The execution that asks. */
  readonly epoch: number;
}

/**
 * Stage 5: writes down what is about to be sent, with its digest. When it resolves, the row is durable; when the process
 * dies during the call, the row stays an intent.
 *
 * @returns the id of the row.
 * @throws RUN_TAKEN_OVER when the run has another execution by now: then nothing is sent.
 */
export async function recordIntent(
  journal: AiJournal,
  call: {
    readonly place: RequestPlace;
    readonly model: ResolvedModel;
    readonly data: Minimised;
    readonly request: ModelRequest;
    readonly now: Date;
  },
): Promise<AiCallRecord["id"]> {
  const { place, model, data, now } = call;
  const request = toRecord(call.request);
  const id = createIdentifier("call", now);
  await journal.begin({
    id,
    ...place,
    modelName: model.name,
    provider: model.spec.provider,
    model: modelIdOf(model.spec),
    simulated: isSimulated(model.spec),
    sentFields: data.sentFields,
    availableFields: data.availableFields,
    request,
    requestDigest: digestOf(request),
    startedAt: now,
  });
  return id;
}

function toRecord({ prompt, ...settings }: ModelRequest): Json {
  return toJson({ ...prompt, ...settings });
}
