import { SluiceError } from "../core/index.ts";
import { pause } from "./timer.ts";

const retryMs = 250;

/** Never settles. What awaits it is given up, as if the process had died there; another execution takes the run over. */
export function abandon(): Promise<never> {
  return new Promise(() => {});
}

/**
 * Writes to the store, again and again while the database is away: a step that did its work must not fail because its
 * record could not be written at once. Given up when the engine closes.
 */
export async function persist<T>(write: () => Promise<T>, closing: AbortSignal): Promise<T> {
  for (;;) {
    if (closing.aborted) return abandon();
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === "DATABASE_UNAVAILABLE")) throw error;
    }
    await pause(retryMs, closing);
  }
}
