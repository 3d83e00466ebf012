import type { Schema } from "../core/index.ts";

/** Signals that runs of this process wait for: checks a value before it is stored, and wakes the run that waits. */
export class ExpectedSignals {
  readonly #expected = new Map<string, { readonly schema: Schema; arrived: AbortController }>();

  /** Begins to wait for a signal, by `run id/name`. */
  expect(key: string, schema: Schema): void {
    this.#expected.set(key, { schema, arrived: new AbortController() });
  }

  forget(key: string): void {
    this.#expected.delete(key);
  }

  /** What a signal must fit; undefined when no run of this process waits for it. */
  schemaOf(key: string): Schema | undefined {
    return this.#expected.get(key)?.schema;
  }

  /** Fires when the signal has been stored by this process. */
  arrival(key: string): AbortSignal {
    return this.#expected.get(key)?.arrived.signal ?? new AbortController().signal;
  }

  announce(key: string): void {
    this.#expected.get(key)?.arrived.abort();
  }
}
