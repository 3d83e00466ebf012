import { isDeepStrictEqual } from "node:util";
import { isRecord, type Json } from "../src/core/index.ts";
import type { SandboxCall } from "../src/sandbox/index.ts";
import type { Database } from "./database.ts";
import type { Acknowledged } from "./leads.ts";
import { readSealed } from "./sealed-content.ts";

/** All that the checker looks at: what was acknowledged, what the outside systems recorded, and the database. */
export interface Evidence {
  readonly acknowledged: readonly Acknowledged[];
  readonly calls: readonly SandboxCall[];
  readonly runs: ReadonlyMap<string, RunEvidence>;
}

/** What the tables have of a run. */
export interface RunEvidence {
  readonly run: {
    readonly id: string;
    readonly status: string;
    readonly recoveries: number;
    readonly error: { readonly code?: string; readonly message?: string } | null;
  };
  readonly steps: readonly StepEvidence[];
  readonly aiCalls: readonly { readonly path: string; readonly startedAt: Date }[];
  /** What the engine beneath recorded of the flow's own steps, by their place. */
  readonly operations: ReadonlyMap<string, { readonly name: string; readonly output: unknown }>;
}

interface StepEvidence {
  /** Place of the step in its run, such as `3`, or `3.0.1` for one inside another. */
  readonly path: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly output: unknown;
  readonly attempts: readonly { readonly startedAt: string; readonly error: unknown }[];
  readonly finishedAt: Date | null;
}

/** What is wrong with a run, or between runs. */
export interface Finding {
  /**
   * - `lost`: acknowledged, and its run is nowhere or never ended.
   * - `failed`: its run ended otherwise than well.
   * - `doubled`: an effect happened twice, or a repeat carried another key.
   * - `missing`: an effect that should have happened did not.
   * - `rerun`: a step was done again after its result had been recorded.
   * - `torn`: records that must agree do not.
   */
  readonly kind: "lost" | "failed" | "doubled" | "missing" | "rerun" | "torn";
  /** A sentence that begins with the invariant and names the run. */
  readonly text: string;
}

/** Everything that does not hold, in words. PROOF.md has the invariants. */
export function findViolations(evidence: Evidence): string[] {
  return findAll(evidence).map((finding) => finding.text);
}

/**
 * Everything that does not hold for leads: each of them must have succeeded, with the effects of its flow once each.
 *
 * @param allowed `repeats`: what happened again under its own key counts once, and a call outside may come after the record
 *   of its step. A process that freezes between its last look at its rights and the sending of a call cannot be kept from
 *   sending it when it wakes; see countRepeats. Default: nothing.
 */
export function findAll(evidence: Evidence, allowed: "nothing" | "repeats" = "nothing"): Finding[] {
  const calls = allowed === "repeats" ? withoutRepeats(evidence.calls) : evidence.calls;
  return [
    ...evidence.acknowledged.flatMap((item) => checkRun(item, evidence)),
    ...checkMessages({ ...evidence, calls }),
    ...checkContacts({ ...evidence, calls }),
    ...checkRecords(evidence.runs, allowed === "repeats" ? [] : calls),
  ];
}

/** How many effects happened again, under the key that they had before. */
export function countRepeats({ calls }: Evidence): number {
  return calls.length - withoutRepeats(calls).length;
}

/** Leaves out calls that had an effect of the same kind as an earlier one with their key. */
function withoutRepeats(calls: readonly SandboxCall[]): SandboxCall[] {
  const seen = new Set<string>();
  return calls.filter(({ idempotencyKey, effect }) => {
    if (idempotencyKey === null || effect === null) return true;
    const known = `${idempotencyKey} ${effect.kind}`;
    const isRepeat = seen.has(known);
    seen.add(known);
    return !isRepeat;
  });
}

