import type { Json } from "../core/index.ts";
import { isContentLost, openContent } from "../store/index.ts";
import type { Execution } from "./execution.ts";
import { recordOnce } from "./runtime.ts";

/**
 * Runs work as the next recorded operation of a run, as `recordOnce` does. DBOS keeps what comes of it in tables of its own:
 * it is given that sealed with the key of the run.
 *
 * @param path of the step, to which the record is bound.
 */
export async function recordSealed<T>(
  execution: Execution,
  { name, path }: { readonly name: string; readonly path: string },
  work: () => Promise<T>,
): Promise<T> {
  const { run, host } = execution;
  const key = run.contentKey === null ? null : host.store.keyring.openKey(run.contentKey);
  const place = `${run.id}/engine.outcome/${path}`;
  let fresh: T | undefined;
  const recorded = await recordOnce<Json>(name, async () => {
    fresh = await work();
    const outcome = fresh as Json;
    return key === null ? outcome : key.seal(outcome, place);
  });
  if (fresh !== undefined) return fresh;
  try {
    return openContent(key, recorded, place) as T;
  } catch (thrown) {
    if (isContentLost(thrown)) return execution.fail(thrown);
    throw thrown;
  }
}
