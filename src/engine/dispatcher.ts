import { type AnyFlow, type Log, rootOf, toMs } from "../core/index.ts";
import type { ClaimedRun, FlowLimits, ProcessRole, Store } from "../store/index.ts";
import type { Executions } from "./executions.ts";
import { persist } from "./persist.ts";
import type { QueueGauge } from "./queue-gauge.ts";
import type { DurableRuntime } from "./runtime.ts";
import type { Slots } from "./slots.ts";
import { Trial } from "./trial.ts";

/** How often what nobody told of is looked for: runs that other processes queued, times that have come, cancelled runs. */
const pollMs = 1000;
/** Every how many polls rarer things are looked for. */
const rarely = 10;
/** Others are told of queued runs at most so often. */
const tellMs = 25;

/** What {@link Dispatcher} takes. */
export interface DispatcherOptions {
  readonly store: Store;
  readonly runtime: DurableRuntime;
  readonly executor: string;
  readonly role: ProcessRole;
  readonly flows: ReadonlyMap<string, AnyFlow>;
  readonly slots: Slots;
  readonly executions: Executions;
  readonly gauge: QueueGauge;
  readonly log: Log;
  readonly closing: AbortSignal;
  /** Resolves when others certainly see this process alive; see `Presence`. */
  readonly confirmAlive: () => Promise<void>;
  /** Whether there are other processes to tell of queued runs. */
  readonly hasOthers: () => boolean;
}

