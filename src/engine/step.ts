import {
  defaultRetry,
  type Json,
  neverRetry,
  nextDelayMs,
  SluiceError,
  type SluiceErrorJson,
  type StepAttempt,
  type StepRequest,
  toJson,
  toSluiceError,
} from "../core/index.ts";
import type { AttemptRecord, StepRecord, Workspace } from "../store/index.ts";
import { abandon, persist } from "./persist.ts";
import { recordOnce } from "./runtime.ts";
import { waitUntil } from "./timer.ts";

/*
 * A step's states, as its row shows them:
 *
 *   running -> succeeded
 *   running -> waiting (until wakeAt) -> running     a retryable error, or a sleep, or a signal to come
 *   running -> failed                                 no try left
 *
 * The whole step is one recorded operation beneath, so its place in the run depends on the order of calls alone, also
 * when steps run side by side and some of them are tried again. Attempts and wake time are in the row: a process that
 * takes over counts on and waits only for what is left.
 */

/** A step under way, for the waits that live inside one. */
export interface StepPlace extends StepAttempt {
  /** What was recorded before this process took the run over. */
  readonly wakeAt: Date | null;
  /** Shows the step as waiting. Resolves when that is durable. */
  readonly wait: (wakeAt: Date) => Promise<void>;
}

/** What steps of a run share. */
export interface StepSurroundings {
  readonly workspace: Workspace;
  readonly runId: string;
  /** Whether rows of an earlier execution may exist. */
  readonly replayed: boolean;
  readonly closing: AbortSignal;
  /** Told which step an error came from, so that the run's failure can name it. */
  readonly onFailure: (error: SluiceError, sequence: number) => void;
}

type Outcome = { readonly value: Json } | { readonly error: SluiceErrorJson; readonly sequence: number };

/**
 * Runs a step, or gives what was recorded for it.
 *
 * @throws the step's own error, the same one on every replay.
 */
export async function runStep<T>(
  around: StepSurroundings,
  request: Omit<StepRequest<T>, "execute"> & { readonly execute: (place: StepPlace) => Promise<T> },
): Promise<T> {
  const outcome = await recordOnce<Outcome>(request.name, (sequence, cancelled) =>
    new StepExecution(around, request, sequence, cancelled).run(),
  );
  if ("value" in outcome) return outcome.value as T;
  const error = SluiceError.fromJSON(outcome.error);
  around.onFailure(error, outcome.sequence);
  throw error;
}

class StepExecution<T> {
  readonly #around: StepSurroundings;
  readonly #request: Parameters<typeof runStep<T>>[1];
  readonly #signal: AbortSignal;
  #row: StepRecord;
  /** Attempts of before a resume. */
  #spent = 0;

