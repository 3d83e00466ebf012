import { api, toProblem, type Problem, type RunDetailView } from "./api.ts";

/** A few requests at a time: a page of runs must not hold the server up for others. */
const concurrency = 4;

/** What came of one of many. */
type Outcome<T> = { readonly id: string; readonly value: T } | { readonly id: string; readonly problem: Problem };

/**
 * Does something for each run, a few at a time. One that fails does not keep the others from being done.
 *
 * @param onProgress is told how many are over.
 */
export async function forRuns<T>(
  ids: readonly string[],
  work: (id: string) => Promise<T>,
  onProgress?: (over: number) => void,
): Promise<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = [];
  const queue = ids.values();
  async function take(): Promise<void> {
    for (const id of queue) {
      outcomes.push(
        await work(id).then(
          (value) => ({ id, value }),
          (error: unknown) => ({ id, problem: toProblem(error) }),
        ),
      );
      onProgress?.(outcomes.length);
    }
  }
  await Promise.all(Array.from({ length: concurrency }, take));
  return outcomes;
}

/** Runs as they stand at this moment. Those that are gone are left out. @throws {@link Problem} when none can be read. */
export async function readRuns(ids: readonly string[]): Promise<RunDetailView[]> {
  const outcomes = await forRuns(ids, api.run);
  const runs = outcomes.flatMap((outcome) => ("value" in outcome ? [outcome.value] : []));
  const [first] = outcomes;
  if (runs.length === 0 && first && "problem" in first) throw first.problem;
  return runs;
}
