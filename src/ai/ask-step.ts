import {
  type AiFile,
  type JsonObject,
  type MaskPolicy,
  Postponed,
  type Priority,
  type RunScope,
  type SentFields,
  SluiceError,
  type StepAttempt,
} from "../core/index.ts";
import type { EarlierCall } from "../store/index.ts";
import { askCandidates } from "./ask-candidates.ts";
import type { Ladder } from "./ask-text.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { minimise } from "./minimise.ts";
import type { ResolvedModel } from "./model-spec.ts";
import { versionOfPrompt } from "./prompt.ts";
import type { AskingStep } from "./request-once.ts";
import { renewalOf } from "./reserve.ts";
import { route, type RoutingNeeds } from "./route.ts";
import type { Masked, RunMasking } from "./run-masking.ts";

/** What all calls of a gateway share. */
export interface GatewayParts {
  readonly options: GatewayOptions;
  readonly masking: RunMasking;
  /** What tokens a byte made of late, by bucket. */
  readonly tokensPerByte: Map<string, number>;
}

/** What is asked, of whatever kind. */
export interface Asked {
  readonly kind: RoutingNeeds["kind"];
  readonly modelName: string;
  readonly instructions: string;
  readonly fields: SentFields;
  /** Text files. */
  readonly texts: readonly string[];
  readonly files: readonly AiFile[];
  readonly schema: JsonObject | null;
  readonly lane: Priority | undefined;
  readonly dataClasses: readonly string[];
  readonly masking: MaskPolicy | undefined;
}

/** A step with its data minimised and masked: stages 1 and 2 are done. */
export interface Prepared {
  readonly step: AskingStep;
  readonly masked: Masked;
  /** Masks a text that came up later, under the same names. */
  readonly maskLater: (text: string) => Promise<string>;
}

/** What a step remembers between its tries in one process. */
export interface StepMemory {
  /** Whether a request of the step may be on record. */
  asked: boolean;
  /** How far each model has come with the question. */
  readonly ladders: Map<number, Ladder>;
}

/** Runs stages 1 and 2 of a call, and finds what the step has asked before. */
export async function prepare(
  { options, masking, tokensPerByte }: GatewayParts,
  asked: Asked,
  place: { readonly run: RunScope; readonly attempt: StepAttempt; readonly memory: StepMemory },
): Promise<Prepared> {
  const { run, attempt, memory } = place;
  const { flowSettings } = run;
  const journal = options.journalFor(run.workspaceId);
  const data = minimise(asked.fields, run.payload);
  const policy = { ...options.masking, ...flowSettings.masking, ...asked.masking };
  const maskable = { instructions: asked.instructions, fields: data.fields, texts: asked.texts };
  const manner = { policy, isFirst: attempt.epoch === 1 };
  const masked = await masking.mask(run, journal, maskable, manner);
  const mayHaveAsked = memory.asked || attempt.number > 1 || attempt.epoch > 1;
  const earlier: EarlierCall[] = mayHaveAsked ? [...(await journal.ofStep(run.runId, attempt.path))] : [];
  memory.asked = true;
  const step: AskingStep = {
    options,
    run,
    attempt,
    journal,
    lane: asked.lane ?? flowSettings.priority ?? "standard",
    needs: {
      dataClasses: [...(flowSettings.dataClasses ?? []), ...asked.dataClasses],
      regions: flowSettings.regions,
    },
    fields: data.origins.map((origin) => ({ ...origin, masked: masked.maskedByField[origin.name] ?? [] })),
    availableFields: data.availableFields,
    masked,
    subjects: options.subjectIndexes(masked.subjects),
    promptVersion: versionOfPrompt(asked.instructions, asked.schema),
    earlier,
    tokensPerByte,
  };
  const maskLater = async (text: string): Promise<string> =>
    (await masking.mask(run, journal, { instructions: text, fields: {}, texts: [] }, manner)).instructions;
  return { step, masked, maskLater };
}

/** A way to ask: of which models, in which lane. */
interface Plan {
  readonly candidates: readonly ResolvedModel[];
  readonly lane: Priority;
}

/**
 * Stages 3 to 8: asks the models that may be asked, the next one where one cannot answer; and where a budget has no room, goes
 * down the flow's ladder: a cheaper model, the batch lane, a wait for the budget's next day or month.
 *
 * @throws BUDGET_EXCEEDED where the ladder ends; Postponed; else as {@link askCandidates}.
 */
export async function askWithin<T>(
  step: AskingStep,
  asked: Asked,
  ask: (model: ResolvedModel, position: number, lane: Priority) => Promise<T>,
): Promise<T> {
  const plans = plansOf(step, asked);
  try {
    return await askByPlans(step, await plansToFollow(step, plans), ask);
  } catch (thrown) {
    const isFinal = thrown instanceof SluiceError && !thrown.retryable;
    if (isFinal && plans.some(({ lane }) => lane === "batch")) await step.journal.batches.forget(step.attempt.key);
    throw thrown;
  }
}

/** A step with a request in the batch lane waits for that, also where a budget has room again: else it would be asked twice. */
async function plansToFollow(
  { journal, attempt, earlier }: AskingStep,
  plans: readonly Plan[],
): Promise<readonly Plan[]> {
  const inBatch = plans.filter(({ lane }) => lane === "batch");
  const mayWait = inBatch.length > 0 && inBatch.length < plans.length && earlier.length > 0;
  return mayWait && (await journal.batches.has(attempt.key)) ? inBatch : plans;
}

async function askByPlans<T>(
  step: AskingStep,
  plans: readonly Plan[],
  ask: (model: ResolvedModel, position: number, lane: Priority) => Promise<T>,
): Promise<T> {
  let refusal: SluiceError | null = null;
  for (const { candidates, lane } of plans) {
    const choosing = { earlier: step.earlier, now: step.options.now ?? (() => new Date()), random: Math.random };
    try {
      return await askCandidates(candidates, choosing, (model, position) => ask(model, position, lane));
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || thrown.code !== "BUDGET_EXCEEDED") throw thrown;
      refusal = thrown;
    }
  }
  throw waitFor(step, refusal) ?? refusal ?? new SluiceError("INTERNAL", { message: "no plan was left" });
}

function plansOf({ options, run, lane, needs }: AskingStep, asked: Asked): Plan[] {
  const { budget } = run.flowSettings;
  const toCandidates = (name: string): readonly ResolvedModel[] =>
    route(options.models, { name, kind: asked.kind, ...needs });
  const plans: Plan[] = [{ candidates: toCandidates(asked.modelName), lane }];
  for (const rung of budget?.whenSpent ?? []) {
    const last = plans.at(-1);
    if (!last) continue;
    if (rung === "cheaper" && budget?.cheaperModel !== undefined) {
      plans.push({ ...last, candidates: toCandidates(budget.cheaperModel) });
    }
    if (rung === "batch" && lane !== "batch" && asked.kind === "text") plans.push({ ...last, lane: "batch" });
  }
  return plans;
}

/** A wait until the budget has new money, where the flow's ladder has one and the budget is of a day or month. */
function waitFor({ run }: AskingStep, refusal: SluiceError | null): Postponed | null {
  if (!run.flowSettings.budget?.whenSpent?.includes("wait")) return null;
  const { account } = (refusal?.details ?? {}) as { readonly account?: string };
  const renewal = account === undefined ? null : renewalOf(account);
  return renewal && new Postponed(renewal, "budget");
}
