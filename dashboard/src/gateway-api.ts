import {
  call,
  type CostsView,
  type ErasureView,
  type LedgerPage,
  type LedgerVerdictView,
  type ModelsResumedView,
  type ModelsView,
  type ModelTestsView,
  type SignalView,
  type Json,
} from "./api.ts";

/*
 * The part of the API that only the pages of the AI gateway use, apart from api.ts so that other pages load without it.
 */

/** What costs are told by. */
export type CostKey = "flow" | "model" | "day";

/** A stretch of time, from its start up to its end. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** Which entries of the ledger to list. What is not given limits nothing. */
export interface LedgerFilter {
  /** An e-mail address, a phone number, a name or another number of a person. */
  readonly subject?: string | undefined;
  readonly run?: string | undefined;
  readonly kind?: string | undefined;
}

/** Where the ledger is downloaded from, one entry a line. */
export const ledgerExportPath = "/api/v1/ledger/export";

function query(values: { readonly [name: string]: string | null | undefined }): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

/** Models, costs, the ledger, and answers to runs. Every function rejects with a Problem. */
export const gatewayApi = {
  models: async () => (await call<ModelsView>("GET", "/models")).models,
  /** Calls models once each. Without a name: all of them. */
  testModels: async (name?: string) =>
    (await call<ModelTestsView>("POST", "/models/test", name === undefined ? {} : { name })).results,
  /** Lets calls through again. @param credential of a candidate, or its bucket. */
  resumeModels: (credential: string) => call<ModelsResumedView>("POST", "/models/resume", { credential }),
  costs: (by: CostKey, { from, to }: Period) =>
    call<CostsView>("GET", `/costs${query({ by, from: from.toISOString(), to: to.toISOString() })}`),
  ledger: (filter: LedgerFilter, before: string | null, limit = 50) =>
    call<LedgerPage>("GET", `/ledger${query({ ...filter, before, limit: String(limit) })}`),
  verifyLedger: () => call<LedgerVerdictView>("POST", "/ledger/verify"),
  erase: (subject: string) => call<ErasureView>("POST", "/ledger/erase", { subject }),
  signal: (runId: string, name: string, value: Json) =>
    call<SignalView>("POST", `/runs/${encodeURIComponent(runId)}/signals/${encodeURIComponent(name)}`, { value }),
};