/** I1: every acknowledged event has a run that is finished, waiting, or visible as failed. Here nothing waits, and nothing may fail. */
function checkRun({ lead, runId }: Acknowledged, { runs }: Evidence): Finding[] {
  const run = runs.get(runId)?.run;
  if (!run) return [{ kind: "lost", text: `I1: ${lead.deliveryId} was acknowledged, and its run ${runId} is nowhere` }];
  if (run.status === "succeeded") return [];
  const ended = ["failed", "cancelled", "in_doubt"].includes(run.status);
  const why = run.error ? ` with ${run.error.code}: ${run.error.message}` : "";
  return [{ kind: ended ? "failed" : "lost", text: `I1: run ${runId} of ${lead.deliveryId} is ${run.status}${why}` }];
}

/** I2: one message for a hot lead and none for another; whatever was sent for it carried one key. */
function checkMessages({ acknowledged, calls }: Evidence): Finding[] {
  const sentOf = Map.groupBy(
    calls.filter((call) => call.path.includes("chat.postMessage")),
    (call) => companyOf(call.body),
  );
  return acknowledged.flatMap(({ lead, runId }): Finding[] => {
    const sent = sentOf.get(lead.payload.company) ?? [];
    const posted = sent.filter((call) => call.effect?.kind === "slack.message.posted").length;
    const keys = new Set(sent.map((call) => call.idempotencyKey));
    const isOneKey = keys.size <= 1 && !keys.has(null);
    return [
      ...countEffects(`the message about ${lead.payload.company} of run ${runId}`, posted, lead.isHot ? 1 : 0),
      ...(isOneKey ? [] : [doubled(`run ${runId} used the keys ${[...keys].join(", ")} for one message`)]),
    ];
  });
}

/** The message of the flow begins with the company and a colon. */
function companyOf(body: Json): string {
  const text = isRecord(body) ? body["text"] : null;
  return typeof text === "string" ? text.slice(0, text.indexOf(":")) : "";
}

/** I2: one contact for each person. */
function checkContacts({ acknowledged, calls }: Evidence): Finding[] {
  const created = Map.groupBy(
    calls.flatMap(({ effect }) => (effect?.kind === "hubspot.contact.created" ? [effect.contact] : [])),
    (contact) => contact.properties["email"],
  );
  const people = new Map(acknowledged.map(({ lead, runId }) => [lead.payload.email, runId]));
  return [...people].flatMap(([email, runId]) =>
    countEffects(`the contact ${email} of run ${runId}`, created.get(email)?.length ?? 0, 1),
  );
}

/** Says when an effect did not happen as often as it should. */
export function countEffects(what: string, happened: number, wanted: number): Finding[] {
  if (happened === wanted) return [];
  const text = `${what} happened ${happened} times, not ${wanted}`;
  return [happened > wanted ? doubled(text) : { kind: "missing", text: `I2: ${text}` }];
}

function doubled(text: string): Finding {
  return { kind: "doubled", text: `I2: ${text}` };
}

/** I3: what is recorded as done was not done again, and the two records of a step agree. Of all flows. */
export function checkRecords(
  runs: ReadonlyMap<string, RunEvidence>,
  calls: readonly Pick<SandboxCall, "idempotencyKey" | "at">[],
): Finding[] {
  const callsOf = Map.groupBy(calls, (call) => call.idempotencyKey?.split("~")[0] ?? "");
  return [...runs.values()].flatMap((run) => [
    ...run.steps.flatMap((step) => checkStep(run, step, callsOf.get(`${run.run.id}/${step.path}`) ?? [])),
    ...checkOperations(run),
  ]);
}

