import type { Json } from "sluice";
import { isRecord } from "../../src/core/index.ts";
import type { SandboxCall } from "../../src/sandbox/index.ts";
import type { RunRecord, StepRecord } from "../../src/store/index.ts";
import type { DemoApplication } from "./application.ts";

/** The JSON document. */
export interface Report {
  /** Whether there are no problems. */
  readonly ok: boolean;
  readonly model: string;
  readonly database: string;
  readonly readyMs: number;
  readonly events: readonly EventReport[];
  readonly runs: readonly RunReport[];
  readonly effects: Effects;
  /** Promises that were not kept, in words. */
  readonly problems: readonly string[];
}

/** A delivery that was sent, and its answer. */
export interface EventReport {
  readonly name: string;
  /** HTTP status. */
  readonly status: number;
  readonly runId?: string;
  readonly duplicate?: boolean;
  readonly code?: string;
}

/** A run of this session. */
export interface RunReport {
  readonly id: string;
  readonly flow: string;
  readonly status: RunRecord["status"];
  readonly output: Json;
  /** Error code of a run that did not succeed. */
  readonly code?: string;
  /** From accepted to finished; null for a run that has not ended. */
  readonly durationMs: number | null;
  readonly steps: readonly {
    readonly name: string;
    readonly status: StepRecord["status"];
    readonly attempts: number;
    readonly durationMs: number | null;
  }[];
  /** True for a run that an earlier, killed session left. */
  readonly recovered?: true;
  /** True for a run that another process on the same database executed: its effects are in that one's record. */
  readonly elsewhere?: true;
}

/** What the runs did outside, as the sandbox recorded it. */
export interface Effects {
  readonly slack: readonly SlackEffect[];
  readonly hubspot: readonly HubspotEffect[];
}

/** A message that was posted. */
export interface SlackEffect {
  readonly runId: string;
  readonly channel: string;
  readonly text: string;
  readonly ts: string;
  readonly idempotencyKey: string;
}

/** A contact that was written. Writes of one key to one contact are one effect: a repeat found what the first had made. */
export interface HubspotEffect {
  readonly runId: string;
  /** Of the contact. */
  readonly id: string;
  readonly operation: "created" | "updated";
  readonly email: string;
  readonly properties: { readonly [name: string]: string | null };
  readonly idempotencyKey: string;
}

/** Writes what is in the records of a run. */
export async function reportRun({ app }: DemoApplication, id: string, recovered: boolean): Promise<RunReport | null> {
  const run = await app.workspace.runs.find(id);
  if (run === null) return null;
  const steps = await app.workspace.steps.ofRun(id);
  return {
    id,
    flow: run.flow,
    status: run.status,
    output: run.output,
    ...(isRecord(run.error) && typeof run.error["code"] === "string" && { code: run.error["code"] }),
    durationMs: msBetween(run.queuedAt, run.finishedAt),
    steps: steps.map((step) => ({
      name: step.name,
      status: step.status,
      attempts: step.attempts.length,
      durationMs: msBetween(step.startedAt, step.finishedAt),
    })),
    ...(recovered && { recovered }),
    ...(run.executor !== null && run.executor !== app.engine.executor && { elsewhere: true }),
  };
}

function msBetween(from: Date, to: Date | null): number | null {
  return to && to.getTime() - from.getTime();
}

/** Picks what the given runs did outside from a sandbox's record. */
export function collectEffects(calls: readonly SandboxCall[], runIds: ReadonlySet<string>): Effects {
  const slack: SlackEffect[] = [];
  const hubspot = new Map<string, HubspotEffect>();
  for (const { effect, idempotencyKey } of calls) {
    const runId = idempotencyKey?.split("/")[0] ?? "";
    if (!effect || idempotencyKey === null || !runIds.has(runId)) continue;
    if (effect.kind === "slack.message.posted") {
      const { channelName, text, ts } = effect.message;
      slack.push({ runId, channel: `#${channelName}`, text, ts, idempotencyKey });
    } else if (effect.kind === "hubspot.contact.created" || effect.kind === "hubspot.contact.updated") {
      const { id, properties } = effect.contact;
      const place = `${idempotencyKey} ${id}`;
      const operation =
        hubspot.get(place)?.operation ?? (effect.kind === "hubspot.contact.created" ? "created" : "updated");
      hubspot.set(place, { runId, id, operation, email: properties["email"] ?? "", properties, idempotencyKey });
    }
  }
  return { slack, hubspot: [...hubspot.values()] };
}
