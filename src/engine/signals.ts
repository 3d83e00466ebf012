import type { Schema } from "../core/index.ts";

/** How many schemas are remembered: names may be made at run time. */
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
  /** By flow and name. */
  readonly #schemas = new Map<string, Schema>();

  /** Begins to wait for a signal of a run. */
  expect(run: { readonly id: string; readonly flow: string }, name: string, schema: Schema): ExpectedSignal {
    const [oldest] = this.#schemas.keys();
    if (oldest !== undefined && this.#schemas.size >= mostRemembered) this.#schemas.delete(oldest);
    this.#schemas.set(`${run.flow}/${name}`, schema);
    const expected = { arrived: new AbortController() };
    this.#expected.set(`${run.id}/${name}`, expected);
    return expected;
  }

  /** Ends a wait; that of another execution of the same run stays. */
  forget(run: { readonly id: string }, name: string, expected: ExpectedSignal): void {
    const key = `${run.id}/${name}`;
    if (this.#expected.get(key) === expected) this.#expected.delete(key);
  }

  /** What a signal must fit; undefined when no run of the flow waited for it in this process. */
  schemaOf(flow: string, name: string): Schema | undefined {
    return this.#schemas.get(`${flow}/${name}`);
  }

  announce(runId: string, name: string): void {
    this.#expected.get(`${runId}/${name}`)?.arrived.abort();
  }
}
