export type {
  Admission,
  AiCallAdmission,
  AiCallIntent,
  EarlierCall,
  LimitKind,
  ModelClaim,
  ModelSettlement,
} from "./ai-calls.ts";
export { rankOfLane } from "./ai-calls.ts";
export { createKeyring } from "./content-keys.ts";
export { engineSchema } from "./content-store.ts";
export { openMasterKey } from "./master-key.ts";
export { isContentLost, openContent } from "./sealed.ts";
export type { AbandonedItem, BatchAnswer, BatchItem, BatchModel, BatchSize, OpenBatch, TakenItem } from "./batches.ts";
export type { ChangeRecord } from "./changes.ts";
export type { CostFigures, CostKey, Period, SentToModel } from "./costs.ts";
export {
  cancelRun,
  type EffectWord,
  findRun,
  isResumable,
  migrateRun,
  notMigratable,
  notResumable,
  questionOf,
  receiptsDoneAnew,
  resumeRun,
  ruleEffect,
  type UnfitStep,
  unfitStepOf,
} from "./decide.ts";
export { receiptsDoneAgain, receiptsInForce, wouldRepeat } from "./done-again.ts";
export type { EffectIntent, ReceiptSummary } from "./effects.ts";
export type { Acceptance, EventRecord, IncomingEvent } from "./events.ts";
export { type GroupPreview, previewGroup } from "./failures.ts";
export type { RefusalCount, SampleRecord } from "./flow-data.ts";
export type { ApiKeyRecord } from "./api-keys.ts";
export type { UserRecord } from "./people.ts";
export type { EmbeddedPhase } from "./embedded/index.ts";
export { openDatabase, type OpenDatabase } from "./open-database.ts";
export type { Pool } from "pg";
export type { LedgerHead } from "./ledger-chain.ts";
export type { LimitGauge, ModelGauge } from "./limits.ts";
export type { LedgerEntry } from "./ledger-rows.ts";
export { subjectIndexes } from "./ledger-subjects.ts";
export type { LedgerVerdict } from "./ledger.ts";
export { createPool, isDatabaseAway } from "./pool.ts";
export { createBatch } from "./batch.ts";
export { type ClaimedRun, type FlowLimits, suspectAfter } from "./dispatch.ts";
export type { RunOutcome } from "./run-changes.ts";
export type { PresentBudget } from "./present-budgets.ts";
export { resumeCircuit } from "./resume-circuit.ts";
export type { FailureGroup, FlowFigures } from "./run-figures.ts";
export type { RunRecord } from "./runs.ts";
export { maxPageSize } from "./scope.ts";
export type { AttemptRecord, StepRecord } from "./steps.ts";
export { openStore, type Store, type Workspace } from "./store.ts";
export type { ProcessRole, Role, RunStatus, StepStatus } from "./tables.ts";
