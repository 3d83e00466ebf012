import { isRecord, type Json } from "../../core/index.ts";
import { commonWords, legalForms, ordinarySurnames, titles } from "./common-words.ts";
import { kindOfField, wordsOf } from "./field-kinds.ts";
import type { KnownValue } from "./finding.ts";

/** A string or number of the payload with the name of its field. */
interface Field {
  readonly name: string;
  /** Name of the object or list that it is in. */
  readonly parent: string;
  readonly value: string;
}

/**
 * The personal values of an event, by the names of their fields, at any depth and in lists: `name`, `lastName`, `work_email`, `mobile`,
 * `company`, `street`, `zip`, `dob`, `iban` and the like, also as the answers of a form (`{ label: "Full name", value: "Jane Smith" }`).
 * Only strings and numbers that look like what the name says.
 *
 * A person's name gives its parts of three letters and more that are no ordinary words, and, of a first and a last name side by side,
 * the whole; a company's name also the name without its legal form.
 */
export function knownValuesOf(payload: Json): KnownValue[] {
  const found = new Map<string, KnownValue>();
  const keep = (known: KnownValue) => void found.set(`${known.kind} ${known.value}`, known);
  for (const { name, parent, value } of fieldsOf(payload)) {
    const mailbox = /^\s*"?([^"<>@]{2,80}?)"?\s*<([^<>\s@]+@[^<>\s@]+)>\s*$/.exec(value);
    const kind = mailbox ? undefined : kindOfField(name, parent, value.trim());
    if (kind !== undefined) variantsOf({ kind, value: value.trim() }).forEach(keep);
    if (mailbox && /\b(?:from|to|cc|bcc|sender|reply to|recipients?|email)$/.test(wordsOf(name).join(" "))) {
      variantsOf({ kind: "PERSON", value: mailbox[1]?.trim() ?? "" }).forEach(keep);
      keep({ kind: "EMAIL", value: mailbox[2] ?? "" });
    }
  }
  return [...found.values()];
}

/** Walks with a list instead of recursion, so that a payload of any depth is read. */
function* fieldsOf(payload: Json): Generator<Field> {
  const open: { readonly name: string; readonly parent: string; readonly value: unknown }[] = [
    { name: "", parent: "", value: payload },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, parent, value } = next;
    if (typeof value === "string") yield { name, parent, value };
    // A telephone or account number that was sent as a number.
    if (typeof value === "number") yield { name, parent, value: String(value) };
    // What is in a list goes by the name of the list.
    if (Array.isArray(value)) for (const item of value) open.push({ name, parent, value: item as unknown });
    if (isRecord(value)) {
      yield* wholeNameOf(value, name);
      for (const [key, item] of entriesOf(value)) open.push({ name: key, parent: name, value: item });
    }
  }
}

/** The fields of an object; of an answer of a form the one field that it means. */
function entriesOf(object: Readonly<Record<string, unknown>>): [string, unknown][] {
  const label =
    object["label"] ?? object["name"] ?? object["key"] ?? object["field"] ?? object["question"] ?? object["title"];
  const answer = ["value", "answer", "values"].find((key) => key in object);
  if (typeof label !== "string" || answer === undefined) return Object.entries(object);
  const others = Object.entries(object).filter(([, value]) => typeof value === "object");
  return [[label, object[answer]], ...others];
}

function* wholeNameOf(object: Readonly<Record<string, unknown>>, parent: string): Generator<Field> {
  const part = (pattern: RegExp) => {
    const key = Object.keys(object).find((name) => pattern.test(wordsOf(name).join(" ")));
    const value = key === undefined ? undefined : object[key];
    return typeof value === "string" ? value.trim() : "";
  };
  const first = part(/^(?:(?:first|given) ?name|forename|fname|vorname|prénom|prenom|voornaam)$/);
  const last = part(/^(?:(?:last|family) ?name|surname|lname|nachname|achternaam)$/);
  if (first !== "" && last !== "") yield { name: "full name", parent, value: `${first} ${last}` };
}

function variantsOf({ kind, value }: KnownValue): KnownValue[] {
  const known = { kind, value };
  if (kind === "COMPANY") return [known, ...withoutLegalForm(value).map((name) => ({ kind, value: name }))];
  if (kind === "PERSON") return [known, ...partsOf(value).map((part) => ({ kind, value: part }))];
  return [known];
}

function withoutLegalForm(company: string): string[] {
  const words = company.split(/[\s,]+/);
  while (words.length > 1 && legalForms.has((words.at(-1) ?? "").toLowerCase().replaceAll(".", ""))) words.pop();
  const short = words.join(" ");
  return short !== company && short.length >= 3 ? [short] : [];
}

function partsOf(name: string): string[] {
  const parts = name.split(/[\s,]+/).filter((part) => (part.match(/\p{L}/gu)?.length ?? 0) >= 3);
  return parts.filter((part, index) => part !== name && isTelling(part.toLowerCase(), index === parts.length - 1));
}

/** Whether a part of a name is one by itself: no title and no ordinary word, but for a surname such as Smith. */
function isTelling(part: string, isLast: boolean): boolean {
  if (titles.has(part.replaceAll(".", ""))) return false;
  return !commonWords.has(part) || (isLast && ordinarySurnames.has(part));
}
