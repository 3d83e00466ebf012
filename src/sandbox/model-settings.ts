import type { BatchParts } from "./batches.ts";
import type { RateWindows } from "./model-limits.ts";
import type { ModelMind } from "./model-request.ts";

/** What the stand-in of a vendor of models needs besides the call. */
export interface ModelSettings extends ModelMind {
  readonly key: string;
  readonly windows: RateWindows;
  readonly batches: BatchParts;
}
