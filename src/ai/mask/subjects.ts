import type { EntityKind } from "../../core/index.ts";
import type { Finding, KnownValue } from "./finding.ts";
import { knownSource } from "./known-finder.ts";
import { parsePhone } from "./phone-library.ts";

/** Kinds that say who a person is, by themselves. */
const identifying: ReadonlySet<EntityKind> = new Set(["EMAIL", "PHONE", "NI_NUMBER", "NHS_NUMBER", "SSN", "IBAN"]);

/** Whose data a text holds, for the search by subject: identifiers, and names that a field of the event gave. */
export function isSubject({ kind, source }: Finding): boolean {
  return identifying.has(kind) || (kind === "PERSON" && source === knownSource);
}

/**
 * One form for all ways to write an identifier: e-mail and names in lower case, telephone numbers in E.164 where they can be read,
 * other numbers in capitals without separators.
 *
 * @see https://www.itu.int/rec/T-REC-E.164
 */
export async function normaliseSubject({ kind, value }: KnownValue): Promise<KnownValue> {
  const plain = value.replaceAll("\0", "").normalize("NFC").trim();
  if (kind === "EMAIL") return { kind, value: plain.toLowerCase().replace("%40", "@") };
  if (kind === "PERSON") return { kind, value: plain.toLowerCase().replaceAll(/\s+/g, " ") };
  if (kind === "PHONE") {
    const number = await parsePhone(plain);
    return { kind, value: number?.number ?? plain.replaceAll(/[^\d+]/g, "") };
  }
  return { kind, value: plain.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, "") };
}

/** Each different subject once. Parts of a name that is there as a whole are left out. */
export async function subjectsOf(values: readonly KnownValue[]): Promise<KnownValue[]> {
  const different = new Map(values.map((known) => [`${known.kind} ${known.value}`, known]));
  const normalised = await Promise.all([...different.values()].map(normaliseSubject));
  const subjects = new Map(normalised.map((known) => [`${known.kind} ${known.value}`, known]));
  const wholeNames = [...subjects.values()].filter(({ kind, value }) => kind === "PERSON" && value.includes(" "));
  const partsOfNames = new Set(wholeNames.flatMap(({ value }) => value.split(" ")));
  return [...subjects.values()].filter(({ kind, value }) => kind !== "PERSON" || !partsOfNames.has(value));
}
