import type { SandboxCall } from "../../src/sandbox/index.ts";
import type { AiCallRecord } from "../../src/core/index.ts";
import type { RunRecord, StepRecord, Store } from "../../src/store/index.ts";
import type { Acknowledged } from "./leads.ts";

/** All that the checker looks at: what was acknowledged, what the outside systems recorded, and the database. */
export interface Evidence {
  readonly acknowledged: readonly Acknowledged[];
  readonly calls: readonly SandboxCall[];
  readonly runs: ReadonlyMap<string, RunEvidence>;
}

interface RunEvidence {
  readonly run: RunRecord;
  readonly steps: readonly StepRecord[];
  readonly aiCalls: readonly AiCallRecord[];
}

/** Reads the database. Runs that are not there are not in the map. */
export async function collectRuns(store: Store, runIds: Iterable<string>): Promise<Map<string, RunEvidence>> {
  const { runs, steps, aiCalls } = store.workspace("default");
  const found = new Map<string, RunEvidence>();
  for (const id of runIds) {
    const run = await runs.find(id);
    if (run) found.set(id, { run, steps: await steps.ofRun(id), aiCalls: await aiCalls.ofRun(id) });
  }
  return found;
}

/** What does not hold, in words. PROOF.md has the invariants. */
export function findViolations(evidence: Evidence): string[] {
  return [
    ...evidence.acknowledged.flatMap((item) => checkRun(item, evidence)),
    ...evidence.acknowledged.flatMap((item) => checkMessages(item, evidence)),
    ...checkContacts(evidence),
    ...[...evidence.runs.values()].flatMap((run) => checkRecords(run, evidence.calls)),
  ];
}

/** I1: every acknowledged event has a run that is finished, waiting, or visible as failed. Here nothing waits, and nothing may fail. */
function checkRun({ lead, runId }: Acknowledged, { runs }: Evidence): string[] {
  const run = runs.get(runId)?.run;
  if (!run) return [`I1: ${lead.deliveryId} was acknowledged, and its run ${runId} is nowhere`];
  return run.status === "succeeded" ? [] : [`I1: run ${runId} is ${run.status} ${JSON.stringify(run.error)}`];
}

/** I2: one message for a hot lead and none for another; whatever was sent for it carried one key. */
function checkMessages({ lead, runId }: Acknowledged, { calls }: Evidence): string[] {
  const text = `${lead.payload.company}:`;
  const sent = calls.filter(
    (call) => call.path.includes("chat.postMessage") && JSON.stringify(call.body).includes(text),
  );
  const posted = sent.filter((call) => call.effect?.kind === "slack.message.posted");
  const keys = new Set(sent.map((call) => call.idempotencyKey));
  const wanted = lead.isHot ? 1 : 0;
  return [
    ...(posted.length === wanted ? [] : [`I2: ${runId} (${text}) posted ${posted.length} messages, not ${wanted}`]),
    ...(keys.size <= 1 && !keys.has(null)
      ? []
      : [`I2: ${runId} used the keys ${[...keys].join(", ")} for one message`]),
  ];
}

/** I2: one contact for each person, and every lead in it. */
function checkContacts({ acknowledged, calls }: Evidence): string[] {
  const created = Map.groupBy(
    calls.flatMap(({ effect }) => (effect?.kind === "hubspot.contact.created" ? [effect.contact] : [])),
    (contact) => contact.properties["email"],
  );
  const people = new Set(acknowledged.map(({ lead }) => lead.payload.email));
  const wrong = [...people].filter((email) => created.get(email)?.length !== 1);
  return wrong.map((email) => `I2: ${email} has ${created.get(email)?.length ?? 0} contacts`);
}

/** I3: what is recorded as done was not done again: no call outside or to a model came after the record of its step. */
function checkRecords({ run, steps, aiCalls }: RunEvidence, calls: readonly SandboxCall[]): string[] {
  return steps.flatMap(({ sequence, name, finishedAt, status }) => {
    if (status !== "succeeded" || !finishedAt) return [`I3: step ${name} of ${run.id} is ${status}`];
    const outside = calls.filter((call) => call.idempotencyKey === `${run.id}/${sequence}`).map((call) => call.at);
    const asked = aiCalls.filter((call) => call.stepSequence === sequence).map((call) => call.startedAt.toISOString());
    const late = [...outside, ...asked].filter((at) => at > finishedAt.toISOString());
    return late.map(
      (at) => `I3: step ${name} of ${run.id}, recorded at ${finishedAt.toISOString()}, ran again at ${at}`,
    );
  });
}
