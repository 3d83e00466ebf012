import type { Schema } from "../core/index.ts";

/** A wait for a signal in this process. */
export interface ExpectedSignal {
  readonly schema: Schema;
  /** Fires when the signal has been stored by this process. */
  readonly arrived: AbortController;
}

/** Signals that runs of this process wait for: checks a value before it is stored, and wakes the run that waits. */
export class ExpectedSignals {
  readonly #expected = new Map<string, ExpectedSignal>();

  /** Begins to wait for a signal, by `run id/name`. */
  expect(key: string, schema: Schema): ExpectedSignal {
    const expected = { schema, arrived: new AbortController() };
    this.#expected.set(key, expected);
    return expected;
  }

  /** Ends a wait; that of another execution of the same run stays. */
  forget(key: string, expected: ExpectedSignal): void {
    if (this.#expected.get(key) === expected) this.#expected.delete(key);
  }

  /** What a signal must fit; undefined when no run of this process waits for it. */
  schemaOf(key: string): Schema | undefined {
    return this.#expected.get(key)?.schema;
  }

  announce(key: string): void {
    this.#expected.get(key)?.arrived.abort();
  }
}
