import {
  defaultRetry,
  neverRetry,
  nextDelayMs,
  Postponed,
  SluiceError,
  type SluiceErrorJson,
  type StepAttempt,
  type StepKind,
  type StepRequest,
  toJson,
  toSluiceError,
  type Json,
  type WaitReason,
} from "../core/index.ts";
import type { AttemptRecord, StepRecord } from "../store/index.ts";
import type { Execution } from "./execution.ts";
import { performIrreversible } from "./irreversible.ts";
import { abandon, persist } from "./persist.ts";
import { recordSealed } from "./sealed-record.ts";
import { clock } from "./timer.ts";

/*
 * A step's states, as its row shows them:
 *
 *   running -> succeeded
 *   running -> waiting (until wakeAt) -> running     a retryable error, or a sleep, or something from outside to come
 *   running -> waiting (with its reason) -> running  postponed by its own work, which costs no try
 *   running -> failed                                 no try left
 *   failed -> reopened -> running                     a person resumed the run from it
 *
 * A step of the flow's own is one recorded operation beneath, so its place in the run depends on the order of calls alone,
 * also when steps run side by side and some of them are tried again. Steps inside a map are recorded in their rows only.
 * Attempts and wake time are in the row: an execution that takes over counts on and waits only for what is left.
 */

/** A step under way, for the waits that live inside one. */
export interface StepPlace extends StepAttempt {
  /** Recorded by an earlier execution. */
  readonly wakeAt: Date | null;
  /** Whether it failed before and a person resumed the run. */
  readonly reopened: boolean;
  /** Shows the step as waiting. Resolves when that is durable. */
  readonly wait: (wakeAt: Date | null) => Promise<void>;
}

/** A step as the engine itself makes them. */
export type StepWork<T> = Omit<StepRequest<T>, "execute"> & { readonly execute: (place: StepPlace) => Promise<T> };

/** Numbers the calls of the flow, or those of an item of a map. */
export class Numbering {
  readonly #prefix: string;
  #next: number;

  /**
   * @param parent path of the step that they are inside of; null for the flow itself.
   * @param first number of the first call.
   */
  constructor(parent: string | null, first = 0) {
    this.#prefix = parent === null ? "" : `${parent}.`;
    this.#next = first;
  }

  get isOfFlow(): boolean {
    return this.#prefix === "";
  }

  next(): string {
    return `${this.#prefix}${this.#next++}`;
  }
}

type Outcome = { readonly value: Json } | { readonly error: SluiceErrorJson; readonly path: string };

/** Attempts that are over sooner are not written as begun: a write less for each quick step. */
const showAfterMs = 20;

/** Which step an error came from, so that the run's failure can name it. */
const origins = new WeakMap<SluiceError, string>();

/** Path of the step of the flow's own that an error came from; null for an error of the flow's code. */
export function originOf(error: unknown): string | null {
  return error instanceof SluiceError ? (origins.get(error) ?? null) : null;
}

/** Steps that consist of others. They take no part in deciding whether a run only waits. */
const containers: ReadonlySet<StepKind> = new Set(["map", "item"]);

/**
 * Runs a step, or gives what was recorded for it.
 *
 * @throws the step's own error, the same one on every replay.
 */
export async function runStep<T>(execution: Execution, numbering: Numbering, step: StepWork<T>): Promise<T> {
  const path = numbering.next();
  const unfit = execution.visit(path, step.name, step.kind);
  if (unfit) return unfit;
  execution.enter();
  const run = (): Promise<Outcome> => new StepExecution(execution, step, path).run();
  const outcome = await execution.settled(
    numbering.isOfFlow
      ? recordSealed(execution, { name: step.name, path }, () => execution.untilStopped(run()))
      : run(),
  );
  execution.writeLeftBehind();
  execution.leave();
  if ("value" in outcome) return outcome.value as T;
  const error = SluiceError.fromJSON(outcome.error);
  origins.set(error, outcome.path);
  throw error;
}

