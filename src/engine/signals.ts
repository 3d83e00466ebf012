import type { Schema } from "../core/index.ts";

/** How many schemas are remembered. The oldest is forgotten first; its run then checks the value when it goes on. */
const mostRemembered = 1000;

/** A wait for a signal in this process. */
export interface ExpectedSignal {
  /** Fires when the signal has been stored by this process. */
  readonly arrived: AbortController;
}

/**
 * Signals that runs of this process wait for, or waited for before they were parked: checks a value before it is stored,
 * and wakes the run that waits.
 */
export class ExpectedSignals {
  readonly #expected = new Map<string, ExpectedSignal>();
  /** By run and name: one run's schema may be made of its own data, and says nothing of what another waits for. */
  readonly #schemas = new Map<string, Schema>();

  /** Begins to wait for a signal of a run. */
  expect(run: { readonly id: string }, name: string, schema: Schema): ExpectedSignal {
    const key = `${run.id}/${name}`;
    const [oldest] = this.#schemas.keys();
    if (oldest !== undefined && this.#schemas.size >= mostRemembered) this.#schemas.delete(oldest);
    this.#schemas.set(key, schema);
    const expected = { arrived: new AbortController() };
    this.#expected.set(key, expected);
    return expected;
  }

  /** Ends a wait; that of another execution of the same run stays. */
  forget(run: { readonly id: string }, name: string, expected: ExpectedSignal): void {
    const key = `${run.id}/${name}`;
    if (this.#expected.get(key) === expected) this.#expected.delete(key);
  }

  /** What a signal must fit; undefined when the run has not waited for it in this process, or long ago. */
  schemaOf(runId: string, name: string): Schema | undefined {
    return this.#schemas.get(`${runId}/${name}`);
  }

  announce(runId: string, name: string): void {
    this.#expected.get(`${runId}/${name}`)?.arrived.abort();
  }
}
