import { isRecord, type Json, toJson } from "../../core/index.ts";
import { asksForPart, fillText, quotedText } from "./fill-text.ts";
import { fillNumber } from "./fill-number.ts";
import { rankLabels } from "./labels.ts";
import { dimensionOf, levelOf } from "./levels.ts";
import { type Reading, stem, wordsOf } from "./reading.ts";
import { joinAll, listOf, numberOr, resolveReference, type SchemaNode, toNode } from "./schema-node.ts";
import { evidenceOf } from "./sentences.ts";

/** What filling goes by, the same at every depth. */
export interface Filling {
  readonly root: unknown;
  readonly reading: Reading;
  /** What each label stands for, where the operator said. */
  readonly meanings: ReadonlyMap<string, string>;
}

/** Below this, lists stay empty and what may be left out is left out, so that a schema that contains itself ends. */
const maxDepth = 6;

/** Gives a value that fits a JSON Schema, filled with what was read. */
export function fill(name: string, schema: unknown, filling: Filling, depth = 0): Json {
  const node = joinAll(resolveReference(schema, filling.root), filling.root);
  if ("const" in node) return toJson(node["const"]);
  if (Array.isArray(node["enum"])) return chooseValue(name, node, filling);
  const choices = listOf(node["anyOf"] ?? node["oneOf"]);
  if (choices.length > 0) return fillChoice(name, { node, choices }, filling, depth);
  return fillType(name, node, filling, depth);
}

function fillType(name: string, node: SchemaNode, filling: Filling, depth: number): Json {
  const types = Array.isArray(node["type"]) ? listOf(node["type"]) : [node["type"]];
  if (types.includes("null") && (types.length === 1 || isAbsent(name, filling))) return null;
  const type = types.find((item) => item !== "null");
  if (type === "object" || isRecord(node["properties"])) return fillObject(node, filling, depth);
  if (type === "array") return fillList(name, node, filling, depth);
  if (type === "integer" || type === "number") return fillNumber(name, { ...node, type }, filling.reading);
  if (type === "boolean") return decide(name, node, filling.reading);
  return fillText(name, node, filling.reading);
}

/** Whether a name asks for a part of the data that is not there. */
function isAbsent(name: string, { reading }: Filling): boolean {
  return asksForPart(name) && quotedText(name, reading) === undefined;
}

function chooseValue(name: string, node: SchemaNode, filling: Filling): Json {
  const values = listOf(node["enum"]);
  const labels = values.filter((value) => typeof value === "string");
  const best = rankLabels(
    { name, description: textOf(node["description"]), labels, meanings: filling.meanings },
    filling.reading,
  )[0];
  return best === undefined ? toJson(values[0]) : best.label;
}

/** Of several shapes: null for a part that the data lacks, the shape whose constant fits best, else the first. */
function fillChoice(
  name: string,
  { node, choices }: { readonly node: SchemaNode; readonly choices: readonly unknown[] },
  filling: Filling,
  depth: number,
): Json {
  const shapes = choices.map((choice) => joinAll(resolveReference(choice, filling.root), filling.root));
  const isNullable = shapes.some((shape) => shape["type"] === "null");
  if (isNullable && (depth >= maxDepth || isAbsent(name, filling))) return null;
  const real = shapes.filter((shape) => shape["type"] !== "null");
  const byLabel = new Map(real.flatMap((shape) => constantsOf(shape).map((label) => [label, shape] as const)));
  const description = textOf(node["description"]);
  const labels = [...byLabel.keys()];
  const best = rankLabels({ name, description, labels, meanings: filling.meanings }, filling.reading)[0];
  const chosen = (best && byLabel.get(best.label)) ?? real[0];
  // The choice's own description belongs to whichever shape is taken.
  return fill(name, { ...(description !== "" && { description }), ...chosen }, filling, depth + 1);
}

/** The constants that tell a shape from the others: its own, or those of its properties. */
function constantsOf(shape: SchemaNode): string[] {
  const properties = Object.values(toNode(shape["properties"])).map((property) => toNode(property)["const"]);
  return [shape["const"], ...properties].filter((value) => typeof value === "string");
}

function fillObject(node: SchemaNode, filling: Filling, depth: number): Json {
  const properties = toNode(node["properties"]);
  const required = listOf(node["required"]).map(String);
  const names = depth >= maxDepth ? required : [...new Set([...Object.keys(properties), ...required])];
  const rest = isRecord(node["additionalProperties"]) ? node["additionalProperties"] : {};
  return Object.fromEntries(
    names.map((name) => [
      name,
      fill(name, Object.hasOwn(properties, name) ? properties[name] : rest, filling, depth + 1),
    ]),
  );
}

function fillList(name: string, node: SchemaNode, filling: Filling, depth: number): Json {
  const fixed = listOf(node["prefixItems"]).map((item) => fill(name, item, filling, depth + 1));
  const least = numberOr(node["minItems"], 0);
  const most = Math.min(numberOr(node["maxItems"], Infinity), Math.max(3, least));
  if (fixed.length > 0 || node["items"] === false) return fixed;
  const items = depth >= maxDepth ? [] : candidatesOf(name, node["items"], filling, depth).slice(0, most);
  while (items.length < least) items.push(fill(`${name} ${items.length + 1}`, node["items"], filling, depth + 1));
  return items;
}

function candidatesOf(name: string, items: unknown, filling: Filling, depth: number): Json[] {
  const { reading, meanings } = filling;
  const node = resolveReference(items, filling.root);
  if (Array.isArray(node["enum"])) {
    const labels = listOf(node["enum"]).filter((value) => typeof value === "string");
    const ranked = rankLabels({ name, description: "", labels, meanings }, reading).filter(({ fit }) => fit >= 1);
    return ranked.map(({ label }) => label);
  }
  const isPlainText =
    node["type"] === "string" && Object.keys(node).every((key) => key === "type" || key === "description");
  if (!isPlainText) return [fill(singular(name), node, filling, depth + 1)];
  if (/question/.test(name)) return reading.sentences.filter((sentence) => sentence.endsWith("?"));
  return /date/.test(name) ? [...reading.quantities.dates] : evidenceOf(reading);
}

function singular(name: string): string {
  return name.replace(/s$/, "");
}

/** Answers a question by a name such as `is_urgent`, `needs_reply` or `mentions_budget`. */
function decide(name: string, node: SchemaNode, reading: Reading): boolean {
  const words = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const isWanted = /reply|response|answer|follow|human|contact/.test(words);
  const dimension = dimensionOf(words, textOf(node["description"]));
  if (dimension !== undefined) return levelOf(dimension, reading) > 0.6;
  if (isWanted) return levelOf("spam", reading) < 0.6 && reading.stems.size > 3;
  const asked = wordsOf(words.replaceAll("_", " ")).map((word) => stem(word));
  const denied = reading.hits.some(
    ({ phrase }) => phrase.startsWith("not ") && asked.some((word) => phrase.includes(word)),
  );
  return !denied && asked.some((word) => word.length > 3 && reading.stems.has(word));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
