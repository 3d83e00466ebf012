import { isRecord, toJson, type Json } from "../core/index.ts";

type SchemaNode = Readonly<Record<string, unknown>>;

const mark = "SIMULATED";
const texts: { readonly [format: string]: string } = {
  email: "simulated@example.com",
  uri: "https://example.com/simulated",
  url: "https://example.com/simulated",
  uuid: "00000000-0000-4000-8000-000000000000",
  "date-time": "2000-01-01T00:00:00Z",
  date: "2000-01-01",
  time: "00:00:00Z",
};
/** Deeper than any schema that ends; a schema that must contain itself cannot be fitted. */
const maxDepth = 32;

/**
 * Gives the smallest value that fits a JSON Schema: required properties only, empty lists, numbers nearest to 0, the first
 * of several choices. Every free text says SIMULATED. The same schema always gives the same value.
 *
 * Knows what schemas of answers are made of; `pattern`, `not` and conditions are not obeyed.
 */
export function fittingJson(schema: unknown): Json {
  return fit(schema, schema, 0);
}

function fit(schema: unknown, root: unknown, depth: number): Json {
  if (!isRecord(schema)) return mark;
  if (depth > maxDepth) return null;
  if (typeof schema["$ref"] === "string") return fit(resolve(schema["$ref"], root), root, depth + 1);
  if ("const" in schema) return toJson(schema["const"]);
  if (Array.isArray(schema["enum"])) return toJson(schema["enum"][0]);
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices)) return fit(choices[0], root, depth + 1);
  if (Array.isArray(schema["allOf"])) return fitAll(schema, schema["allOf"], root, depth);
  return fitType(schema, root, depth);
}

function fitType(schema: SchemaNode, root: unknown, depth: number): Json {
  const type: unknown = Array.isArray(schema["type"]) ? schema["type"].find((item) => item !== "null") : schema["type"];
  if (type === "object" || isRecord(schema["properties"])) return fitObject(schema, root, depth);
  if (type === "array") {
    return Array.from({ length: toNumber(schema["minItems"], 0) }, () => fit(schema["items"], root, depth + 1));
  }
  if (type === "integer" || type === "number") return fitNumber(schema, type === "integer" ? 1 : 0);
  if (type === "boolean") return false;
  if (type === "null" || (type === undefined && Array.isArray(schema["type"]))) return null;
  return fitText(schema);
}

function fitObject(schema: SchemaNode, root: unknown, depth: number): Json {
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  return Object.fromEntries(
    required.map((name) => [name, fit(Object.hasOwn(properties, name) ? properties[name] : true, root, depth + 1)]),
  );
}

/** Objects are joined; of other parts the last counts. */
function fitAll(schema: SchemaNode, allOf: readonly unknown[], root: unknown, depth: number): Json {
  const { allOf: _, ...own } = schema;
  const parts = "type" in own || "properties" in own ? [...allOf, own] : allOf;
  const fitted = parts.map((part) => fit(part, root, depth + 1));
  return fitted.every(isRecord) ? (Object.assign({}, ...fitted) as Json) : (fitted.at(-1) ?? mark);
}

/** `step` is 1 for whole numbers, 0 where any will do. */
function fitNumber(schema: SchemaNode, step: number): number {
  const multiple = toNumber(schema["multipleOf"], step);
  const gap = multiple || Number.EPSILON;
  const minimum = toNumber(schema["minimum"], -Infinity);
  const above = toNumber(schema["exclusiveMinimum"], -Infinity);
  const maximum = toNumber(schema["maximum"], Infinity);
  const below = toNumber(schema["exclusiveMaximum"], Infinity);
  const lowest = Math.max(minimum, above + (Number.isFinite(above) ? nextGap(above, gap) : 0));
  const highest = Math.min(maximum, below - (Number.isFinite(below) ? nextGap(below, gap) : 0));
  const nearest = Math.min(Math.max(0, lowest), highest);
  if (multiple === 0 || nearest === 0) return nearest;
  return nearest > 0 ? Math.ceil(nearest / multiple) * multiple : Math.floor(nearest / multiple) * multiple;
}

/** For whole steps half a step is enough, because the result is rounded away from 0 to a multiple; else a visible step. */
function nextGap(bound: number, gap: number): number {
  return gap === Number.EPSILON ? Math.max(Math.abs(bound), 1) * 1e-6 : gap / 2;
}

function fitText(schema: SchemaNode): string {
  const text = texts[String(schema["format"])] ?? mark;
  return text.padEnd(toNumber(schema["minLength"], 0), ".").slice(0, toNumber(schema["maxLength"], Infinity));
}

function toNumber(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

/** The part of a schema that a reference such as `#/$defs/lead` names. */
function resolve(reference: string, root: unknown): unknown {
  const keys = reference.replace(/^#\/?/, "").split("/").filter(Boolean);
  return keys
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((node, key) => (isRecord(node) && Object.hasOwn(node, key) ? node[key] : undefined), root);
}
