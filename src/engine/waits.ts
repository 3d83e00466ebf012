import { checkSchema, type Schema, type SignalWait, SluiceError } from "../core/index.ts";
import type { Execution } from "./execution.ts";
import { persist } from "./persist.ts";
import { type Numbering, runStep, waitPolicy } from "./step.ts";
import { clock } from "./timer.ts";

/** Waits in a run; the time to wake survives restarts. */
export async function sleep(
  execution: Execution,
  numbering: Numbering,
  name: string,
  durationMs: number,
): Promise<void> {
  await runStep(execution, numbering, {
    name,
    kind: "sleep",
    input: { durationMs },
    retry: waitPolicy,
    async execute(place) {
      const wakeAt = place.wakeAt ?? new Date(clock.now() + durationMs);
      // Woken before its time, by a signal for another wait or a new process, it sleeps on, and is shown so.
      if (!place.wakeAt || clock.now() < wakeAt.getTime()) await place.wait(wakeAt);
      await execution.wait(wakeAt, execution.run.signals);
      return null;
    },
  });
}

/**
 * Waits in a run for a value from outside. One that does not fit is dropped, and the wait goes on: it may have come while
 * nothing of the run was in memory, so that nobody could refuse it.
 *
 * @throws SIGNAL_TIMEOUT when none came in time.
 */
export async function waitForSignal<T>(
  execution: Execution,
  numbering: Numbering,
  name: string,
  options: SignalWait<T>,
): Promise<T> {
  return runStep<T>(execution, numbering, {
    name,
    kind: "signal",
    input: { timeoutMs: options.timeoutMs, ...(options.question !== undefined && { question: options.question }) },
    retry: waitPolicy,
    async execute(place) {
      const deadline = place.wakeAt ?? new Date(clock.now() + options.timeoutMs);
      const show = (): Promise<void> => place.wait(deadline);
      if (!place.wakeAt) await show();
      const { host, run } = execution;
      const expected = host.signals.expect(run, name, options.schema);
      const forget = (): void => host.signals.forget(run, name, expected);
      // A run that is parked never comes back here.
      execution.signal.addEventListener("abort", forget);
      const { signal: arrived } = expected.arrived;
      const value = await receive(execution, name, { ...options, deadline, arrived, ...(place.wakeAt && { show }) });
      forget();
      return value;
    },
  });
}

interface Patience<T> {
  readonly schema: Schema<T>;
  readonly deadline: Date;
  /** Fires when the signal was stored by this process. */
  readonly arrived: AbortSignal;
  /** Shows the step as waiting, when it was taken up again: questions to people are found by that. Default: it is shown so. */
  readonly show?: () => Promise<void>;
}

/** A look, then a wait that ends at the deadline or when a signal comes: while the run is in memory here, or by its row. */
async function receive<T>(execution: Execution, name: string, patience: Patience<T>): Promise<T> {
  const { schema, deadline, arrived, show } = patience;
  const { workspace, run, host } = execution;
  for (;;) {
    const { value, count } = await persist(() => workspace.signals.find(run.id, name), host.closing);
    if (value) {
      const checked = await checkSchema(schema, value.of);
      if (checked.ok) return checked.value;
      host.log.warn("signal.dropped", { run: run.id, name });
      await persist(() => workspace.signals.drop(run.id, name), host.closing);
    }
    if (clock.now() >= deadline.getTime()) {
      throw new SluiceError("SIGNAL_TIMEOUT", {
        message: `signal "${name}" did not come before ${deadline.toISOString()}`,
        hint: "Resume the run to wait again, or give the wait a longer timeout.",
      });
    }
    await show?.();
    await execution.wait(deadline, count, { interrupt: arrived.aborted ? undefined : arrived });
  }
}
