import type { JsonObject } from "../core/index.ts";
import { bearerToken, type IncomingCall, type Reply } from "./exchange.ts";
import { conflict, invalidInput, notFound, okay, unauthenticated } from "./hubspot-answers.ts";
import { checkProperties, createProperty, listProperties, readProperty } from "./hubspot-properties.ts";
import { project } from "./hubspot-project.ts";
import { searchContacts } from "./hubspot-search.ts";
import type { HubspotContact, SandboxState } from "./state.ts";

type Route = (call: IncomingCall, state: SandboxState, id: string) => Reply;

const routes: readonly (readonly [method: string, path: RegExp, route: Route])[] = [
  ["POST", /^\/crm\/v3\/objects\/contacts\/?$/, createContact],
  ["GET", /^\/crm\/v3\/objects\/contacts\/?$/, listContacts],
  ["POST", /^\/crm\/v3\/objects\/contacts\/search$/, searchContacts],
  ["GET", /^\/crm\/v3\/objects\/contacts\/([^/]+)$/, readContact],
  ["PATCH", /^\/crm\/v3\/objects\/contacts\/([^/]+)$/, updateContact],
  ["GET", /^\/crm\/v3\/properties\/contacts\/?$/, listProperties],
  ["POST", /^\/crm\/v3\/properties\/contacts\/?$/, createProperty],
  ["GET", /^\/crm\/v3\/properties\/contacts\/([^/]+)$/, readProperty],
];

/**
 * HubSpot's CRM API v3 for contacts and their properties.
 *
 * As in HubSpot, an e-mail address belongs to one contact, letters' case aside; idempotency keys are recorded but not obeyed.
 *
 * @see https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
 */
export function answerHubspot(call: IncomingCall, state: SandboxState, token: string): Reply {
  if (bearerToken(call) !== token) return unauthenticated();
  if (call.bodyState === "broken") return invalidInput("Invalid input JSON on line 1, column 1: not valid JSON");
  for (const [method, path, route] of routes) {
    const match = method === call.method ? path.exec(call.resource) : null;
    if (match) return route(call, state, match[1] ?? "");
  }
  return {
    status: 404,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: "<h2>HTTP ERROR 404 Not Found</h2>",
  };
}

function createContact(call: IncomingCall, state: SandboxState): Reply {
  const checked = checkProperties(call.body, state);
  if ("refusal" in checked) return checked.refusal;
  const { email } = checked.properties;
  const existing = email ? state.contactByEmail(email) : undefined;
  if (existing) return conflict(`Contact already exists. Existing ID: ${existing.id}`);
  const id = state.nextContactId();
  const at = call.at.toISOString();
  const contact: HubspotContact = {
    id,
    properties: { ...checked.properties, createdate: at, hs_object_id: id, lastmodifieddate: at },
    createdAt: at,
    updatedAt: at,
    archived: false,
  };
  return { ...okay(call, { ...contact }, 201), effect: { kind: "hubspot.contact.created", contact } };
}

function updateContact(call: IncomingCall, state: SandboxState, id: string): Reply {
  const existing = findContact(call, state, id);
  if (existing === undefined) return notFound(id);
  const checked = checkProperties(call.body, state);
  if ("refusal" in checked) return checked.refusal;
  const changed = checked.properties;
  if (Object.keys(changed).length === 0) {
    return invalidInput("No properties found to update, please provide at least one.");
  }
  const owner = changed["email"] ? state.contactByEmail(changed["email"]) : undefined;
  if (owner && owner.id !== existing.id) return conflict(`Contact already exists. Existing ID: ${owner.id}`);
  const updatedAt = call.at.toISOString();
  const properties = { ...existing.properties, ...changed, lastmodifieddate: updatedAt };
  const contact: HubspotContact = { ...existing, properties, updatedAt };
  const answered = project(contact, Object.keys(changed));
  return { ...okay(call, answered), effect: { kind: "hubspot.contact.updated", contact } };
}

function readContact(call: IncomingCall, state: SandboxState, id: string): Reply {
  const contact = findContact(call, state, id);
  return contact === undefined ? notFound(id) : okay(call, project(contact, requestedProperties(call)));
}

function listContacts(call: IncomingCall, state: SandboxState): Reply {
  const limit = Math.min(Number(call.query.get("limit") ?? 10) || 10, 100);
  const after = Number(call.query.get("after") ?? 0);
  if (!(after >= 0)) return invalidInput("The 'after' cursor is not valid");
  const rest = [...state.contacts.values()].filter((contact) => Number(contact.id) > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return okay(call, {
    results: page.map((contact) => project(contact, requestedProperties(call))),
    ...(last !== undefined && rest.length > limit && { paging: nextPage(call, last.id) }),
  });
}

function nextPage(call: IncomingCall, after: string): JsonObject {
  const query = new URLSearchParams(call.query);
  query.set("after", after);
  return { next: { after, link: `${call.origin}/hubspot${call.resource}?${query.toString()}` } };
}

function findContact(call: IncomingCall, state: SandboxState, id: string): HubspotContact | undefined {
  return call.query.get("idProperty") === "email" ? state.contactByEmail(id) : state.contacts.get(id);
}

/** `properties=a,b` and `properties=a&properties=b` mean the same. */
function requestedProperties(call: IncomingCall): readonly string[] | undefined {
  const names = call.query
    .getAll("properties")
    .flatMap((value) => value.split(","))
    .filter(Boolean);
  return names.length === 0 ? undefined : names;
}
