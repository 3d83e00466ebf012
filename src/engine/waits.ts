import { type Duration, parseSchema, type Schema, SluiceError, toMs } from "../core/index.ts";
import type { RunSurroundings } from "./run.ts";
import { persist } from "./persist.ts";
import { runStep, waitPolicy } from "./step.ts";
import { waitUntil } from "./timer.ts";

/** How often a wait looks for a signal that another process received. */
const signalPollMs = 1000;

const defaultTimeout: Duration = "7d";

/** Waits in a run; the time to wake survives restarts. */
export async function sleep(run: RunSurroundings, name: string, duration: Duration): Promise<void> {
  const ms = toMs(duration);
  await runStep(run, {
    name,
    kind: "sleep",
    input: { durationMs: ms },
    retry: waitPolicy,
    async execute(place) {
      const wakeAt = place.wakeAt ?? new Date(Date.now() + ms);
      await place.wait(wakeAt);
      await run.showWaiting(() => waitUntil(wakeAt, place.signal));
      place.signal.throwIfAborted();
      return null;
    },
  });
}

/**
 * Waits in a run for a value from outside.
 *
 * @throws SIGNAL_TIMEOUT when none came in time; REQUEST_INVALID when what came does not fit.
 */
export async function waitForSignal<T>(
  run: RunSurroundings,
  name: string,
  options: { readonly schema: Schema<T>; readonly timeout?: Duration },
): Promise<T> {
  const timeoutMs = toMs(options.timeout ?? defaultTimeout);
  return runStep<T>(run, {
    name,
    kind: "signal",
    input: { timeoutMs },
    retry: waitPolicy,
    async execute(place) {
      const deadline = place.wakeAt ?? new Date(Date.now() + timeoutMs);
      await place.wait(deadline);
      const key = `${run.runId}/${name}`;
      const expected = run.signals.expect(key, options.schema);
      try {
        const wake = AbortSignal.any([place.signal, expected.arrived.signal]);
        const value = await run.showWaiting(() => receive(run, name, { deadline, wake, stopped: place.signal }));
        return await parseSchema(options.schema, value, { code: "REQUEST_INVALID", what: `signal "${name}"` });
      } finally {
        run.signals.forget(key, expected);
      }
    },
  });
}

interface Patience {
  readonly deadline: Date;
  /** Ends a pause early. */
  readonly wake: AbortSignal;
  /** Ends the wait. */
  readonly stopped: AbortSignal;
}

async function receive(run: RunSurroundings, name: string, { deadline, wake, stopped }: Patience): Promise<unknown> {
  for (;;) {
    const found = await persist(() => run.workspace.signals.find(run.runId, name), run.closing);
    if (found) return found.value;
    stopped.throwIfAborted();
    if (Date.now() >= deadline.getTime()) {
      throw new SluiceError("SIGNAL_TIMEOUT", {
        message: `signal "${name}" did not come before ${deadline.toISOString()}`,
        hint: "Resume the run to wait again, or give the wait a longer timeout.",
      });
    }
    await waitUntil(new Date(Math.min(deadline.getTime(), Date.now() + signalPollMs)), wake);
  }
}
