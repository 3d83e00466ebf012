import type { Json, JsonObject } from "../core/index.ts";
import type { HubspotContact } from "./state.ts";

/** A contact with the properties asked for (default: name and e-mail) and the three that are always there. */
export function project(
  contact: HubspotContact,
  names: readonly string[] = ["email", "firstname", "lastname"],
): JsonObject {
  const shown = [...names, "createdate", "hs_object_id", "lastmodifieddate"];
  const properties: { [name: string]: Json } = Object.fromEntries(
    shown.map((name) => [name, contact.properties[name] ?? null]),
  );
  return { ...contact, properties };
}
