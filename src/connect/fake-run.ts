import {
  type Json,
  nextDelayMs,
  defaultRetry,
  type Receipt,
  type RunScope,
  type StepRequest,
  SluiceError,
  toJson,
  toSluiceError,
  withRunScope,
} from "../core/index.ts";
import type { ConnectionOverride, ConnectRuntime, ReceiptJournal } from "./connect-runtime.ts";
import { resolveSecret } from "./secret.ts";

/** A step as the fake run kept it. */
export interface FakeStep {
  readonly name: string;
  readonly kind: string;
  readonly input: Json;
  readonly key: string;
  /** Codes of the attempts that failed, in order. */
  readonly failures: string[];
  attempts: number;
}

/** What {@link createFakeRun} takes. */
export interface FakeRunOptions {
  readonly override?: ConnectionOverride;
  readonly allowedOrigins?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  /** Performs the first attempt of every step and forgets it, as when the process died before the record. Default: false. */
  readonly diesBeforeRecord?: boolean;
  /** Default: `run_test`. */
  readonly runId?: string;
}

/** A run for tests of connectors: steps are tried again at once, receipts stay in memory. */
export interface FakeRun {
  readonly steps: readonly FakeStep[];
  readonly receipts: ReadonlyMap<string, Receipt>;
  readonly journal: ReceiptJournal;
  readonly abort: AbortController;
  within<T>(work: () => Promise<T>): Promise<T>;
  /** The same from the run's first step, as a resumed run does it: the receipts are kept. */
  again<T>(work: () => Promise<T>): Promise<T>;
}

/** Makes a {@link FakeRun}. For the tests of this room; a flow is tested with `sluice/testing`. */
export function createFakeRun(options: FakeRunOptions = {}): FakeRun {
  const steps: FakeStep[] = [];
  const receipts = new Map<string, Receipt>();
  const journal = createMemoryJournal(receipts);
  const abort = new AbortController();
  const { runId = "run_test" } = options;
  const runtime: ConnectRuntime = {
    resolveSecret: (reference) => resolveSecret(reference, options.environment ?? {}),
    override: () => options.override,
    allowedOrigins: options.allowedOrigins ?? [],
    receipts: journal,
  };
  const scope: RunScope = {
    workspaceId: "default",
    runId,
    flow: "test",
    availableFields: 0,
    service: (() => runtime) as RunScope["service"],
    step(request) {
      const key = `${runId}/${steps.length}`;
      const step: FakeStep = {
        name: request.name,
        kind: request.kind,
        input: request.input ?? null,
        key,
        failures: [],
        attempts: 0,
      };
      steps.push(step);
      return tryUntilDone(request, step, { sequence: steps.length - 1, signal: abort.signal, ...options });
    },
  };
  return {
    steps,
    receipts,
    journal,
    abort,
    within: (work) => withRunScope(scope, work),
    again(work) {
      steps.length = 0;
      return withRunScope(scope, work);
    },
  };
}

async function tryUntilDone<T>(
  request: StepRequest<T>,
  step: FakeStep,
  settings: FakeRunOptions & { readonly sequence: number; readonly signal: AbortSignal },
): Promise<T> {
  const { sequence, signal } = settings;
  for (;;) {
    step.attempts += 1;
    try {
      const result = await request.execute({ number: step.attempts, sequence, key: step.key, signal });
      if (settings.diesBeforeRecord === true && step.attempts === 1) continue;
      return toJson(result) as T;
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      step.failures.push(thrown.code);
      if (nextDelayMs(defaultRetry, step.attempts, toSluiceError(thrown), 0) === null) throw thrown;
    }
  }
}

function createMemoryJournal(receipts: Map<string, Receipt>): ReceiptJournal {
  return {
    async begin(intent) {
      const before = receipts.get(intent.key) ?? null;
      const { startedAt = new Date(), attempts = 0 } = before ?? {};
      const { key } = intent;
      receipts.set(key, {
        ...intent,
        state: "intent",
        response: null,
        attempts: attempts + 1,
        startedAt,
        finishedAt: null,
      });
      return before;
    },
    async settle(key, outcome) {
      const receipt = receipts.get(key);
      if (receipt === undefined) throw new Error(`no receipt ${key}`);
      receipts.set(key, { ...receipt, ...outcome, finishedAt: new Date() });
    },
  };
}
