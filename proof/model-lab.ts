import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openDatabase, openStore, type Workspace } from "../src/store/index.ts";
import type { Database, Place } from "./database.ts";
import type { Lab } from "./lab.ts";
import { type ModelRequest, toModelRequests } from "./model-record.ts";
import { sealingKey } from "./sealed-content.ts";
import type { ServiceProcess } from "./service-process.ts";

/** A run that an experiment began, and the name under which its requests are found in the providers' record. */
export interface Case {
  readonly name: string;
  readonly runId: string;
}

/** What the tables have of a run and its requests to models. */
export interface CaseEvidence extends Case {
  readonly status: string;
  /** Of a run that failed. */
  readonly code: string | null;
  /** Why steps of it wait. */
  readonly waits: readonly string[];
  /** When it goes on by itself, in milliseconds since 1970; null when it does not wait for a time, or is in memory. */
  readonly wakeAtMs: number | null;
  readonly calls: readonly CallEvidence[];
  /** The requests that the providers saw. */
  readonly requests: readonly ModelRequest[];
}

/** A request as our own record has it, in the order in which a step made them. */
export interface CallEvidence {
  readonly id: string;
  readonly startedAtMs: number;
  /** When its answer was there; null when none was waited for to its end. */
  readonly finishedAtMs: number | null;
  /** Whole micro-dollars; null when it is not known what it cost. */
  readonly costMicroUsd: number | null;
  readonly reservedMicroUsd: number | null;
  readonly estimated: boolean;
  /** Whether the ledger has its intent. */
  readonly isIntended: boolean;
}

/** What is spent of a budget, with what is set aside. */
export interface AccountEvidence {
  readonly account: string;
  readonly limitMicroUsd: number;
  readonly spentMicroUsd: number;
}

/** All that the three experiments with models look at. */
export interface ModelEvidence {
  readonly cases: readonly CaseEvidence[];
  readonly accounts: readonly AccountEvidence[];
  /** Requests of cases that no acknowledged run has. */
  readonly strays: readonly ModelRequest[];
  /** What does not hold in the ledger. */
  readonly ledgerProblems: readonly string[];
}

/** Begins a run by a hook that takes unsigned JSON. @throws Error when it is not accepted. */
export async function begin(
  { publicUrl }: Pick<ServiceProcess, "publicUrl">,
  path: string,
  payload: { readonly case: string; readonly [field: string]: string | number },
): Promise<Case> {
  const response = await fetch(`${publicUrl}/hooks/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(payload),
  });
  const answer = (await response.json()) as { readonly runId?: string };
  if (!response.ok || answer.runId === undefined) {
    throw new Error(`${payload.case} was answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  return { name: payload.case, runId: answer.runId };
}

/** Waits until runs have ended, however; no longer than it is told. */
export async function untilEnded(lab: Lab, runIds: readonly string[], withinMs: number): Promise<void> {
  const text = "select 1 from sluice.runs where id = any($1) and finished_at is null limit 1";
  await lab.withDatabase(async ({ query }) => {
    for (const deadline = Date.now() + withinMs; Date.now() < deadline; await setTimeout(100)) {
      if ((await query(text, [runIds])).length === 0) return;
    }
  });
}

/** Works on the data of a lab's services as they do themselves. */
export async function withWorkspace<T>(
  place: Place,
  use: (workspace: Workspace, store: Awaited<ReturnType<typeof openStore>>) => Promise<T>,
): Promise<T> {
  const database =
    "databaseUrl" in place
      ? { url: place.databaseUrl, close: async () => {} }
      : await openDatabase({ url: undefined, dataFolder: join(place.folder, "postgres"), role: "guest" });
  try {
    const store = await openStore({ url: database.url, key: Buffer.from(sealingKey, "base64"), onError: () => {} });
    try {
      return await use(store.workspace("default"), store);
    } finally {
      await store.close();
    }
  } finally {
    await database.close();
  }
}

/** Reads what the providers' record and the tables have of cases, and has the ledger verified with what it is about. */
export async function collectModels(lab: Lab, cases: readonly Case[]): Promise<ModelEvidence> {
  const requests = toModelRequests(await lab.sandbox.calls());
  const requestsOf = Map.groupBy(requests, ({ caseName }) => caseName);
  const known = new Set(cases.map(({ name }) => name));
  const tables = await lab.withDatabase((database) => readTables(database, cases));
  const { ok, problems } = await withWorkspace(lab.place, ({ ledger }) => ledger.verify({ content: true }));
  return {
    cases: tables.cases.map((one) => ({ ...one, requests: requestsOf.get(one.name) ?? [] })),
    accounts: tables.accounts,
    strays: requests.filter(({ caseName }) => !known.has(caseName)),
    ledgerProblems: ok ? [] : problems.map(({ seq, what }) => `entry ${seq}: ${what}`),
  };
}

interface RunRow {
  readonly id: string;
  readonly status: string;
  readonly code: string | null;
  readonly waits: readonly string[];
  readonly wakeAtMs: number | null;
}

async function readTables(
  { query }: Database,
  cases: readonly Case[],
): Promise<{ readonly cases: Omit<CaseEvidence, "requests">[]; readonly accounts: AccountEvidence[] }> {
  const ids = [cases.map(({ runId }) => runId)];
  const runs = await query<RunRow>(
    `select id, status, error ->> 'code' as code, (extract(epoch from wake_at) * 1000)::float8 as "wakeAtMs",
       array(select wait_reason from sluice.steps where run_id = run.id and status = 'waiting' and wait_reason is not null) as waits
     from sluice.runs as run where id = any($1)`,
    ids,
  );
  const calls = await query<CallEvidence & { readonly runId: string }>(
    `select id, run_id as "runId", (extract(epoch from started_at) * 1000)::float8 as "startedAtMs",
       (extract(epoch from finished_at) * 1000)::float8 as "finishedAtMs", cost_micro_usd::float8 as "costMicroUsd",
       reserved_micro_usd::float8 as "reservedMicroUsd", estimated,
       exists (select from sluice.ledger where kind = 'model.intended' and ref = call.id and run_id = call.run_id) as "isIntended"
     from sluice.ai_calls as call where run_id = any($1) order by started_at, id`,
    ids,
  );
  const accounts = await query<AccountEvidence>(
    `select account, (limit_micro_usd + allowed_micro_usd)::float8 as "limitMicroUsd", spent_micro_usd::float8 as "spentMicroUsd"
     from sluice.budget_accounts order by account`,
  );
  const runOf = new Map(runs.map(({ id, ...run }) => [id, run]));
  const callsOf = Map.groupBy(calls, ({ runId }) => runId);
  const lost = { status: "lost", code: null, waits: [], wakeAtMs: null };
  return {
    cases: cases.map((one) => ({ ...one, ...(runOf.get(one.runId) ?? lost), calls: callsOf.get(one.runId) ?? [] })),
    accounts,
  };
}
