import type { StandardSchemaV1, StandardJSONSchemaV1 } from "@standard-schema/spec";
import { SluiceError, type ErrorCode } from "./errors.ts";
import { toFieldName } from "./field-name.ts";
import type { JsonObject } from "./json.ts";

/**
 * A schema of any library that follows Standard Schema: zod, valibot, arktype.
 *
 * @see https://standardschema.dev
 */
export type Schema<Output = unknown> = StandardSchemaV1<unknown, Output>;

/** Where a value did not fit its schema. Holds no part of the value. */
export interface SchemaIssue {
  /** JSON pointer of the place, such as `/lead/email`; empty for the value as a whole, `*` for a key that looks like data. */
  readonly path: string;
  readonly message: string;
}

/** The outcome of {@link checkSchema}. */
export type SchemaResult<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** Validates a value without throwing for one that does not fit. */
export async function checkSchema<Output>(schema: Schema<Output>, value: unknown): Promise<SchemaResult<Output>> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const { vendor } = schema["~standard"];
  const issues = result.issues.map((issue) => ({
    path: toPointer(issue.path ?? []),
    message: withoutValues(issue.message, vendor),
  }));
  return { ok: false, issues };
}

/**
 * Validates a value.
 *
 * @throws the given code, with the paths that did not fit as `details` and never the value.
 */
export async function parseSchema<Output>(
  schema: Schema<Output>,
  value: unknown,
  failure: { readonly code: ErrorCode; readonly what: string; readonly hint?: string },
): Promise<Output> {
  const result = await checkSchema(schema, value);
  if (result.ok) return result.value;
  const places = result.issues.map((issue) => issue.path || "(the whole value)");
  throw new SluiceError(failure.code, {
    message: `${failure.what} does not fit its schema at ${[...new Set(places)].slice(0, 10).join(", ")}`,
    hint: failure.hint ?? "Compare the fields named in details with the schema.",
    details: { issues: result.issues.slice(0, 50).map((issue) => ({ path: issue.path, message: issue.message })) },
  });
}

/**
 * Gives the JSON Schema (draft 2020-12) of a schema's input, for models, documents and the dashboard.
 *
 * @throws FLOW_INVALID when the schema's library does not give one.
 * @see https://standardschema.dev/json-schema
 */
export function toJsonSchema(schema: Schema): JsonObject {
  const before = known.get(schema);
  if (before) return before;
  const written = writeJsonSchema(schema);
  known.set(schema, written);
  return written;
}

/** Schemas are declared once and used for each run. */
const known = new WeakMap<Schema, JsonObject>();

function writeJsonSchema(schema: Schema): JsonObject {
  const standard = schema["~standard"] as Partial<StandardJSONSchemaV1.Props>;
  if (standard.jsonSchema === undefined) {
    throw new SluiceError("FLOW_INVALID", {
      message: `a schema of ${standard.vendor ?? "an unknown library"} cannot be written as JSON Schema`,
      hint: "Use zod 4.2 or later, or another library that follows Standard JSON Schema.",
    });
  }
  return standard.jsonSchema.input({ target: "draft-2020-12" }) as JsonObject;
}

/** JSON pointer of a path, with `*` for keys that may be a part of the value. @see https://www.rfc-editor.org/rfc/rfc6901 */
function toPointer(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  const keys = path.map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    // An index of a list says nothing of what stands there.
    return typeof key === "string" ? toFieldName(key) : String(key);
  });
  return keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/**
 * zod quotes only the schema's own words, but for unknown keys. Other libraries may quote the value, so what they put in
 * quotation marks is left out.
 */
function withoutValues(message: string, vendor: string): string {
  if (vendor !== "zod") return message.replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, "…").slice(0, 200);
  return message.startsWith("Unrecognized key") ? "Unrecognized key" : message.slice(0, 200);
}
