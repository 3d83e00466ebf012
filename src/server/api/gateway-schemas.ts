import { z } from "zod";
import { AnyJson, priorities, RunView } from "./run-schemas.ts";
import { line, time } from "./schema-parts.ts";
import { QuestionView } from "./question-schemas.ts";

/*
 * The shapes of the AI gateway: models and their limits, costs, the ledger, and the data map. Part of the shapes of the
 * API: see schemas.ts.
 */

/** What a limit counts, over any window of its length. */
export const limitKinds = ["requests", "tokens", "input_tokens", "output_tokens"] as const;
const limitKind = z.enum(limitKinds);

/** How much of a limit is used now. */
export const GaugeView = z.object({
  kind: limitKind,
  limit: z.int(),
  used: z.int(),
  perMs: z.int(),
  /** Whether the provider's headers told it, and not the configuration. */
  learned: z.boolean(),
});

/** A model that a name stands for, with the state of its key. */
export const ModelCandidateView = z.object({
  provider: z.string(),
  model: z.string(),
  /** Where it runs, as configured; null when nothing is said. */
  region: z.string().nullable(),
  kind: z.enum(["text", "embedding", "rerank"]),
  /** Classes of data that may be sent to it. */
  dataClasses: z.array(z.string()),
  /** Null when the price is unknown. */
  price: z
    .object({
      inputUsdPerMillion: z.number(),
      outputUsdPerMillion: z.number(),
      /** From the price list, or from the configuration. */
      source: z.enum(["list", "own"]),
      /** Date of the price list; null for an own price. */
      asOf: z.string().nullable(),
    })
    .nullable(),
  /** Name of the secret by which it is called; null when it takes none. Limits of money and circuits are by credential. */
  credential: z.string().nullable(),
  /** Names credential and model together: what limits are counted by. Null when nothing is counted. */
  bucket: z.string().nullable(),
  gauges: z.array(GaugeView),
  /** Requests under way, over all processes. */
  inFlight: z.int(),
  /** Most requests under way at once; null when there is no limit. */
  concurrency: z.int().nullable(),
  /** Share of every limit that only the interactive lane may use. */
  interactiveShare: z.number(),
  /** Calls that wait for room. */
  waiting: z.int(),
  /** Until when nothing is sent, because the provider asked for it. */
  pausedUntil: time.nullable(),
  circuit: z.object({
    state: z.enum(["closed", "open", "probing"]),
    reason: z.string().nullable(),
    /** When it is tried again by itself; null: when a person resumes it. */
    until: time.nullable(),
  }),
  /** Of the last hour, the newest first. */
  recentRateLimits: z.array(z.object({ at: time, reason: z.string(), retryAfterMs: z.int().nullable() })),
  /** When a limit ends at the present pace; null when none does. */
  forecast: z.object({ kind: limitKind, endsAt: time }).nullable(),
});

/** A name of the configuration with the models that it stands for, in the order in which they are asked. */
export const ModelStatusView = z.object({
  name: z.string(),
  /** Whether the first of them is the simulated model. */
  simulated: z.boolean(),
  /** Why this model was chosen, in a few words. */
  reason: z.string(),
  candidates: z.array(ModelCandidateView),
});

export const ModelsView = z.object({ models: z.array(ModelStatusView) });

/** Without a name all models are tested. */
export const TestModelsRequest = z.object({ name: line(100).optional() });

/** What one small call of a model showed. */
export const ModelTestView = z.object({
  name: z.string(),
  provider: z.string(),
  model: z.string(),
  ok: z.boolean(),
  latencyMs: z.number(),
  /** As the provider's headers told them. */
  limits: z.array(
    z.object({
      kind: limitKind,
      limit: z.int().nullable(),
      remaining: z.int().nullable(),
      resetMs: z.int().nullable(),
    }),
  ),
  /** Null when the price is unknown. */
  costMicroUsd: z.int().nullable(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).nullable(),
});

export const ModelTestsView = z.object({ results: z.array(ModelTestView) });

/** `credential` or bucket whose circuit is open. */
export const ResumeModelsRequest = z.object({ credential: line(200).min(1) });

/** Whether there was an open circuit or a pause. */
export const ModelsResumedView = z.object({ resumed: z.boolean() });

/** What costs are told by. */
export const costKeys = ["flow", "model", "day"] as const;

const costFigures = {
  calls: z.int(),
  failed: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  /** Sum of the known costs. */
  costMicroUsd: z.int(),
  /** Calls whose price is unknown; they are in no sum. */
  unpricedCalls: z.int(),
  /** Calls whose usage or cost is an estimate. */
  estimatedCalls: z.int(),
  /** Runs with such calls. */
  runs: z.int(),
  succeededRuns: z.int(),
  /** All cost over the succeeded runs; null when there are none. */
  costPerSuccessMicroUsd: z.int().nullable(),
};

/** `key`: a flow, a model as `provider/model`, or a day of UTC as `2026-03-09`. */
export const CostRowView = z.object({ key: z.string(), ...costFigures });
export const CostTotalView = z.object(costFigures);

/** How much of a budget is spent or set aside. */
export const BudgetView = z.object({
  /** Such as `flow/lead-routing/2026-03-09`. */
  account: z.string(),
  kind: z.enum(["run", "flow", "key", "all"]),
  /** A day or month of UTC; null for the budget of a run. */
  period: z.string().nullable(),
  limitMicroUsd: z.int(),
  spentMicroUsd: z.int(),
});

