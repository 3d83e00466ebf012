import { dimensionOf, levelOf } from "./levels.ts";
import { bareName, type Reading } from "./reading.ts";
import type { SchemaNode } from "./schema-node.ts";

/** Gives a number that fits a schema: a level of what the name asks, a figure of the message, or one in the lower middle. */
export function fillNumber(name: string, schema: SchemaNode, reading: Reading): number {
  const isInteger = schema["type"] === "integer";
  const step = numberOf(schema["multipleOf"]) ?? (isInteger ? 1 : undefined);
  const [lowest, highest] = boundsOf(schema, step ?? 1e-6);
  const description = typeof schema["description"] === "string" ? schema["description"] : "";
  const figure = figureOf(name, reading);
  const dimension = dimensionOf(name, description);
  const level = dimension ? levelOf(dimension, reading) : 0.4;
  const wanted = figure ?? withoutTail(scale(Number(level.toFixed(2)), name, lowest, highest));
  return fitTo(wanted, { lowest, highest, step });
}

const seatNames = /seats|users|employees|headcount|licen[cs]es|people|quantity|teamsize|companysize/;
const moneyNames = /amount|budget|price|value|total|revenue|cost|spend|usd|eur/;

/** A figure that was sent under this name, or that the message names for it. */
function figureOf(name: string, { fields, quantities }: Reading): number | undefined {
  const key = bareName(name);
  const sent = fields.get(key);
  if (typeof sent === "number") return sent;
  if (seatNames.test(key)) return quantities.seats?.count ?? 0;
  return moneyNames.test(key) ? (quantities.money?.amount ?? 0) : undefined;
}

/** Spreads a level over the bounds; without bounds, over what such a name usually has. */
function scale(level: number, name: string, lowest: number, highest: number): number {
  const usual = /rating|stars/.test(name) ? [1, 5] : /probab|confiden|likel/.test(name) ? [0, 1] : [0, 100];
  const low = Number.isFinite(lowest) ? lowest : Math.min(usual[0] ?? 0, highest);
  const high = Number.isFinite(highest) ? highest : Math.max(usual[1] ?? 1, low);
  return low + level * (high - low);
}

function boundsOf(schema: SchemaNode, gap: number): [lowest: number, highest: number] {
  const above = numberOf(schema["exclusiveMinimum"]);
  const below = numberOf(schema["exclusiveMaximum"]);
  const least = Math.max(numberOf(schema["minimum"]) ?? -Infinity, above === undefined ? -Infinity : above + gap);
  const most = Math.min(numberOf(schema["maximum"]) ?? Infinity, below === undefined ? Infinity : below - gap);
  return [least, most];
}

interface Grid {
  readonly lowest: number;
  readonly highest: number;
  /** Undefined when any number between the bounds will do. */
  readonly step: number | undefined;
}

function fitTo(wanted: number, { lowest, highest, step }: Grid): number {
  const inside = Math.min(highest, Math.max(lowest, wanted));
  if (step === undefined) return inside;
  const rounded = Math.round(inside / step) * step;
  if (rounded < lowest) return withoutTail(Math.ceil(lowest / step) * step);
  return withoutTail(rounded > highest ? Math.floor(highest / step) * step : rounded);
}

/** 0.30000000000000004 is no multiple of 0.1. */
function withoutTail(value: number): number {
  return Number(value.toFixed(10));
}

/** JSON Schema of zod's integers has the limits of exact integers as bounds, which are none. */
function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}
