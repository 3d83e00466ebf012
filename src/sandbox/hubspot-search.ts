import { isRecord, type JsonObject } from "../core/index.ts";
import type { IncomingCall, Reply } from "./exchange.ts";
import { invalidInput, okay } from "./hubspot-answers.ts";
import { project } from "./hubspot-project.ts";
import type { HubspotContact, SandboxState } from "./state.ts";

type Operator = (value: string | null, filter: Readonly<Record<string, unknown>>) => boolean;
const maxPageSize = 200;

const compare =
  (holds: (order: number) => boolean): Operator =>
  (value, filter) => {
    if (value === null) return false;
    const wanted = String(filter["value"]);
    const [a, b] = [Number(value), Number(wanted)];
    return holds(Number.isNaN(a) || Number.isNaN(b) ? (value < wanted ? -1 : Number(value > wanted)) : a - b);
  };
const same = (value: string | null, wanted: unknown) => value?.toLowerCase() === String(wanted).toLowerCase();
const among: Operator = (value, { values }) => Array.isArray(values) && values.some((wanted) => same(value, wanted));

const operators = new Map<string, Operator>(
  Object.entries({
    EQ: (value, filter) => same(value, filter["value"]),
    NEQ: (value, filter) => value !== null && !same(value, filter["value"]),
    IN: among,
    NOT_IN: (value, filter) => value !== null && !among(value, filter),
    HAS_PROPERTY: (value) => value !== null,
    NOT_HAS_PROPERTY: (value) => value === null,
    CONTAINS_TOKEN: (value, filter) => tokens(value ?? "").includes(String(filter["value"]).toLowerCase()),
    GT: compare((order) => order > 0),
    GTE: compare((order) => order >= 0),
    LT: compare((order) => order < 0),
    LTE: compare((order) => order <= 0),
  } satisfies Record<string, Operator>),
);

const tokens = (value: string) => value.toLowerCase().split(/[^\p{L}\p{N}]+/u);

/**
 * Searches contacts: groups of filters joined by OR, filters of a group by AND, `query` in all values; the newest last.
 *
 * @see https://developers.hubspot.com/docs/api-reference/search/guide
 */
export function searchContacts(call: IncomingCall, state: SandboxState): Reply {
  const body = isRecord(call.body) ? call.body : {};
  const groups = toGroups(body["filterGroups"]);
  const unknown = groups.flat().find((filter) => !operators.has(String(filter["operator"])));
  if (unknown) return invalidInput(`Invalid input JSON: operator "${String(unknown["operator"])}" is not known`);
  const limit = Number(body["limit"] ?? 10);
  const after = Number(body["after"] ?? 0);
  if (!(limit >= 0 && limit <= maxPageSize)) return invalidInput(`limit must be between 0 and ${maxPageSize}`);
  if (!(after >= 0)) return invalidInput("The 'after' cursor is not valid");
  const query = tokens(typeof body["query"] === "string" ? body["query"] : "").filter(Boolean);
  const found = [...state.contacts.values()].filter((contact) => inGroups(contact, groups) && hasAll(contact, query));
  return okay(call, toPage(found, after, limit, body["properties"]));
}

function toPage(found: readonly HubspotContact[], after: number, limit: number, properties: unknown): JsonObject {
  const names = Array.isArray(properties) ? properties.map(String) : undefined;
  const end = after + limit;
  return {
    total: found.length,
    results: found.slice(after, end).map((contact) => project(contact, names)),
    ...(end < found.length && { paging: { next: { after: String(end) } } }),
  };
}

function toGroups(value: unknown): readonly Record<string, unknown>[][] {
  const groups: unknown[] = Array.isArray(value) ? value : [];
  return groups.filter(isRecord).map(({ filters }) => (Array.isArray(filters) ? filters.filter(isRecord) : []));
}

function inGroups(contact: HubspotContact, groups: readonly Record<string, unknown>[][]): boolean {
  const fits = (filter: Record<string, unknown>) =>
    operators.get(String(filter["operator"]))?.(contact.properties[String(filter["propertyName"])] ?? null, filter) ??
    false;
  return groups.length === 0 || groups.some((filters) => filters.every(fits));
}

function hasAll(contact: HubspotContact, wanted: readonly string[]): boolean {
  const all = Object.values(contact.properties).flatMap((value) => tokens(value ?? ""));
  return wanted.every((token) => all.includes(token));
}
