import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import { type AnyFlow, digestOf, type Json, parseSchema, SluiceError } from "../core/index.ts";
import type { RunRecord, Workspace } from "../store/index.ts";
import { maxBodyBytes, parseJson } from "../triggers/index.ts";
import { exitCodes, tellError, UsageError } from "./failure.ts";
import { type Data, withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { findRun } from "./run-lookup.ts";
import { readError } from "./run-timeline.ts";
import { hasEnded, runMarks, statusSpan } from "./run-words.ts";
import { loadProject } from "./serve.ts";
import { toned } from "./terminal.ts";
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
 * `sluice run`: accepts an event for a flow straight in the database, and waits for the run's end. A running process
 * finds it there within a second.
 *
 * @returns the exit code: 0 when the run succeeded, or nobody waits for it.
 * @throws FLOW_UNKNOWN, BODY_NOT_JSON, BODY_TOO_LARGE, PAYLOAD_INVALID; SHUTTING_DOWN when no process executes runs.
 */
export async function run(context: CommandContext, flowName: string, options: RunOptions): Promise<number> {
  if ((options.payload === undefined) !== (options.sample === undefined) || options.payload === undefined) {
    // Both or none is told below, where the flow's samples are known.
  }
  const { config } = await loadProject(context, options);
  const flow = findFlow(config, flowName);
  return withData(context, options, async (data) => {
    const payload = await readPayload(context, flow, data.workspace, options);
    await refuseWithoutProcess(data);
    const runId = await accept(data.workspace, flow, payload, options.sample !== undefined);
    return options.wait === 0
      ? reportAccepted(context, runId, options)
      : reportEnd(context, await waitForEnd(context, data.workspace, runId, options), options);
  });
}
