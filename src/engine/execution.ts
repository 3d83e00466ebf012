import { formatStepPath, keyOfStep, SluiceError, type StepKind, toSluiceError } from "../core/index.ts";
import { type ClaimedRun, isDatabaseAway, type StepRecord, type Workspace } from "../store/index.ts";
import type { RunHost } from "./host.ts";
import { abandon, persist } from "./persist.ts";
import { clock, waitUntil } from "./timer.ts";

/*
 * An execution of a run, from its claim until it leaves this process:
 *
 *   under way -> resting -> under way      all that is pending waits, for less than a minute
 *   under way -> parked                    all that is pending waits for long: given up, with only the run's row left
 *   under way -> stopped                   cancelled by a person
 *   under way -> lost                      another execution took its place; whatever this one still writes is refused
 *   under way -> unfit                     the flow's code does not fit what is recorded, or that cannot be read
 *   under way -> over                      the flow returned or threw
 *
 * However it leaves, code of the flow that awaits a step then awaits it for ever, and is collected with it.
 */

/** How an execution left without an outcome of the flow: with one of its own, or with none. */
type Departure = { readonly error: SluiceError | null };

/** Waits at least so long are parked: below, replaying the run costs more than keeping it. */
const parkAfterMs = 60_000;
/** So long where the wait may end before its time: that is told to the row of the run, not to its process. */
const parkOpenAfterMs = 5000;
/** Shorter waits are not worth a write that shows them. */
const showAfterMs = 1000;

interface Wait {
  /** Null: only something from outside ends it. */
  readonly until: Date | null;
  /** How many signals had come when it last looked. */
  readonly signals: number;
  /** Whether it may end before its time without a signal. */
  readonly isOpen: boolean;
}

/** What may end a wait before its time. */
export interface WaitEnds {
  /** Fires when what is waited for came in this process. Default: nothing does. */
  readonly interrupt?: AbortSignal | undefined;
  /** Whether it may be ended by the row of the run; see `wakeWaitingFor` and `wakeRuns`. Default: false. */
  readonly isOpen?: boolean;
}

/** One execution of a run in this process: what its steps share. */
export class Execution {
  readonly host: RunHost;
  readonly workspace: Workspace;
  readonly run: ClaimedRun;
  /** What earlier executions left, by path. */
  readonly recorded: ReadonlyMap<string, StepRecord>;
  /** Settles when the execution leaves otherwise than by the end of the flow. */
  readonly departed: Promise<Departure>;
  readonly #depart: (departure: Departure) => void;
  readonly #stopping = new AbortController();
  /** Names of the steps that the flow has called so far, by path. */
  readonly stepNames = new Map<string, string>();
  readonly #waits = new Set<Wait>();
  #busy = 0;
  #considering = false;
  #resting = false;
  #shown: "running" | "waiting" = "running";
  #left = false;
  readonly #leftBehind: (() => Promise<void>)[] = [];
  readonly #writing = new Set<Promise<void>>();
  /** Rejects once DBOS records nothing more of it. */
  readonly #stopped = Promise.withResolvers<never>();

  constructor(host: RunHost, run: ClaimedRun, recorded: readonly StepRecord[]) {
    this.host = host;
    this.run = run;
    this.workspace = host.store.workspace(run.workspaceId);
    this.recorded = new Map(recorded.map((step) => [step.path, step]));
    const { promise, resolve } = Promise.withResolvers<Departure>();
    this.departed = promise;
    this.#depart = resolve;
    this.#stopped.promise.catch(() => {});
  }

  /** Fires when work under way is to end. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Whether nothing of this execution counts any more. */
  get hasLeft(): boolean {
    return this.#left || this.host.closing.aborted;
  }

  /** The idempotency key of a step: another one for each time that a migration let the run go on anew before it. */
  keyOf(path: string): string {
    return keyOfStep(this.run.id, path, this.run.cuts);
  }