class StepExecution<T> {
  readonly #execution: Execution;
  readonly #step: StepWork<T>;
  #row: StepRecord;
  /** Attempts of before a resume. */
  #spent = 0;
  #reopened = false;
  #postponedSince: Date | null = null;

  constructor(execution: Execution, step: StepWork<T>, path: string) {
    this.#execution = execution;
    this.#step = step;
    this.#row = {
      runId: execution.run.id,
      path,
      name: step.name,
      kind: step.kind,
      status: "running",
      attempts: [],
      wakeAt: null,
      waitReason: null,
      input: step.input ?? null,
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
      await this.#wait(this.#row.wakeAt ?? new Date(clock.now()), this.#row.waitReason);
    }
  }

  /**
   * Goes on where an earlier execution left the step: its attempts count, and its wait is not begun anew. Gives the
   * outcome when there is one: inside a map, or when the process died between this record and that of the engine beneath.
   */
  async #takeOver(): Promise<Outcome | null> {
    const before = this.#execution.recorded.get(this.#row.path);
    if (!before || before.name !== this.#row.name || before.kind !== this.#row.kind) return null;
    if (before.status === "succeeded") return { value: before.output };
    if (before.status === "failed") return { error: before.error as unknown as SluiceErrorJson, path: before.path };
    const { attempts, startedAt, wakeAt } = before;
    this.#reopened = before.status === "reopened";
    // A person resumed it: what it tried before stays on record and does not count against the policy.
    if (this.#reopened) this.#spent = attempts.length;
    if (before.waitReason) this.#postponedSince = lastEnd(before);
    this.#row = {
      ...this.#row,
      attempts: attempts.map(closeAttempt),
      startedAt,
      wakeAt: this.#reopened ? null : wakeAt,
    };
    // What ends before its time may have ended by now: it is looked for, not waited for.
    if (this.#row.wakeAt && !this.#keepsWake && !isOpen(before.waitReason)) {
      await this.#wait(this.#row.wakeAt, before.waitReason);
    }
    return null;
  }

  #wait(until: Date, reason: WaitReason | null): Promise<void> {
    return this.#execution.wait(until, this.#execution.run.signals, { isOpen: isOpen(reason) });
  }

  /** Whether its time to wake is that of the step's own wait, not that of its next try. */
  get #keepsWake(): boolean {
    return ["sleep", "signal", "run"].includes(this.#step.kind);
  }

  /** One try. Gives null when there is to be another one, at `wakeAt`. */
  async #attempt(): Promise<Outcome | null> {
    const { host } = this.#execution;
    // A process that was frozen must know that the run is still its own before it does anything outside.
    await host.presence.confirm();
    if (this.#execution.hasLeft || host.attempts.isDraining) return abandon();
    const number = this.#row.attempts.length + 1;
    const attempt: AttemptRecord = { number, startedAt: new Date().toISOString(), finishedAt: null, error: null };
    const before = this.#row.attempts;
    const { wakeAt } = this.#row;
    // A wait keeps its time to wake until it is over.
    this.#row = {
      ...this.#row,
      status: "running",
      attempts: [...before, attempt],
      wakeAt: this.#keepsWake ? wakeAt : null,
      waitReason: null,
    };
    const showing = setTimeout(() => this.#show(), showAfterMs).unref();
    const acts = !containers.has(this.#step.kind) && !this.#keepsWake;
    if (acts) host.attempts.begin();
    try {
      const value = toJson(await this.#perform(this.#place(number, wakeAt)));
      await this.#end(before, attempt, { status: "succeeded", output: value });
      return { value };
    } catch (thrown) {
      if (this.#execution.hasLeft) return await abandon();
      // The next try may be long in coming.
      this.#execution.writeLeftBehind();
      if (thrown instanceof Postponed) return await this.#postpone(before, thrown);
      return await this.#fail(before, attempt, toSluiceError(thrown, "STEP_FAILED", true));
    } finally {
      clearTimeout(showing);
      if (acts) host.attempts.end();
    }
  }

  /**
   * Neither awaited nor tried again: a lost "running" costs nothing, but one that is written late would stand over the
   * step's end. The writes of a process keep their order.
   */
  #show(): void {
    if (this.#row.status !== "running") return;
    this.#execution.workspace.steps.save(this.#row, this.#execution.run.epoch).catch(() => {});
  }

  /** A container leaves the deciding about rest to the steps inside it. */
  async #perform(place: StepPlace): Promise<T> {
    if (this.#step.irreversible) return performIrreversible(this.#execution, this.#step, place);
    if (!containers.has(this.#step.kind)) return this.#step.execute(place);
    this.#execution.leave();
    try {
      return await this.#step.execute(place);
    } finally {
      this.#execution.enter();
    }
  }

  async #postpone(before: readonly AttemptRecord[], { until, reason }: Postponed): Promise<null> {
    this.#postponedSince ??= new Date();
    await this.#save({ status: "waiting", attempts: before, wakeAt: until, waitReason: reason });
    return null;
  }

  async #fail(before: readonly AttemptRecord[], attempt: AttemptRecord, error: SluiceError): Promise<Outcome | null> {
    if (error.code === "RUN_TAKEN_OVER") return this.#execution.lose();
    const policy = this.#step.retry ?? (this.#step.irreversible ? neverRetry : defaultRetry);
    const delayMs = nextDelayMs(policy, attempt.number - this.#spent, error, Math.random());
    const failed = error.toJSON();
    if (delayMs === null) {
      await this.#end(before, { ...attempt, error: failed }, { status: "failed", error: toJson(failed) });
      return { error: failed, path: this.#row.path };
    }
    this.#postponedSince = null;
    const ended = { ...attempt, finishedAt: new Date().toISOString(), error: failed };
    await this.#save({ status: "waiting", attempts: [...before, ended], wakeAt: new Date(clock.now() + delayMs) });
    return null;
  }

  #place(number: number, wakeAt: Date | null): StepPlace {
    const { path } = this.#row;
    const { run, signal } = this.#execution;
    return {
      number,
      path,
      key: this.#execution.keyOf(path),
      epoch: run.epoch,
      postponedSince: this.#postponedSince,
      signal,
      wakeAt,
      reopened: this.#reopened,
      leaveBehind: (write) => this.#execution.leaveBehind(write),
      untilWritten: () => this.#execution.untilWritten(),
      wait: (until) => this.#save({ status: "waiting", wakeAt: until }),
    };
  }

  async #end(before: readonly AttemptRecord[], attempt: AttemptRecord, change: Partial<StepRecord>): Promise<void> {
    const finishedAt = new Date();
    const attempts = [...before, { ...attempt, finishedAt: finishedAt.toISOString() }];
    await this.#save({ attempts, finishedAt, wakeAt: null, ...change });
    this.#execution.host.onProgress(this.#execution.run);
  }

  async #save(change: Partial<StepRecord>): Promise<void> {
    this.#row = { ...this.#row, ...change };
    const row = this.#row;
    const { workspace, run, host } = this.#execution;
    const written = await persist(() => workspace.steps.save(row, run.epoch), host.closing);
    if (!written) return this.#execution.lose();
  }
}

/** An attempt that was under way when its process died has no end; it is closed with what is known. */
function closeAttempt(attempt: AttemptRecord): AttemptRecord {
  if (attempt.finishedAt !== null) return attempt;
  return {
    ...attempt,
    error: { code: "STEP_FAILED", message: "the process ended before this attempt did", retryable: true },
  };
}

/** Whether a wait can end before its time: a circuit is closed by a person as well, a batch ends when its provider is done. */
function isOpen(reason: WaitReason | null): boolean {
  return reason === "circuit" || reason === "batch";
}

/** When the last try of a step ended, or the step began. */
function lastEnd({ attempts, startedAt }: StepRecord): Date {
  const last = attempts.at(-1)?.finishedAt;
  return last === undefined || last === null ? startedAt : new Date(last);
}

/** Steps that only wait are not tried again: a wait cannot fail in passing. */
export const waitPolicy = neverRetry;
