import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import { isRecord } from "../../core/index.ts";
import { routes } from "./routes.ts";
import * as schemas from "./schemas.ts";

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: object;
  readonly responses: { readonly [status: string]: { readonly description: string } };
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: object } };
}

let server: TestServer;
let document: Document;

beforeAll(async () => {
  server = await startTestServer();
  document = (await (await fetch(`${server.adminUrl}/openapi.json`)).json()) as Document;
});
afterAll(() => server.close());

function* walk(value: unknown): Generator<[string, unknown]> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item);
  if (!isRecord(value)) return;
  for (const [key, item] of Object.entries(value)) {
    yield [key, item];
    yield* walk(item);
  }
}

const operations = (): [string, string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [path, method, operation] as [string, string, Operation]),
  );

describe("the OpenAPI document", () => {
  it("is of version 3.1 and has every route of the table, each with a name of its own", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info.version).toBe("1.2.3");
    const described = operations().map(([path, method]) => `${method.toUpperCase()} ${path}`);
    const expected = routes.map(({ method, path }) => `${method} /api/v1${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(described.toSorted()).toEqual(expected.toSorted());
    const names = operations().map(([, , { operationId }]) => operationId);
    expect(new Set(names).size).toBe(routes.length);
  });

  it("declares each parameter of a path, as required", () => {
    for (const [path, , { parameters = [] }] of operations()) {
      const declared = parameters.filter((one) => one.in === "path" && one.required).map(({ name }) => name);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it("refers only to what it has, and holds no stray identifiers of schemas", () => {
    const references = [...walk(document)].filter(([key]) => key === "$ref").map(([, target]) => target as string);
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) {
      const name = reference.replace("#/components/schemas/", "");
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
    const strays = [...walk(document)].filter(([key]) => key === "$id" || key === "$schema" || key === "__shared");
    expect(strays).toEqual([]);
  });

  it("has every schema of the API under its own name", () => {
    const named = Object.entries(schemas).flatMap(([name, value]) => ("_zod" in Object(value) ? [name] : []));
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(named.toSorted());
  });

  it("says that only the routes for anyone need nobody known", () => {
    const open = operations().filter(([, , { security }]) => security.length === 0);
    expect(open.map(([, , { operationId }]) => operationId).toSorted()).toEqual(
      ["checkSetupLink", "setUp", "signIn", "signOut"].toSorted(),
    );
  });

  it("tells the codes of failures by status", () => {
    const resume = document.paths["/api/v1/runs/{id}/resume"]!["post"]!;
    expect(resume.responses["404"]!.description).toBe("RUN_UNKNOWN, FLOW_UNKNOWN");
    expect(resume.responses["409"]!.description).toBe("RUN_NOT_RESUMABLE");
    expect(Object.keys(resume.responses)).toEqual(expect.arrayContaining(["202", "401", "403", "422", "503"]));
    expect(resume.requestBody).toBeUndefined();
  });
});
