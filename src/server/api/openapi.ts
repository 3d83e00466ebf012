import { z } from "zod";
import type { ErrorCode, Json, JsonObject } from "../../core/index.ts";
import { errorCodes } from "../../core/index.ts";
import { apiBase } from "./mount.ts";
import { type AnswerContent, eventStream, type Route } from "./route.ts";
import * as schemas from "./schemas.ts";

const componentPath = "#/components/schemas/";

/** Every schema of the API under its name in the code, so that the document and clients made from it use the same words. */
const components = z.registry<{ id: string }>();
for (const [name, value] of Object.entries(schemas)) {
  if (value instanceof z.ZodType) components.add(value, { id: name });
}

/**
 * Writes the OpenAPI 3.1 document of a table of routes.
 *
 * @param version of the product.
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function createOpenApiDocument(routes: readonly Route[], version: string): JsonObject {
  const paths: { [path: string]: { [method: string]: Json } } = {};
  for (const route of routes) {
    const path = (paths[apiBase + route.path.replaceAll(/:(\w+)/g, "{$1}")] ??= {});
    path[route.method.toLowerCase()] = toOperation(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version,
      description: "Times are ISO 8601 in UTC, durations milliseconds, money whole micro-dollars. Lists are paged.",
    },
    paths,
    components: {
      schemas: toComponents(),
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "A key that starts with sk_" },
        session: { type: "apiKey", in: "cookie", name: "__Host-sluice", description: "Of the dashboard" },
      },
    },
  };
}

function toOperation(route: Route): JsonObject {
  const parameters = [...toParameters(route.params, "path"), ...toParameters(route.query, "query")];
  return {
    operationId: route.id,
    summary: route.summary,
    // Whoever is let in by role sees it here too.
    description: `For: ${route.access}`,
    security: route.access === "anyone" ? [] : [{ apiKey: [] }, { session: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && {
      requestBody: { required: true, content: { "application/json": { schema: refTo(route.body) } } },
    }),
    responses: toResponses(route),
  };
}

function toParameters(schema: z.ZodType | undefined, place: "path" | "query"): JsonObject[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: property as JsonObject,
  }));
}

function toResponses(route: Route): JsonObject {
  const answers = Object.entries(route.answers).map(([status, content]) => [status, toAnswer(content)] as const);
  const codes = Map.groupBy(codesOf(route), (code) => String(errorCodes[code].status));
  const problems = [...codes].map(([status, group]) => {
    const content = { "application/problem+json": { schema: refTo(schemas.Problem) } };
    return [status, { description: group.join(", "), content }] as const;
  });
  return Object.fromEntries([...answers, ...problems]);
}

function toAnswer(content: AnswerContent): JsonObject {
  if (content === null) return { description: "Done" };
  if (content instanceof z.ZodType) {
    return { description: "Done", content: { "application/json": { schema: refTo(content) } } };
  }
  const [[type, schema] = ["", z.never()]] = Object.entries(content);
  const description =
    type === eventStream ? "Events; the data of each is as here" : "Lines; each is a JSON document as here";
  return { description, content: { [type]: { schema: refTo(schema) } } };
}

/** All codes that a route may answer with: its own, and those of the checks before it. */
function codesOf(route: Route): ErrorCode[] {
  const all: ErrorCode[] = [...(route.errors ?? []), "HOST_NOT_ALLOWED", "INTERNAL", "DATABASE_UNAVAILABLE"];
  if (route.access !== "anyone") all.push("UNAUTHENTICATED");
  if (route.access !== "anyone" && route.access !== "read") all.push("FORBIDDEN");
  if (route.method !== "GET") all.push("ORIGIN_NOT_ALLOWED");
  if (route.params || route.query || route.body) all.push("REQUEST_INVALID");
  if (route.body) all.push("BODY_NOT_JSON", "BODY_TOO_LARGE", "CONTENT_TYPE_UNSUPPORTED");
  return [...new Set(all)];
}

/** @throws Error when a route uses a schema that is not among the named ones; a test makes the document. */
function refTo(schema: z.ZodType): JsonObject {
  const id = components.get(schema)?.id;
  if (id === undefined) throw new Error("a route uses a schema that schemas.ts does not export");
  return { $ref: componentPath + id };
}

function toComponents(): JsonObject {
  const { schemas: written } = z.toJSONSchema(components, {
    uri: (id) => componentPath + id,
    override({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: { [keyword: string]: unknown } }) {
      // Written out, "any JSON" refers to itself four times; a schema without rules says the same.
      if (zodSchema === schemas.AnyJson) for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
    },
  });
  return Object.fromEntries(
    Object.entries(written).map(([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema as JsonObject]),
  );
}
