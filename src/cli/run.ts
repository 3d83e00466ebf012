import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import { type AnyFlow, digestOf, type Json, parseSchema, queueingOf, SluiceError } from "../core/index.ts";
import { findRun, type RunRecord, type Workspace } from "../store/index.ts";
import { exitCodes, tellError } from "./failure.ts";
import { type Data, withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { readPayload } from "./run-payload.ts";
import { readError } from "./run-timeline.ts";
import { hasEnded, runMarks, statusSpan } from "./run-words.ts";
import { loadProject } from "./serve.ts";
import { listenForStop } from "./stop-request.ts";
import { toVisibleJson, toned } from "./terminal.ts";
import { durationText } from "./time-text.ts";

/** What `sluice run` takes. */
export interface RunOptions extends CommonOptions {
  /** A file, or `-` for standard input. */
  readonly payload?: string;
  readonly sample?: string;
  /** Seconds. 0: does not wait. */
  readonly wait: number;
}

const pollMs = 200;

/**
 * `sluice run`: accepts an event for a flow straight in the database, tells the running processes, and waits for the run's
 * end.
 *
 * @returns the exit code: 0 when the run succeeded, or nobody waits for it.
 * @throws FLOW_UNKNOWN, BODY_NOT_JSON, BODY_TOO_LARGE, PAYLOAD_INVALID; SHUTTING_DOWN when no process executes runs.
 */
export async function run(context: CommandContext, flowName: string, options: RunOptions): Promise<number> {
  const { config } = await loadProject(context, options);
  const flow = findFlow(config, flowName);
  return withData(context, options, async (data) => {
    const payload = await readPayload(context, flow, data.workspace, options);
    const sandbox = await isForSandbox(data);
    const runId = await accept(data.workspace, flow, payload, { sample: options.sample !== undefined, sandbox });
    await data.store.processes.wakeAll(sandbox);
    if (options.wait > 0) return reportEnd(context, await waitForEnd(context, data.workspace, runId, options), options);
    if (options.json) context.terminal.printJson({ runId, status: "queued" });
    else context.terminal.print(`Accepted ${runId}. See how it stands with: sluice runs show ${runId}`);
    return exitCodes.ok;
  });
}

function findFlow({ flows }: Config, name: string): AnyFlow {
  const found = flows.find((flow) => flow.name === name);
  if (found) return found;
  throw new SluiceError("FLOW_UNKNOWN", {
    message: `there is no flow "${name}"`,
    hint: `The configuration has: ${flows.map((flow) => flow.name).join(", ") || "no flows"}`,
  });
}

/** Whether the run is for the sandbox: when only processes with stand-ins could execute it. */
async function isForSandbox({ store }: Data): Promise<boolean> {
  const kinds = await store.processes.livingKinds();
  if (kinds.length > 0) return !kinds.includes("real");
  throw new SluiceError("SHUTTING_DOWN", {
    message: "no process executes runs on this database now; the run would only be queued",
    hint: "Start one in another terminal: sluice dev, with stand-ins of outside systems, or sluice start.",
  });
}

/** Stores the event as a delivery would be. Each is one of its own: nothing is taken for a repeat. */
async function accept(
  workspace: Workspace,
  flow: AnyFlow,
  payload: Json,
  kind: { readonly sample: boolean; readonly sandbox: boolean },
): Promise<string> {
  const { name, trigger } = flow;
  await parseSchema(trigger.payload, payload, {
    code: "PAYLOAD_INVALID",
    what: `the payload for flow ${name}`,
    hint: "Compare these fields with the schema in the flow's trigger.",
  });
  const { runId } = await workspace.events.accept({
    flow: name,
    source: "cli",
    dedupKey: `id:${randomUUID()}`,
    deliveryId: null,
    bodyDigest: digestOf(payload),
    payload,
    ...kind,
    ...queueingOf(flow, payload),
    receivedAt: new Date(),
  });
  return runId;
}

/** The run at its end, or as it stands when the time is over or a person does not want to wait any longer. */
async function waitForEnd(
  { terminal }: CommandContext,
  workspace: Workspace,
  runId: string,
  { wait, json }: RunOptions,
): Promise<RunRecord> {
  const stop = listenForStop();
  if (!json) terminal.tell(`Accepted ${runId}`);
  if (!json && terminal.isWatched) terminal.progress("waiting for its end; Ctrl-C ends the waiting, not the run");
  const deadline = Date.now() + wait * 1000;
  try {
    for (;;) {
      const record = await findRun(workspace, runId);
      if (hasEnded(record) || stop.isRequested || Date.now() >= deadline) return record;
      await Promise.race([delay(pollMs), stop.requested]);
    }
  } finally {
    terminal.progress(null);
    stop.dispose();
  }
}

function reportEnd({ terminal }: CommandContext, record: RunRecord, { json }: RunOptions): number {
  const { id, status, output, error, queuedAt, finishedAt } = record;
  const durationMs = finishedAt && finishedAt.getTime() - queuedAt.getTime();
  if (json) terminal.printJson({ runId: id, status, output, error, durationMs, simulated: record.simulated });
  else tellEnd(terminal, record, durationMs);
  if (!json && status === "succeeded") terminal.print(toVisibleJson(output));
  return status === "succeeded" ? exitCodes.ok : exitCodes.error;
}

function tellEnd(terminal: CommandContext["terminal"], record: RunRecord, durationMs: number | null): void {
  const marks = runMarks(record);
  const took = durationMs === null ? [] : [` in ${durationText(durationMs)}`];
  terminal.tell(statusSpan(record.status), ...took, ...(marks.length > 0 ? ["  ", ...marks] : []));
  if (record.error !== null) tellError(terminal, readError(record.error));
  const more = `sluice runs show ${record.id}`;
  if (!hasEnded(record))
    terminal.tell("It goes on without this command. See how it stands with: ", toned("strong", more));
  else if (record.status !== "succeeded") terminal.tell("See what it did with: ", toned("strong", more));
}