function checkStep(
  { run, aiCalls }: RunEvidence,
  step: StepEvidence,
  calls: readonly Pick<SandboxCall, "at">[],
): Finding[] {
  const { path, name, finishedAt, attempts } = step;
  if (!finishedAt) {
    return run.status === "succeeded"
      ? [{ kind: "torn", text: `I3: step ${path} ${name} of ${run.id} is ${step.status}, and its run has succeeded` }]
      : [];
  }
  const begun = [
    ...calls.map((call) => call.at),
    ...aiCalls.filter((call) => call.path === path).map((call) => call.startedAt.toISOString()),
    ...attempts.map((attempt) => attempt.startedAt),
  ];
  const recordedAt = finishedAt.toISOString();
  const successes = attempts.filter((attempt) => attempt.error === null).length;
  return [
    ...begun
      .filter((at) => at > recordedAt)
      .map((at) => rerun(`step ${path} ${name} of ${run.id}, recorded at ${recordedAt}, ran again at ${at}`)),
    ...(step.status === "succeeded" && successes > 1
      ? [rerun(`step ${path} ${name} of ${run.id} succeeded ${successes} times`)]
      : []),
  ];
}

function rerun(text: string): Finding {
  return { kind: "rerun", text: `I3: ${text}` };
}

/** The engine beneath keeps `{ value }` of a success. Only steps that the flow itself called are operations of its own. */
function checkOperations({ run, steps, operations }: RunEvidence): Finding[] {
  if (run.status !== "succeeded") return [];
  return steps.flatMap(({ path, name, status, output }): Finding[] => {
    const operation = operations.get(path);
    if (path.includes(".") || status !== "succeeded") return [];
    const recorded = (operation?.output as { readonly value?: unknown } | null | undefined)?.value ?? null;
    if (operation?.name === name && isDeepStrictEqual(recorded, output)) return [];
    const beneath = operation ? `${operation.name} with another result` : "nothing";
    return [{ kind: "torn", text: `I3: step ${path} ${name} of ${run.id} is recorded beneath as ${beneath}` }];
  });
}

/** Reads the database by SQL: the application's own way of reading it is under test as well. Runs that are not there are not in the map. */
export async function collectRuns(
  { query }: Database,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, RunEvidence>> {
  const ids = [runIds];
  const runs = await query<RunEvidence["run"] & { readonly contentKey: string | null }>(
    `select run.id, status, recoveries, error, content_key as "contentKey"
     from sluice.runs as run join sluice.events as event on event.id = run.event_id where run.id = any($1)`,
    ids,
  );
  const steps = await query<StepEvidence & { readonly runId: string }>(
    `select run_id as "runId", path, name, kind, status, output, attempts, finished_at as "finishedAt"
     from sluice.steps where run_id = any($1) order by run_id, path`,
    ids,
  );
  const aiCalls = await query<RunEvidence["aiCalls"][number] & { readonly runId: string }>(
    `select run_id as "runId", step_path as path, started_at as "startedAt" from sluice.ai_calls where run_id = any($1)`,
    ids,
  );
  const operations = await query<{
    readonly runId: string;
    readonly path: string;
    name: string;
    output: string | null;
  }>(
    `select workflow_uuid as "runId", function_id::text as path, function_name as name, output
     from sluice_engine.operation_outputs where workflow_uuid = any($1)`,
    ids,
  );
  const stepsOf = Map.groupBy(steps, (step) => step.runId);
  const aiCallsOf = Map.groupBy(aiCalls, (call) => call.runId);
  const operationsOf = Map.groupBy(operations, (operation) => operation.runId);
  const evidence = runs.map(({ contentKey, ...run }): [string, RunEvidence] => {
    const read = (stored: unknown, what: string, path: string): unknown =>
      readSealed(contentKey, stored, `${run.id}/${what}/${path}`);
    const steps = stepsOf
      .get(run.id)
      ?.map((step) => ({ ...step, output: read(step.output, "steps.output", step.path) }));
    const operations = operationsOf
      .get(run.id)
      ?.map(({ path, name, output }) => [path, { name, output: read(parse(output), "engine.outcome", path) }] as const);
    const aiCalls = aiCallsOf.get(run.id) ?? [];
    return [run.id, { run, steps: steps ?? [], aiCalls, operations: new Map(operations) }];
  });
  return new Map(evidence);
}

function parse(text: string | null): unknown {
  return text === null ? null : (JSON.parse(text) as unknown);
}
