import { isRecord, type SentFields, toJson } from "../core/index.ts";

/** What is left of a run's data for a call. */
export interface Minimised {
  readonly fields: SentFields;
  /** Names of the fields, in the order that the flow wrote them. */
  readonly sentFields: readonly string[];
  /** How many fields the event had. */
  readonly availableFields: number;
}

/** Stage 1: only the named fields go on; whatever else the run knows is out of reach of the later stages. */
export function minimise(send: SentFields, availableFields: number): Minimised {
  // The JSON form: a field without a value is not sent, and nothing can change what was recorded.
  const json = toJson(send);
  const fields = isRecord(json) ? json : {};
  return { fields, sentFields: Object.keys(fields), availableFields };
}
