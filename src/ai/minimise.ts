import { isRecord, type Json, type SentField, type SentFields, toFieldName, toJson } from "../core/index.ts";

/** What is left of a run's data for a call. */
export interface Minimised {
  readonly fields: SentFields;
  /** The fields in the order that the flow wrote them, with where their values stand in the event. */
  readonly origins: readonly Omit<SentField, "masked">[];
  /** How many fields (leaves) the event had. */
  readonly availableFields: number;
}

/** Stage 1: only the named fields go on; whatever else the run knows is out of reach of the later stages. */
export function minimise(send: SentFields, payload: Json): Minimised {
  // The JSON form: a field without a value is not sent, and nothing can change what was recorded.
  const json = toJson(send);
  const fields = isRecord(json) ? json : {};
  const leaves = leavesOf(payload);
  const origins = Object.entries(fields).map(([name, value]) => ({ name, sources: sourcesOf(value, leaves) }));
  return { fields, origins, availableFields: countLeaves(payload) };
}

interface Leaf {
  readonly path: string;
  readonly value: string;
}

/** Beyond these, sources are not looked for: they are for people to read, and an event of a megabyte must not cost seconds. */
const mostLeaves = 500;
const mostSources = 10;
/** Shorter values stand in many places by chance. */
const shortestValue = 3;

/** The values of a payload with their paths: `company`, `contact.email`, `items.0.name`. Paths are stored unsealed. */
function leavesOf(payload: Json): Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (value: Json, path: string): void => {
    if (leaves.length >= mostLeaves) return;
    if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        const name = toFieldName(key);
        visit(item, path === "" ? name : `${path}.${name}`);
      }
    } else if (String(value).length >= shortestValue && typeof value !== "boolean" && value !== null) {
      leaves.push({ path, value: String(value) });
    }
  };
  visit(payload, "");
  return leaves;
}

/** Paths of the event whose values stand in what is sent, alone or inside a text that the flow made. */
function sourcesOf(value: Json, leaves: readonly Leaf[]): string[] {
  const sent = new Set(leavesOf(value).map((leaf) => leaf.value));
  const exact = leaves.filter((leaf) => sent.has(leaf.value));
  if (exact.length > 0) return exact.slice(0, mostSources).map(({ path }) => path);
  const texts = [...sent];
  const inside = leaves.filter((leaf) => texts.some((text) => text.includes(leaf.value)));
  return inside.slice(0, mostSources).map(({ path }) => path);
}

/** Number of fields of a payload that hold a value; an array counts its items. */
function countLeaves(value: Json): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, item: Json) => sum + countLeaves(item), 0);
}
