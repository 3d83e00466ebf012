import { isRecord } from "../../core/index.ts";

/** A part of a JSON Schema. */
export type SchemaNode = Readonly<Record<string, unknown>>;

/** A part of a schema as an object: `true` and what is absent allow anything. */
export function toNode(schema: unknown): SchemaNode {
  return isRecord(schema) ? schema : {};
}

/** Follows local references such as `#/$defs/lead`. */
export function resolveReference(schema: unknown, root: unknown): SchemaNode {
  let node = toNode(schema);
  for (let hops = 0; typeof node["$ref"] === "string" && hops < 16; hops += 1) {
    const { $ref, ...beside } = node;
    const keys = $ref.replace(/^#\/?/, "").split("/").filter(Boolean);
    const target = keys
      .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<unknown>((part, key) => (isRecord(part) && Object.hasOwn(part, key) ? part[key] : undefined), root);
    node = { ...toNode(target), ...beside };
  }
  return node;
}

/** Joins the parts of an `allOf`: properties and requirements of all, and of other words the last. */
export function joinAll(schema: SchemaNode, root: unknown): SchemaNode {
  if (!Array.isArray(schema["allOf"])) return schema;
  const { allOf, ...own } = schema;
  const parts = [...(allOf as unknown[]), own].map((part) => joinAll(resolveReference(part, root), root));
  return parts.reduce<SchemaNode>(
    (joined, part) => ({
      ...joined,
      ...part,
      properties: { ...toNode(joined["properties"]), ...toNode(part["properties"]) },
      required: [...listOf(joined["required"]), ...listOf(part["required"])],
    }),
    {},
  );
}

/** The items of a list, or none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** A number, or what holds without one. */
export function numberOr(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}