/**
 * Starts runs while there is room: at once when one was accepted or woken here, when another process tells, and by
 * polling. A run that was claimed and not begun when its process died is found by adoption; its id makes a second start
 * harmless.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #versions: { readonly [flow: string]: string };
  readonly #unlimited: readonly string[];
  readonly #limited: readonly FlowLimits[];
  /** What a durable function that begins here executes. */
  readonly #handedOver = new Map<string, ClaimedRun>();
  readonly #timer: NodeJS.Timeout;
  #polls = 0;
  #polling: Promise<void> | null = null;
  #claiming: Promise<void> | null = null;
  #again = false;
  /** Whether the last claim left the queue empty, as far as this process knows. */
  #drained = false;
  readonly #trial: Trial;
  #orphans: readonly string[] = [];
  #telling: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const flows = [...options.flows.values()];
    this.#versions = Object.fromEntries(flows.map(({ name, version }) => [name, version]));
    this.#limited = flows.filter(isLimited).map(toLimits);
    this.#unlimited = flows.filter((flow) => !isLimited(flow)).map(({ name }) => name);
    this.#trial = new Trial({ ...options, claim: () => this.#claimSuspect() });
    this.#timer = setInterval(() => void (this.#polling ??= this.#poll()), pollMs).unref();
    if (this.#executes) for (const { flow } of this.#limited) void this.#adoptLimit(flow);
  }

  /** Looks for queued runs now. */
  wake(): void {
    this.#again = true;
    if (!this.#executes) return;
    this.#claiming ??= this.#claim().finally(() => {
      this.#claiming = null;
      if (this.#again && this.#hasRoom) this.wake();
    });
  }

  /** A run was queued here: it is begun at once when there is room, and others are told when there is none. */
  notifyQueued(): void {
    this.#drained = false;
    if (this.#hasRoom) this.wake();
    else if (this.#options.hasOthers()) this.#telling ??= setTimeout(() => this.#tellOthers(), tellMs).unref();
  }

  /** Takes a slot for a run that is about to be accepted, when it may begin at once: nothing waits before it. */
  reserve(flow: AnyFlow): boolean {
    if (!this.#hasRoom || !this.#drained || this.#claiming || isLimited(flow)) return false;
    this.#options.slots.take();
    return true;
  }

  /** Gives such a slot back. */
  unreserve(): void {
    this.#options.slots.free();
  }

  /** Begins a run that was accepted as one of this process. */
  beginReserved(run: ClaimedRun): void {
    void this.#begin(run);
  }

  /** Executes what a durable function that begins is to execute; nothing for one that nobody claimed here. */
  async execute(runId: string, execute: (run: ClaimedRun) => Promise<void>): Promise<void> {
    const run = this.#handOver(runId);
    if (!run) return;
    try {
      await execute(run);
    } catch (error) {
      this.#options.log.error("run.not_executed", {
        run: runId,
        error: error instanceof Error ? error.name : "unknown",
      });
    } finally {
      this.#release(run);
    }
  }

  /** All that a run has under way waits. */
  onRest(run: ClaimedRun): void {
    this.#trial.end(run);
  }

  /** A step of a run has ended. */
  onProgress(run: ClaimedRun): void {
    this.#trial.acquit(run);
  }

  /** Ends executions whose run was cancelled, or belongs to others by now. */
  async stopNotOwned(): Promise<void> {
    const { store, executions } = this.#options;
    const own = executions.all;
    if (own.length === 0) return;
    for (const { id, cancelled } of await store.dispatch.notOwned(own)) {
      const execution = executions.find(id);
      if (!execution) this.#giveUp(id);
      else if (cancelled) await execution.stop();
      else void execution.lose();
    }
  }

  /** Takes no more runs; resolves when no claim is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#telling) clearTimeout(this.#telling);
    await Promise.all([this.#claiming, this.#polling]);
  }

  get #executes(): boolean {
    return !this.#closed && this.#options.role !== "web";
  }

  get #hasRoom(): boolean {
    return this.#executes && this.#options.slots.room > 0;
  }

  async #claim(): Promise<void> {
    try {
      while (this.#again && this.#hasRoom) {
        this.#again = false;
        const room = this.#options.slots.room;
        const claimed = await this.#claimAll(room);
        this.#drained = claimed.length === 0;
        this.#again ||= claimed.length > 0;
        for (const run of claimed) this.#beginClaimed(run);
      }
    } catch (error) {
      // The next poll tries again.
      this.#options.log.warn("dispatch.failed", { error: error instanceof Error ? error.name : "unknown" });
    }
  }

  async #claimAll(room: number): Promise<ClaimedRun[]> {
    const { store, executor, executions } = this.#options;
    const counts = executions.countByFlow();
    const flows = [...this.#unlimited, ...this.#orphans].map((flow) => ({ flow, inFlight: counts.get(flow) ?? 0 }));
    const claim = { executor, flows, versions: this.#versions, suspects: false };
    const claimed = await store.dispatch.claim({ ...claim, limit: room });
    for (const limits of this.#limited) {
      const limit = room - claimed.length;
      if (limit > 0) claimed.push(...(await store.dispatch.claimLimited({ ...claim, limit }, limits)));
    }
    return claimed;
  }

  #beginClaimed(run: ClaimedRun): void {
    this.#options.slots.take();
    void this.#begin(run);
  }

  async #begin(run: ClaimedRun): Promise<void> {
    const { executions, closing, log } = this.#options;
    executions.expect(run);
    this.#handedOver.set(run.id, run);
    try {
      if (!(await this.#isStillOwn(run.id))) return;
      const begun = await persist(() => this.#execute(run), closing);
      if (begun) return;
    } catch (error) {
      log.error("run.not_begun", { run: run.id, error: error instanceof Error ? error.name : "unknown" });
    }
    // It stays this process' own by its row, and is given back as one that the process lost sight of.
    this.#giveUp(run.id);
  }

  /** Forgets a run that has not begun here. */
  #giveUp(id: string): void {
    const run = this.#handOver(id);
    if (run) this.#release(run);
  }

  #handOver(runId: string): ClaimedRun | null {
    const run = this.#handedOver.get(runId) ?? null;
    this.#handedOver.delete(runId);
    return run;
  }

  /** An execution has left this process. */
  #release(run: ClaimedRun): void {
    const { executions, slots, flows } = this.#options;
    executions.remove(run.id, run.epoch);
    slots.free();
    this.#trial.end(run);
    const flow = flows.get(run.flow);
    // Where a limit held others back, there is room now.
    if (!this.#drained || (flow && isLimited(flow))) this.wake();
  }

  /** False when it is executed elsewhere. Harmless when done twice, so a process that dies in the middle leaves nothing half-done. */
  async #execute(run: ClaimedRun): Promise<boolean> {
    const { runtime, store } = this.#options;
    const { workspaceId, id, failedStep, epoch } = run;
    if (!run.begun && (await runtime.start(workspaceId, id))) return true;
    const from = failedStep === null ? null : rootOf(failedStep);
    const { steps, runs } = store.workspace(workspaceId);
    if (from !== null) {
      await steps.reopenFrom(id, from, epoch);
      if (!(await this.#isStillOwn(id))) return false;
      await runtime.forget(id, from);
      // From here on a crash resumes the run where it then is.
      await runs.setStatus(id, "running", epoch);
    }
    const isOwn = (): Promise<boolean> => this.#isStillOwn(id);
    return (await runtime.resume(id, isOwn)) || ((await isOwn()) && runtime.start(workspaceId, id));
  }

  /** A process that was frozen since its claim may have lost the run, and must not touch what is recorded of it. */
  async #isStillOwn(id: string): Promise<boolean> {
    await this.#options.confirmAlive();
    return this.#handedOver.has(id);
  }

  async #poll(): Promise<void> {
    const { store, gauge, log } = this.#options;
    try {
      gauge.set(await store.dispatch.queued(gauge.countLimit));
      if (this.#executes) await this.#lookAround();
      this.wake();
    } catch (error) {
      // The next poll tries again.
      log.warn("poll.failed", { error: error instanceof Error ? error.name : "unknown" });
    } finally {
      this.#polling = null;
    }
  }

  async #lookAround(): Promise<void> {
    const { store, executor, executions, log } = this.#options;
    await this.stopNotOwned();
    await store.dispatch.wakeDue();
    await this.#trial.next();
    const lost = await store.dispatch.releaseLost(executor, executions.ids);
    if (lost > 0) log.warn("runs.given_back", { count: lost });
    if (this.#polls++ % rarely === 0) this.#orphans = await store.dispatch.orphans();
  }

  async #claimSuspect(): Promise<ClaimedRun | null> {
    if (!this.#hasRoom) return null;
    const { store, executor, flows } = this.#options;
    const all = [...flows.keys()].map((flow) => ({ flow, inFlight: 0 }));
    const [run] = await store.dispatch.claim({
      executor,
      flows: all,
      versions: this.#versions,
      suspects: true,
      limit: 1,
    });
    if (run) this.#beginClaimed(run);
    return run ?? null;
  }

  async #adoptLimit(flow: string): Promise<void> {
    try {
      await this.#options.store.dispatch.adoptLimit(flow);
    } catch (error) {
      this.#options.log.warn("limit.not_adopted", { flow, error: error instanceof Error ? error.name : "unknown" });
    }
  }

  #tellOthers(): void {
    this.#telling = null;
    // Those who do not hear of it look within a second.
    this.#options.store.processes.wakeAll().catch(() => {});
  }
}

function isLimited({ concurrency, rate }: AnyFlow): boolean {
  return concurrency !== undefined || rate !== undefined;
}

function toLimits({ name, concurrency, rate }: AnyFlow): FlowLimits {
  return {
    flow: name,
    concurrency: concurrency?.limit ?? null,
    rate: rate ? { limit: rate.limit, perMs: toMs(rate.per) } : null,
  };
}
