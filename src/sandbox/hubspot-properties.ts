import { isRecord, type Json, type JsonObject } from "../core/index.ts";
import type { IncomingCall, Reply } from "./exchange.ts";
import { conflict, invalidInput, invalidProperties, notFound, okay, type PropertyProblem } from "./hubspot-answers.ts";
import type { HubspotProperty, SandboxState } from "./state.ts";

const types: readonly HubspotProperty["type"][] = ["string", "number", "bool", "enumeration", "date", "datetime"];

/** The part of HubSpot's standard contact properties that the sandbox knows. */
const standard = new Map<string, HubspotProperty>(
  [
    ...["firstname", "lastname", "email", "company", "phone", "message", "jobtitle", "website"].map((name) =>
      text(name),
    ),
    ...["createdate", "hs_object_id", "lastmodifieddate"].map((name) => ({ ...text(name), readOnly: true })),
  ].map((property) => [property.name, property]),
);

function text(name: string): HubspotProperty {
  return {
    name,
    label: name,
    type: "string",
    fieldType: "text",
    groupName: "contactinformation",
    options: [],
    readOnly: false,
  };
}

function findProperty(name: string, state: SandboxState): HubspotProperty | undefined {
  return standard.get(name) ?? state.properties.get(name);
}

/** The values to write, as HubSpot keeps them (every value a string), or the answer that refuses them. */
export function checkProperties(
  body: Json,
  state: SandboxState,
): { properties: { [name: string]: string | null } } | { refusal: Reply } {
  const given = isRecord(body) ? body["properties"] : undefined;
  if (!isRecord(given)) return { refusal: invalidInput('Invalid input JSON: required field "properties" is missing') };
  const problems: PropertyProblem[] = [];
  const properties: [string, string | null][] = [];
  for (const [name, value] of Object.entries(given)) {
    const kept =
      value === null || value === "" ? null : typeof value === "object" ? JSON.stringify(value) : String(value);
    const problem = problemOf(name, kept, findProperty(name, state));
    if (problem) problems.push(problem);
    else properties.push([name, name === "email" ? (kept?.toLowerCase() ?? null) : kept]);
  }
  return problems.length > 0
    ? { refusal: invalidProperties(problems) }
    : { properties: Object.fromEntries(properties) };
}

function problemOf(
  name: string,
  value: string | null,
  property: HubspotProperty | undefined,
): PropertyProblem | undefined {
  if (property === undefined) {
    return { name, error: "PROPERTY_DOESNT_EXIST", message: `Property "${name}" does not exist` };
  }
  if (property.readOnly) return { name, error: "READ_ONLY_VALUE", message: `"${name}" is a read only property` };
  if (value === null) return undefined;
  if (name === "email" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) {
    return { name, error: "INVALID_EMAIL", message: `Email address ${value} is invalid` };
  }
  if (property.type === "number" && !Number.isFinite(Number(value))) {
    return { name, error: "INVALID_INTEGER", message: `${value} was not a valid number.` };
  }
  if (property.type === "enumeration") return optionProblem(value, property);
  return undefined;
}

/** An enumeration of checkboxes takes several values, separated by semicolons. */
function optionProblem(value: string, property: HubspotProperty): PropertyProblem | undefined {
  const allowed = property.options.map((option) => option.value);
  const values = property.fieldType === "checkbox" ? value.split(";").filter(Boolean) : [value];
  if (values.every((item) => allowed.includes(item))) return undefined;
  const message = `${value} was not one of the allowed options: [${allowed.join(", ")}]`;
  return { name: property.name, error: "INVALID_OPTION", message };
}

export function listProperties(call: IncomingCall, state: SandboxState): Reply {
  return okay(call, { results: [...standard.values(), ...state.properties.values()].map(toWire) });
}

export function readProperty(call: IncomingCall, state: SandboxState, name: string): Reply {
  const property = findProperty(name, state);
  return property === undefined ? notFound(name) : okay(call, toWire(property));
}

export function createProperty(call: IncomingCall, state: SandboxState): Reply {
  const body = isRecord(call.body) ? call.body : {};
  const missing = ["name", "label", "type", "fieldType", "groupName"].find((field) => typeof body[field] !== "string");
  if (missing) return invalidInput(`Invalid input JSON: required field "${missing}" is missing`);
  const property = toProperty(body);
  if (!/^[a-z][a-z0-9_]*$/.test(property.name)) return invalidInput(`Property name "${property.name}" is not valid`);
  if (!types.includes(property.type)) return invalidInput(`Property type "${property.type}" is not valid`);
  if (findProperty(property.name, state)) {
    return conflict(`A property named '${property.name}' already exists.`, "OBJECT_ALREADY_EXISTS");
  }
  return { ...okay(call, toWire(property), 201), effect: { kind: "hubspot.property.created", property } };
}

function toProperty(body: { readonly [field: string]: unknown }): HubspotProperty {
  const options = Array.isArray(body["options"]) ? body["options"].filter(isRecord) : [];
  return {
    name: String(body["name"]),
    label: String(body["label"]),
    type: String(body["type"]) as HubspotProperty["type"],
    fieldType: String(body["fieldType"]),
    groupName: String(body["groupName"]),
    options: options.map((option) => ({ label: String(option["label"]), value: String(option["value"]) })),
    readOnly: false,
  };
}

function toWire({ readOnly, ...property }: HubspotProperty): JsonObject {
  return {
    ...property,
    options: property.options.map((option, displayOrder) => ({ ...option, displayOrder, hidden: false })),
    description: "",
    hasUniqueValue: property.name === "email",
    hidden: false,
    archived: false,
    modificationMetadata: { archivable: true, readOnlyDefinition: false, readOnlyValue: readOnly },
  };
}