export const CostsView = z.object({
  from: time,
  to: time,
  rows: z.array(CostRowView),
  total: CostTotalView,
  /** Those of today and of this month, and of runs that have nothing left; the fullest first, at most 200. */
  budgets: z.array(BudgetView),
});

/** One entry of the ledger. */
export const LedgerEntryView = z.object({
  seq: z.int(),
  at: time,
  /** Such as `model.intended`. */
  kind: z.string(),
  runId: z.string().nullable(),
  /** Id of the AI call, when it is about one. */
  ref: z.string().nullable(),
  digest: z.string().nullable(),
  /** Small facts; nothing personal. */
  data: AnyJson,
  /** SHA-256 over the entry and the hash before it. */
  hash: z.string(),
});

/** The newest first. `next` is the `before` of the next page. */
export const LedgerPage = z.object({ items: z.array(LedgerEntryView), next: z.string().nullable() });

/** What checking the chain of hashes showed. */
export const LedgerVerdictView = z.object({
  ok: z.boolean(),
  entries: z.int(),
  /** First and last entry that were checked; null when there is none. */
  from: z.int().nullable(),
  to: z.int().nullable(),
  /** The first 1,000; `problemsFound` counts all. */
  problems: z.array(z.object({ seq: z.int(), what: z.string() })),
  problemsFound: z.int(),
  /** Where the chain ends: keep these elsewhere, so that an end that was cut off shows. */
  heads: z.array(z.object({ seq: z.int(), hash: z.string(), at: time })),
  /** How many stored requests and responses fit their digests, and how many are there no more; null when none was looked at. */
  content: z.object({ checked: z.int(), gone: z.int() }).nullable(),
});

/** A line of the export: an entry or, at the end, the head that the entries lead to. */
export const LedgerLineView = z.union([
  LedgerEntryView.extend({ previous: z.string() }),
  z.object({ head: z.object({ workspace: z.string(), seq: z.int(), hash: z.string(), at: time }) }),
]);

/** `subject`: an e-mail address, a phone number, or a name. */
export const EraseRequest = z.object({ subject: line(320).trim().min(1) });

/** Of how many runs and calls the content was made unreadable, and the entry that says so. */
export const ErasureView = z.object({ runs: z.int(), calls: z.int(), entry: z.int() });

/** A field that goes to a model. */
export const MappedFieldView = z.object({
  name: z.string(),
  /** Paths in the event that hold it; empty: made by the flow or an earlier step. */
  sources: z.array(z.string()),
  /** Kinds of personal values in it that are masked. */
  masked: z.array(z.string()),
  /** In how many calls it was sent; 0 when it was traced. */
  seen: z.int(),
});

/** What one step of a flow sends to one model. */
export const MappedCallView = z.object({
  step: z.string(),
  /** Name in the configuration, such as `fast`. */
  modelName: z.string(),
  model: z.string(),
  provider: z.string(),
  region: z.string().nullable(),
  lane: z.enum(priorities),
  fields: z.array(MappedFieldView),
  /** Told by the calls that were made, or by running the flow dry on a sample. */
  basis: z.enum(["observed", "traced"]),
  /** How many calls were observed, and when the last one was; 0 and null when it was traced. */
  calls: z.int(),
  lastAt: time.nullable(),
});

/** What a flow sends to models. */
export const MappedFlowView = z.object({
  flow: z.string(),
  /** Where its events come from, such as `webhook leads`. */
  source: z.string(),
  calls: z.array(MappedCallView),
  /** What tracing could not show, in words; null when there is nothing to say. */
  note: z.string().nullable(),
});

export const DataMapView = z.object({ from: time, to: time, flows: z.array(MappedFlowView) });

/** A run that waits for a person, and what it asks. */
export const AskingRunView = z.object({ run: RunView, question: QuestionView });

/** A run that asks several things is there several times. The newest run first. */
export const QuestionPage = z.object({ items: z.array(AskingRunView), next: z.string().nullable() });

export type GaugeView = z.infer<typeof GaugeView>;
export type ModelCandidateView = z.infer<typeof ModelCandidateView>;
export type ModelStatusView = z.infer<typeof ModelStatusView>;
export type ModelsView = z.infer<typeof ModelsView>;
export type ModelTestView = z.infer<typeof ModelTestView>;
export type ModelTestsView = z.infer<typeof ModelTestsView>;
export type ModelsResumedView = z.infer<typeof ModelsResumedView>;
export type CostRowView = z.infer<typeof CostRowView>;
export type CostTotalView = z.infer<typeof CostTotalView>;
export type BudgetView = z.infer<typeof BudgetView>;
export type CostsView = z.infer<typeof CostsView>;
export type LedgerEntryView = z.infer<typeof LedgerEntryView>;
export type LedgerPage = z.infer<typeof LedgerPage>;
export type LedgerVerdictView = z.infer<typeof LedgerVerdictView>;
export type ErasureView = z.infer<typeof ErasureView>;
export type MappedFieldView = z.infer<typeof MappedFieldView>;
export type MappedCallView = z.infer<typeof MappedCallView>;
export type MappedFlowView = z.infer<typeof MappedFlowView>;
export type DataMapView = z.infer<typeof DataMapView>;
export type AskingRunView = z.infer<typeof AskingRunView>;
export type QuestionPage = z.infer<typeof QuestionPage>;