  /** Gives the work of a step to DBOS: ended at once when the execution is stopped, which DBOS knows by then. */
  untilStopped<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stopped.promise]);
  }

  /** Waits for a step, for code of the flow: which never hears of the end of an execution that has left. */
  async settled<T>(step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (thrown) {
      if (this.hasLeft) return abandon();
      // What the database could not record while it was away is given back, and done from the rows.
      if (isConflict(thrown) || isDatabaseAway(thrown)) return this.lose();
      throw thrown;
    }
  }

  /**
   * Compares a call of the flow with what is recorded at its place. A wait that is not over may change; anything else
   * must be the same, or the run stops before it does something twice.
   */
  visit(path: string, name: string, kind: StepKind): Promise<never> | null {
    this.stepNames.set(path, name);
    const before = this.recorded.get(path);
    if (!before || (before.name === name && before.kind === kind)) return null;
    const wasWait = before.kind === "sleep" || before.kind === "signal";
    if (wasWait && before.status !== "succeeded") return null;
    return this.#leaveUnfit(
      before,
      `makes ${describe(kind, name)} where ${describe(before.kind, before.name)} is recorded`,
    );
  }

  /** To be called when the flow has come to its end: a recorded step that it did not make does not fit either. */
  checkEnd(): Promise<never> | null {
    const missed = [...this.recorded.values()].find(
      ({ path, status }) => status === "succeeded" && !this.stepNames.has(path) && !path.includes("."),
    );
    return missed
      ? this.#leaveUnfit(missed, `ends without ${describe(missed.kind, missed.name)}, which is recorded`)
      : null;
  }

  /** Takes a write that a step leaves behind. The process does not end in good order before it is made. */
  leaveBehind(write: () => Promise<void>): void {
    this.#leftBehind.push(write);
    this.host.attempts.begin();
    if (this.#left) this.writeLeftBehind();
  }

  /** Begins what steps have left behind. */
  writeLeftBehind(): void {
    for (const write of this.#leftBehind.splice(0)) {
      const writing = this.#write(write).finally(() => {
        this.#writing.delete(writing);
        this.host.attempts.end();
      });
      this.#writing.add(writing);
    }
  }

  async #write(write: () => Promise<void>): Promise<void> {
    try {
      await persist(write, this.host.closing);
    } catch (error) {
      // The step is on record, and must not fail because something about it is not.
      this.host.log.error("step.left_unwritten", { run: this.run.id, code: toSluiceError(error).code });
    }
  }

  /** Resolves when all that steps left behind is written. */
  async untilWritten(): Promise<void> {
    this.writeLeftBehind();
    await Promise.all(this.#writing);
  }

  /** A step is under way. */
  enter(): void {
    this.#busy += 1;
    if (!this.#resting) return;
    this.#resting = false;
    this.host.slots.goOn();
    this.#show("running");
  }

  /** A step has ended. */
  leave(): void {
    this.#busy -= 1;
    this.#considerResting();
  }

  /**
   * Waits inside a step. Resolves when the time has come or the wait is ended before; never when the execution has left.
   *
   * @param signals how many signals had come when the step last looked for what it waits for.
   */
  async wait(until: Date | null, signals: number, { interrupt, isOpen = false }: WaitEnds = {}): Promise<void> {
    const wait: Wait = { until, signals, isOpen };
    this.#waits.add(wait);
    this.leave();
    await waitUntil(until, interrupt ? AbortSignal.any([this.signal, interrupt]) : this.signal);
    if (this.hasLeft) return abandon();
    this.#waits.delete(wait);
    this.enter();
  }

  /** Ends it because a person cancelled the run. */
  async stop(): Promise<void> {
    if (this.#left) return;
    this.#leave(null);
    await persist(() => this.host.runtime.cancel(this.run.id), this.host.closing);
    this.#stopped.reject(cancelled());
  }

  /** Ends work under way because the process ends. The run is given back to others. */
  close(): void {
    this.#stopping.abort(this.host.closing.reason);
  }

  /** Ends it because the run belongs to another execution. */
  lose(): Promise<never> {
    this.#leave(null);
    return abandon();
  }

  /** Ends it with an error that is none of the flow's business. */
  fail(error: SluiceError): Promise<never> {
    this.#leave(error);
    return abandon();
  }

  #leaveUnfit(before: StepRecord, what: string): Promise<never> {
    const { flow, flowVersion } = this.run;
    const now = this.host.flows.get(flow)?.version ?? null;
    return this.fail(
      new SluiceError("FLOW_CHANGED", {
        message: `flow ${flow} was changed and ${what} as step ${formatStepPath(before.path)}`,
        hint: "Put the flow's earlier code back and resume the run, or let it go on under the present code from that step: sluice runs migrate",
        details: { step: before.path, recorded: before.name, recordedVersion: flowVersion, version: now },
      }),
    );
  }

  #leave(error: SluiceError | null): void {
    if (this.#left) return;
    this.#left = true;
    if (this.#resting) this.host.slots.goOn();
    this.#resting = false;
    this.#stopping.abort(cancelled());
    this.writeLeftBehind();
    this.#depart({ error });
  }

  /** On a later turn: code of the flow that a step's end lets go on begins its next step first. */
  #considerResting(): void {
    if (this.#considering || !this.#onlyWaits) return;
    this.#considering = true;
    setImmediate(() => {
      this.#considering = false;
      if (this.#onlyWaits) this.#rest();
    });
  }

  get #onlyWaits(): boolean {
    return this.#busy === 0 && this.#waits.size > 0 && !this.#resting && !this.hasLeft;
  }

  #rest(): void {
    const times = [...this.#waits].map(({ until }) => until?.getTime() ?? Infinity);
    const leftMs = Math.min(...times) - clock.now();
    const mayEnd = [...this.#waits].some(({ isOpen }) => isOpen);
    if (leftMs > (mayEnd ? parkOpenAfterMs : parkAfterMs) || this.host.slots.isCrowded)
      return void this.#park(Math.min(...times));
    this.#resting = true;
    this.host.onRest(this.run);
    this.host.slots.rest();
    if (leftMs > showAfterMs) this.#show("waiting");
  }

  /**
   * Gives the run up. DBOS first: when the process dies in between, the run is adopted and comes here again. A signal that
   * came after its step looked for it queues the run at once.
   */
  async #park(until: number): Promise<void> {
    const signals = Math.min(...[...this.#waits].map((wait) => wait.signals));
    this.#left = true;
    const { host, run, workspace } = this;
    const parking = { wakeAt: until === Infinity ? null : new Date(until), signals };
    try {
      await persist(() => host.runtime.cancel(run.id), host.closing);
      await persist(() => workspace.runs.park(run.id, parking, run.epoch), host.closing);
    } catch (error) {
      // The run is still this process' own by its row, and is given back as one that it lost sight of.
      host.log.error("run.not_parked", { run: run.id, error: error instanceof Error ? error.name : "unknown" });
    }
    this.#stopping.abort(cancelled());
    this.#stopped.reject(cancelled());
    this.#depart({ error: null });
  }

  /** Not awaited: it is for people. What comes later in the order of writes stands over it. */
  #show(status: "running" | "waiting"): void {
    if (this.#shown === status) return;
    this.#shown = status;
    this.workspace.runs.setStatus(this.run.id, status, this.run.epoch).catch(() => {});
  }
}

/** What stopped work is told. */
function cancelled(): SluiceError {
  return new SluiceError("RUN_CANCELLED", { message: "the run was cancelled" });
}

function describe(kind: StepKind, name: string): string {
  return `${kind} "${name}"`;
}

/** DBOS refuses the record of an execution that does not own the run any more. */
function isConflict(thrown: unknown): boolean {
  const controls = ["DBOSWorkflowCancelledError", "DBOSWorkflowConflictError"];
  return thrown instanceof Error && controls.includes(thrown.constructor.name);
}