  constructor(
    around: StepSurroundings,
    request: Parameters<typeof runStep<T>>[1],
    sequence: number,
    cancelled: AbortSignal,
  ) {
    this.#around = around;
    this.#request = request;
    this.#signal = AbortSignal.any([around.closing, toRunCancelled(cancelled)]);
    this.#row = {
      runId: around.runId,
      sequence,
      name: request.name,
      kind: request.kind,
      status: "running",
      attempts: [],
      wakeAt: null,
      input: request.input ?? null,
      output: null,
      error: null,
      startedAt: new Date(),
      finishedAt: null,
    };
  }

  async run(): Promise<Outcome> {
    const recorded = await this.#takeOver();
    if (recorded) return recorded;
    for (;;) {
      const outcome = await this.#attempt();
      if (outcome) return outcome;
      await this.#pause(this.#row.wakeAt ?? new Date());
    }
  }

  /**
   * Goes on where an earlier process left the step: its attempts count, and its wait is not begun anew. Gives the outcome
   * when that process died between our record of a success and that of the engine beneath.
   */
  async #takeOver(): Promise<Outcome | null> {
    if (!this.#around.replayed) return null;
    const { workspace, runId, closing } = this.#around;
    const before = await persist(() => workspace.steps.find(runId, this.#row.sequence), closing);
    if (before?.name !== this.#row.name) return null;
    if (before.status === "succeeded") return { value: before.output };
    const { attempts, startedAt, wakeAt } = before;
    // A person resumed it: what it tried before stays on record and does not count against the policy.
    if (before.status === "failed") this.#spent = attempts.length;
    this.#row = { ...this.#row, attempts: attempts.map(closeAttempt), startedAt, wakeAt };
    if (wakeAt && !this.#isWait) await this.#pause(wakeAt);
    return null;
  }

  get #isWait(): boolean {
    return this.#request.kind === "sleep" || this.#request.kind === "signal";
  }

  /** One try. Gives null when there is to be another one, at `wakeAt`. */
  async #attempt(): Promise<Outcome | null> {
    const number = this.#row.attempts.length + 1;
    const attempt: AttemptRecord = { number, startedAt: new Date().toISOString(), finishedAt: null, error: null };
    const before = this.#row.attempts;
    const { wakeAt } = this.#row;
    // Neither awaited nor tried again: a lost "running" costs nothing, but one that is written late would stand over the
    // step's end. The writes of a process keep their order. A wait keeps its time to wake until it is over.
    const row = {
      ...this.#row,
      status: "running",
      attempts: [...before, attempt],
      wakeAt: this.#isWait ? wakeAt : null,
    } as const;
    this.#row = row;
    this.#around.workspace.steps.save(row).catch(() => {});
    try {
      const value = toJson(await this.#request.execute(this.#place(number, wakeAt)));
      await this.#end(before, attempt, { status: "succeeded", output: value });
      return { value };
    } catch (thrown) {
      if (this.#around.closing.aborted) return abandon();
      // Cancelled: the engine beneath ends the run and records nothing.
      if (this.#signal.aborted) throw thrown;
      return this.#fail(before, attempt, toSluiceError(thrown, "STEP_FAILED", true));
    }
  }

  async #fail(before: readonly AttemptRecord[], attempt: AttemptRecord, error: SluiceError): Promise<Outcome | null> {
    const policy = this.#request.retry ?? defaultRetry;
    const delayMs = nextDelayMs(policy, attempt.number - this.#spent, error, Math.random());
    const failed = error.toJSON();
    if (delayMs === null) {
      await this.#end(before, { ...attempt, error: failed }, { status: "failed", error: toJson(failed) });
      return { error: failed, sequence: this.#row.sequence };
    }
    const ended = { ...attempt, finishedAt: new Date().toISOString(), error: failed };
    await this.#save({ status: "waiting", attempts: [...before, ended], wakeAt: new Date(Date.now() + delayMs) });
    return null;
  }

  #place(number: number, wakeAt: Date | null): StepPlace {
    const { sequence } = this.#row;
    return {
      number,
      sequence,
      key: `${this.#around.runId}/${sequence}`,
      signal: this.#signal,
      wakeAt,
      wait: (until) => this.#save({ status: "waiting", wakeAt: until }),
    };
  }

  #end(before: readonly AttemptRecord[], attempt: AttemptRecord, change: Partial<StepRecord>): Promise<void> {
    const finishedAt = new Date();
    const attempts = [...before, { ...attempt, finishedAt: finishedAt.toISOString() }];
    return this.#save({ attempts, finishedAt, wakeAt: null, ...change });
  }

  #save(change: Partial<StepRecord>): Promise<void> {
    this.#row = { ...this.#row, ...change };
    const row = this.#row;
    return persist(() => this.#around.workspace.steps.save(row), this.#around.closing);
  }

  async #pause(until: Date): Promise<void> {
    await waitUntil(until, this.#signal);
    if (this.#around.closing.aborted) await abandon();
    this.#signal.throwIfAborted();
  }
}

/** Tells work in plain words why it is stopped; the engine beneath says it in its own. */
function toRunCancelled(cancelled: AbortSignal): AbortSignal {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort(new SluiceError("RUN_CANCELLED", { message: "the run was cancelled" }));
  if (cancelled.aborted) stop();
  else cancelled.addEventListener("abort", stop, { once: true });
  return stopped.signal;
}

/** An attempt that was under way when its process died has no end; it is closed with what is known. */
function closeAttempt(attempt: AttemptRecord): AttemptRecord {
  if (attempt.finishedAt !== null) return attempt;
  return {
    ...attempt,
    error: { code: "STEP_FAILED", message: "the process ended before this attempt did", retryable: true },
  };
}

/** Steps that only wait are not tried again: a wait cannot fail in passing. */
export const waitPolicy = neverRetry;
