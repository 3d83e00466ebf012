import { hash } from "node:crypto";

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/**
 * Writes a value as JSON with its object keys sorted by code unit, without white space, so that equal values give
 * equal text. Keys whose value is `undefined` are left out, as JSON.stringify does.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785 (JSON Canonicalization Scheme), of which this is the part JSON.stringify does not do.
 */
export function toCanonicalJson(value: unknown): string {
  return write(toJson(value));
}

/** Not by JSON.stringify: it writes keys that are whole numbers first, in any object. */
function write(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  const fields = value as JsonObject;
  const written = Object.keys(fields)
    .filter((key) => fields[key] !== undefined)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${write(fields[key] ?? null)}`);
  return `{${written.join(",")}}`;
}

/** SHA-256 of the canonical JSON of a value, as `sha256:` and 64 hexadecimal digits. */
export function digestOf(value: unknown): string {
  return digestOfJson(toJson(value));
}

/** {@link digestOf} a value that is JSON already, which need not be made into it. */
export function digestOfJson(value: Json): string {
  return `sha256:${hash("sha256", write(value))}`;
}

/** Whether a value is an object with named fields: no array, no null, no Date and no other built-in. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Gives the JSON form of a value: what remains after JSON.stringify and JSON.parse; `undefined` becomes null.
 *
 * @throws TypeError for a value that JSON cannot hold (BigInt, a cycle).
 */
export function toJson(value: unknown): Json {
  const text = JSON.stringify(value);
  return text === undefined ? null : (JSON.parse(text) as Json);
}
