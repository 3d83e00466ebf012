import type { Log } from "../core/index.ts";
import type { ProcessRole, Store } from "../store/index.ts";
import { LivenessWatch, silentForMs } from "./liveness.ts";
import { persist } from "./persist.ts";
import { clock } from "./timer.ts";

/** A fifth of the time after which others take a silent process for dead. */
const beatMs = silentForMs / 5;
/** How often dead processes are looked for. */
const lookMs = 1000;
/** Without a beat for so long, others may be about to take this process for dead. */
const freshMs = silentForMs - 1.5 * beatMs;

/** What {@link startPresence} takes. */
export interface PresenceOptions {
  readonly store: Store;
  readonly executor: string;
  readonly role: ProcessRole;
  readonly flows: readonly string[];
  readonly log: Log;
  /** Runs of a dead process were queued, or another process says that there is something to do. */
  readonly onWork: () => void;
  /** Others took this process for dead: what it has under way may be theirs by now. */
  readonly onTakenForDead: () => Promise<void>;
}

/** Shows that this process lives, and queues what dead ones had under way. */
export interface Presence {
  /** Resolves at once while others certainly see this process alive, else when it has beaten again. Given up when it closes. */
  confirm(): Promise<void>;
  /** Whether other processes were there at the last look, so that telling them is not in vain. */
  readonly hasOthers: boolean;
  close(): Promise<void>;
}

/** Registers this process. Resolves after the first look at the others. */
export async function startPresence(options: PresenceOptions): Promise<Presence> {
  const { store, executor, log } = options;
  const closing = new AbortController();
  const watch = new LivenessWatch();
  let beatenAtMs = performance.now();
  let hasOthers = true;
  const register = async (): Promise<{ release(): Promise<void> }> => {
    const registered = await store.processes.register({
      ...options,
      onWake: options.onWork,
      onLost: () => void regain(),
    });
    clock.set(registered.now);
    return registered;
  };
  let held = await register();

  async function regain(): Promise<void> {
    if (closing.signal.aborted) return;
    log.warn("database.presence_lost", { executor });
    const again = await persist(register, closing.signal);
    if (closing.signal.aborted) await again.release();
    else held = again;
  }

  async function beat(): Promise<void> {
    const began = performance.now();
    const now = await persist(() => store.processes.beat(executor), closing.signal);
    if (now) clock.set(now);
    else {
      log.warn("process.taken_for_dead", { executor });
      await options.onTakenForDead();
      await held.release();
      held = await persist(register, closing.signal);
    }
    beatenAtMs = began;
  }

  async function look(): Promise<void> {
    try {
      const sights = await store.processes.look();
      hasOthers = sights.some((other) => other.executor !== executor);
      const dead = watch.look(sights, performance.now()).filter((other) => other !== executor);
      for (const gone of dead) await adopt(gone);
    } catch (error) {
      // The next look tries again: a process is not marked as ended before its runs are queued.
      log.warn("adoption.failed", { error: error instanceof Error ? error.name : "unknown" });
    }
  }

  async function adopt(gone: string): Promise<void> {
    const count = await store.dispatch.adopt(gone);
    await store.processes.end(gone);
    if (count === 0) return;
    log.warn("runs.adopted", { from: gone, count });
    options.onWork();
  }

  const failed = (error: unknown): void =>
    log.error("presence.failed", { error: error instanceof Error ? error.name : "unknown" });
  const beats = every(beatMs, beat, failed);
  await look();
  const looks = every(lookMs, look, failed);
  return {
    get hasOthers() {
      return hasOthers;
    },
    async confirm() {
      if (performance.now() - beatenAtMs > freshMs) await beats.now();
    },
    async close() {
      closing.abort();
      await Promise.all([beats.close(), looks.close()]);
      await held.release();
    },
  };
}

/** Does something again and again, never twice at once. */
function every(
  intervalMs: number,
  work: () => Promise<void>,
  onFailed: (error: unknown) => void,
): { now(): Promise<void>; close(): Promise<void> } {
  let under: Promise<void> | null = null;
  const now = (): Promise<void> =>
    (under ??= work().finally(() => {
      under = null;
    }));
  const timer = setInterval(() => void now().catch(onFailed), intervalMs).unref();
  return {
    now,
    async close() {
      clearInterval(timer);
      // Work that was given up when the process closed never ends.
      await Promise.race([under?.catch(onFailed), new Promise((resolve) => setImmediate(resolve))]);
    },
  };
}
