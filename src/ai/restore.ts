import type { Masked } from "./mask.ts";

/** Stage 9: without placeholders there is nothing to put back, so the value is returned as it is. */
export function restore<T>(value: T, _masked: Masked): T {
  return value;
}
