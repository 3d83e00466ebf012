import type { Json } from "./api.ts";
import { formatCount } from "./format.ts";

/** A field of a JSON Schema, for a table. */
export interface SchemaField {
  /** Dotted from the root; `[]` stands for each item of a list. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  /** Limits and choices, such as `1 to 100` or `sales | support`. */
  readonly rules: readonly string[];
  readonly description: string | undefined;
}

type Node = { readonly [key: string]: Json };

const isNode = (value: Json | undefined): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const nodes = (value: Json | undefined): Node[] => (Array.isArray(value) ? value.filter(isNode) : []);
const text = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

const deepest = 5;

/** Follows `$ref` inside the document; anything else stays as it is. */
function resolve(node: Node, root: Node): Node {
  const reference = node["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/")) return node;
  let found: Json | undefined = root;
  for (const key of reference.slice(2).split("/")) found = isNode(found) ? found[key] : undefined;
  return isNode(found) ? found : node;
}

function typeOf(node: Node, root: Node): string {
  const choices = [...nodes(node["anyOf"]), ...nodes(node["oneOf"])];
  if (choices.length > 0)
    return [...new Set(choices.map((choice) => typeOf(resolve(choice, root), root)))].join(" or ");
  if (node["const"] !== undefined || node["enum"] !== undefined) return "choice";
  const type = node["type"];
  if (type === "array") return isNode(node["items"]) ? `list of ${typeOf(resolve(node["items"], root), root)}` : "list";
  if (type === "string" && typeof node["format"] === "string") return node["format"];
  return Array.isArray(type) ? type.map(text).join(" or ") : typeof type === "string" ? type : "any";
}

const bounds = [
  ["minimum", "maximum", ""],
  ["minLength", "maxLength", " characters"],
  ["minItems", "maxItems", " items"],
] as const;

function rulesOf(node: Node): string[] {
  const rules = bounds.flatMap(([low, high, unit]) => {
    // The schema library writes the safe range of whole numbers as a limit; that says nothing to a reader.
    const [from, to] = [node[low], node[high]].map((value) =>
      typeof value === "number" && Math.abs(value) < 2 ** 53 - 1 ? value : undefined,
    );
    if (from === undefined && to === undefined) return [];
    if (low !== "minimum" && from === 1 && to === undefined) return ["not empty"];
    if (from === undefined) return [`at most ${formatCount(to ?? 0)}${unit}`];
    return [to === undefined ? `at least ${from}${unit}` : `${from} to ${to}${unit}`];
  });
  if (Array.isArray(node["enum"])) rules.push(node["enum"].map(text).join(" | "));
  if (node["const"] !== undefined) rules.push(text(node["const"]));
  if (node["default"] !== undefined) rules.push(`default ${text(node["default"])}`);
  return rules;
}

function walk(node: Node, path: string, depth: number, root: Node): SchemaField[] {
  const properties = isNode(node["properties"]) ? node["properties"] : {};
  const required = Array.isArray(node["required"]) ? node["required"] : [];
  return Object.entries(properties).flatMap(([name, value]) => {
    const child = resolve(isNode(value) ? value : {}, root);
    const childPath = path === "" ? name : `${path}.${name}`;
    const description = typeof child["description"] === "string" ? child["description"] : undefined;
    const field: SchemaField = {
      path: childPath,
      type: typeOf(child, root),
      required: required.includes(name),
      rules: rulesOf(child),
      description,
    };
    return [field, ...(depth < deepest ? inside(child, childPath, depth, root) : [])];
  });
}

function inside(node: Node, path: string, depth: number, root: Node): SchemaField[] {
  if (node["type"] === "array" && isNode(node["items"]))
    return walk(resolve(node["items"], root), `${path}[]`, depth + 1, root);
  return walk(node, path, depth + 1, root);
}

/** The fields of a JSON Schema of an object, in their order, those inside others after their parents. */
export const fieldsOf = (schema: Node): SchemaField[] => walk(resolve(schema, schema), "", 0, schema);
