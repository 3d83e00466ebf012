import type { z } from "zod";
import { SluiceError } from "../core/index.ts";
import { fieldsAt, modelSchema } from "./model-schema.ts";
import { type HostedModelSpec, isSimulated, type ModelSpec } from "./model-spec.ts";
import { kindOf, providerFacts } from "./provider-facts.ts";

/**
 * Checks what is written for a model name: that every field exists, has a value that is allowed, and fits the provider.
 *
 * @throws CONFIG_INVALID with the place, the value and what is allowed.
 */
export function checkModelFields(name: string, specs: readonly ModelSpec[]): void {
  for (const [index, spec] of specs.entries()) {
    const place = `models.${name}${specs.length > 1 ? `[${index}]` : ""}`;
    const issue = modelSchema.safeParse(spec).error?.issues[0];
    if (issue) throw invalid(place, spec, issue);
    if (!isSimulated(spec)) checkKind(place, spec);
  }
  const kinds = new Set(specs.flatMap((spec) => (isSimulated(spec) ? [] : [kindOf(spec)])));
  if (kinds.size > 1) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `models.${name} is a list with models of kind ${[...kinds].join(" and ")}`,
      hint: "A model can stand in only for one of the same kind. Give the others a name of their own.",
    });
  }
}

function checkKind(place: string, spec: HostedModelSpec): void {
  const kind = kindOf(spec);
  const { kinds } = providerFacts[spec.provider];
  if (kinds.includes(kind)) return;
  const able = Object.entries(providerFacts).flatMap(([name, facts]) => (facts.kinds.includes(kind) ? [name] : []));
  throw new SluiceError("CONFIG_INVALID", {
    message: `${place}.kind is "${kind}", which provider ${spec.provider} does not have; it has ${kinds.join(", ")}`,
    hint: `Providers with models of kind ${kind}: ${able.join(", ")}.`,
  });
}

function invalid(place: string, spec: unknown, issue: z.core.$ZodIssue): SluiceError {
  const path = issue.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const nearest = nearestOf(key, fieldsAt(issue.path));
    return new SluiceError("CONFIG_INVALID", {
      message: `${place}${path}.${key} is not a field that models have`,
      hint: nearest === undefined ? `Fields here: ${fieldsAt(issue.path).join(", ")}.` : `Did you mean ${nearest}?`,
    });
  }
  // The issue of a provider that is none is about all of them; the union's other words say nothing to people.
  const isProvider = path === ".provider";
  const expected = isProvider
    ? `one of ${[...Object.keys(providerFacts), "simulated"].join(", ")}`
    : lowerFirst(issue.message);
  return new SluiceError("CONFIG_INVALID", {
    message: `${place}${path} is ${showAt(spec, issue.path)}: ${isProvider ? `expected ${expected}` : expected}`,
    hint: "Correct it in the configuration.",
  });
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** Never the value of a field that names a secret: somebody may have put the secret itself there. */
const secretFields: ReadonlySet<PropertyKey> = new Set(["apiKey", "accessKeyId", "secretAccessKey", "baseUrl"]);

function showAt(spec: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>((part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key], spec);
  if (value === undefined) return "missing";
  if (path.some((key) => secretFields.has(key))) return "not as it must be";
  return typeof value === "object" ? "a list or an object" : JSON.stringify(value).slice(0, 80);
}

/** The name that is meant by one with a typing error; undefined when none is near. */
function nearestOf(word: string, names: readonly string[]): string | undefined {
  const distances = names.map((name) => ({ name, distance: distanceOf(word.toLowerCase(), name.toLowerCase()) }));
  const [best] = distances.toSorted((one, other) => one.distance - other.distance);
  return best !== undefined && best.distance <= Math.max(2, word.length / 4) ? best.name : undefined;
}

/** How many letters have to be added, taken away or changed. @see https://en.wikipedia.org/wiki/Levenshtein_distance */
function distanceOf(word: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let index = 0; index < word.length; index += 1) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at += 1) {
      const change = (row[at] ?? 0) + (word[index] === other[at] ? 0 : 1);
      next.push(Math.min(change, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
