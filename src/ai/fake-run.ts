import {
  type AiCallRecord,
  defaultRetry,
  type Json,
  nextDelayMs,
  type RunScope,
  type StepRequest,
  SluiceError,
  toJson,
  withRunScope,
} from "../core/index.ts";
import type { AiJournal } from "./journal.ts";

/** A step as the fake run kept it. */
export interface FakeStep {
  readonly name: string;
  readonly input: Json;
  /** The errors of the attempts that failed, in order. */
  readonly failures: SluiceError[];
  attempts: number;
}

/** A run for tests of the gateway: steps are tried again at once, records stay in memory. */
export interface FakeRun {
  readonly steps: readonly FakeStep[];
  /** All AI calls, in the order in which they began. */
  readonly calls: readonly AiCallRecord[];
  readonly journal: AiJournal;
  readonly abort: AbortController;
  within<T>(work: () => Promise<T>): Promise<T>;
}

/** What {@link createFakeRun} takes. */
export interface FakeRunOptions {
  /** How often a step is tried at most. Default: as the engine does. */
  readonly maxAttempts?: number;
  readonly availableFields?: number;
}

/** Makes a {@link FakeRun}. For the tests of this room; a flow is tested with `sluice/testing`. */
export function createFakeRun(options: FakeRunOptions = {}): FakeRun {
  const steps: FakeStep[] = [];
  const calls: AiCallRecord[] = [];
  const abort = new AbortController();
  const retry = { ...defaultRetry, maxAttempts: options.maxAttempts ?? defaultRetry.maxAttempts };
  const scope: RunScope = {
    workspaceId: "default",
    runId: "run_test",
    flow: "test",
    availableFields: options.availableFields ?? 0,
    service: () => {
      throw new SluiceError("INTERNAL", { message: "the gateway uses no service" });
    },
    async step<T>(request: StepRequest<T>): Promise<T> {
      const step: FakeStep = { name: request.name, input: request.input ?? null, failures: [], attempts: 0 };
      const sequence = steps.push(step) - 1;
      for (;;) {
        step.attempts += 1;
        const attempt = { number: step.attempts, sequence, key: `run_test/${sequence}`, signal: abort.signal };
        try {
          return toJson(await request.execute(attempt)) as T;
        } catch (thrown) {
          if (!(thrown instanceof SluiceError)) throw thrown;
          step.failures.push(thrown);
          if (nextDelayMs(retry, step.attempts, thrown, 0) === null) throw thrown;
        }
      }
    },
  };
  return { steps, calls, journal: createMemoryJournal(calls), abort, within: (work) => withRunScope(scope, work) };
}

function createMemoryJournal(calls: AiCallRecord[]): AiJournal {
  const open = { response: null, rung: null, inputTokens: null, outputTokens: null, costMicroUsd: null, error: null };
  return {
    async begin(intent) {
      calls.push({ ...intent, ...open, status: "intent", finishedAt: null });
    },
    async settle(id, outcome) {
      const at = calls.findIndex((call) => call.id === id);
      const call = calls[at];
      if (call === undefined) throw new Error(`no AI call ${id}`);
      calls[at] = { ...call, ...outcome };
    },
    async countOfStep(runId, stepSequence) {
      return calls.filter((call) => call.runId === runId && call.stepSequence === stepSequence).length;
    },
  };
}
