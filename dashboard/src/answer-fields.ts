import type { Json } from "./api.ts";
import { parseJson } from "./json-text.ts";
import { fieldsOf } from "./schema-fields.ts";

/** A field of a form that is made from a JSON Schema. */
export interface AnswerField {
  readonly name: string;
  /** Lists, objects and mixtures are written as JSON. */
  readonly kind: "text" | "number" | "yes_no" | "choice" | "json";
  readonly required: boolean;
  readonly isWhole: boolean;
  readonly choices: readonly Json[];
  /** Of a number its least and most, of a text its shortest and longest length. */
  readonly least: number | undefined;
  readonly most: number | undefined;
  /** Limits in words, such as `1 to 100`. */
  readonly rules: readonly string[];
  readonly description: string | undefined;
}

type Node = { readonly [key: string]: Json };

const isNode = (value: Json | undefined): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields of a schema of an object; null for any other schema, which is answered with JSON as a whole. */
export function answerFieldsOf(schema: Json): AnswerField[] | null {
  if (!isNode(schema) || schema["type"] !== "object" || !isNode(schema["properties"])) return null;
  const properties = schema["properties"];
  const top = fieldsOf(schema).filter(({ path }) => path in properties);
  if (top.length === 0) return null;
  return top.map(({ path, required, rules, description }) => {
    const node = properties[path];
    const property = isNode(node) ? node : {};
    const choices = choicesOf(property);
    const isText = property["type"] === "string";
    return {
      name: path,
      kind: kindOf(property, choices),
      required,
      isWhole: property["type"] === "integer",
      choices,
      least: numberOf(property[isText ? "minLength" : "minimum"]),
      most: numberOf(property[isText ? "maxLength" : "maximum"]),
      // The choices stand in the list already.
      rules: choices.length > 0 ? [] : rules,
      description,
    };
  });
}

const numberOf = (value: Json | undefined): number | undefined => (typeof value === "number" ? value : undefined);

function choicesOf(node: Node): readonly Json[] {
  if (Array.isArray(node["enum"])) return node["enum"];
  return node["const"] === undefined ? [] : [node["const"]];
}

function kindOf(node: Node, choices: readonly Json[]): AnswerField["kind"] {
  if (choices.length > 0) return "choice";
  switch (node["type"]) {
    case "string":
      return "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "yes_no";
    default:
      return "json";
  }
}

/** What a form holds: the text of each field by its name. */
export type AnswerTexts = { readonly [name: string]: string };

/**
 * What the model said, as far as it fits into the fields: it is easier to mend an answer than to write one.
 *
 * @param isUsable false for a text that must not be taken over, because placeholders stand in it.
 */
export function textsOf(
  fields: readonly AnswerField[],
  answer: string | null,
  isUsable: (text: string) => boolean,
): AnswerTexts {
  const parsed = parseJson(answer ?? "null");
  const said = "value" in parsed && isNode(parsed.value) ? parsed.value : {};
  return Object.fromEntries(
    fields.map((field) => {
      const text = textOf(field, said[field.name]);
      return [field.name, isUsable(text) ? text : ""];
    }),
  );
}

function textOf({ kind, choices }: AnswerField, value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (kind === "choice") return choices.includes(value) ? JSON.stringify(value) : "";
  if (kind === "json") return JSON.stringify(value, null, 2);
  return typeof value === "object" ? "" : String(value);
}

/** A field's text as its value; undefined when it is left out. The server checks again, and more. */
export function valueOf(
  field: AnswerField,
  text: string,
): { readonly value: Json | undefined } | { readonly mistake: string } {
  const { kind, required, isWhole } = field;
  if (text.trim() === "") {
    if (!required) return { value: undefined };
    return kind === "text" && !field.least ? { value: text } : { mistake: "A value is needed." };
  }
  if (kind === "text") return within(field, text.length) ? { value: text } : { mistake: "Its length does not fit." };
  if (kind === "yes_no") return { value: text === "true" };
  if (kind === "choice") return parseJson(text);
  if (kind === "number") {
    const value = Number(text);
    if (!Number.isFinite(value)) return { mistake: "This is not a number." };
    if (isWhole && !Number.isInteger(value)) return { mistake: "A whole number is needed." };
    return within(field, value) ? { value } : { mistake: "The number is out of its range." };
  }
  const parsed = parseJson(text);
  return "mistake" in parsed ? { mistake: `Not valid JSON: ${parsed.mistake}` } : parsed;
}

const within = ({ least = -Infinity, most = Infinity }: AnswerField, value: number): boolean =>
  value >= least && value <= most;

/** All fields as one object; null while a field has a mistake. */
export function answerOf(fields: readonly AnswerField[], texts: AnswerTexts): { readonly [name: string]: Json } | null {
  const answer: { [name: string]: Json } = {};
  for (const field of fields) {
    const read = valueOf(field, texts[field.name] ?? "");
    if ("mistake" in read) return null;
    if (read.value !== undefined) answer[field.name] = read.value;
  }
  return answer;
}
