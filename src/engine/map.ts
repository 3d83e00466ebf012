import { isRecord, type MapOptions, SluiceError, type StepPath } from "../core/index.ts";
import type { Execution } from "./execution.ts";
import { Numbering, runStep, waitPolicy } from "./step.ts";

const defaultConcurrency = 10;
/** Every item has a row of its own, and all results are in memory together. */
const mostItems = 10_000;

/** What {@link runMap} takes. */
export interface MapWork<Item, Result> extends MapOptions {
  readonly items: readonly Item[];
  /** Runs the work of an item, whose steps are numbered below `path`. */
  readonly work: (item: Item, index: number, path: StepPath) => Promise<Result>;
}

/**
 * Runs work for each item as one step. The items are steps inside it, recorded each in its row: after a crash the work of
 * those that succeeded is not repeated, and after a resume only those that failed are done again.
 *
 * @throws ITEMS_FAILED when all have come to their end and some failed; FLOW_INVALID for too many items.
 */
export async function runMap<Item, Result>(
  execution: Execution,
  numbering: Numbering,
  map: MapWork<Item, Result>,
): Promise<Result[]> {
  const { items, name = "map", concurrency = defaultConcurrency } = map;
  if (items.length > mostItems || !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new SluiceError("FLOW_INVALID", {
      message: `map "${name}" was given ${items.length} items and concurrency ${concurrency}, expected at most ${mostItems} items and a whole number of at least 1`,
      hint: "Divide the items among several sub-flows.",
    });
  }
  return runStep<Result[]>(execution, numbering, {
    name,
    kind: "map",
    input: { items: items.length, concurrency },
    retry: waitPolicy,
    execute: ({ path }) => runItems(execution, { ...map, name, concurrency }, path),
  });
}

async function runItems<Item, Result>(
  execution: Execution,
  { items, work, name, concurrency }: MapWork<Item, Result> & { readonly name: string; readonly concurrency: number },
  path: StepPath,
): Promise<Result[]> {
  const results: Result[] = [];
  const failed = new Map<number, SluiceError>();
  // Items are taken in order, but which worker is free first is not the same on every replay: each numbers its own steps.
  const queue = items.entries();
  async function takeItems(): Promise<void> {
    for (const [index, item] of queue) {
      try {
        results[index] = await runItem(execution, { path, index, name }, (place) => work(item, index, place));
      } catch (error) {
        failed.set(index, error as SluiceError);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, takeItems));
  if (failed.size === 0) return results;
  throw itemsFailed(name, items.length, failed);
}

function runItem<Result>(
  execution: Execution,
  { path, index, name }: { readonly path: StepPath; readonly index: number; readonly name: string },
  work: (path: StepPath) => Promise<Result>,
): Promise<Result> {
  const numbering = new Numbering(path, index);
  return runStep<Result>(execution, numbering, {
    name: `${name} ${index + 1}`,
    kind: "item",
    retry: waitPolicy,
    execute: (place) => work(place.path),
  });
}

/** One in doubt puts the whole run in doubt: a person has to look before it goes on. */
function itemsFailed(name: string, count: number, failed: ReadonlyMap<number, SluiceError>): SluiceError {
  const inOrder = [...failed].toSorted(([a], [b]) => a - b);
  const items = inOrder.slice(0, 100).map(([index, { code }]) => ({ index, code }));
  const doubtful = inOrder.filter(([, { code }]) => code === "EFFECT_IN_DOUBT");
  const [index, error] = doubtful[0] ?? inOrder[0] ?? [];
  const example = `item ${(index ?? 0) + 1}: ${error?.code} ${error?.message}`;
  if (doubtful.length > 0) {
    return new SluiceError("EFFECT_IN_DOUBT", {
      message: `${doubtful.length} of ${count} items of map "${name}" are in doubt; ${example}`,
      hint: error?.hint,
      details: { ...(isRecord(error?.details) && error.details), items },
    });
  }
  return new SluiceError("ITEMS_FAILED", {
    message: `${failed.size} of ${count} items of map "${name}" failed; the first is ${example}`,
    hint: "Resume the run to do only these again.",
    details: { items },
  });
}
