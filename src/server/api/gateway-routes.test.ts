import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import { SluiceError } from "../../core/index.ts";
import type { GatewayPort } from "../ports.ts";
import { CostsView, DataMapView, ModelsResumedView, ModelsView, ModelTestsView, Problem } from "./schemas.ts";

const model = {
  name: "fast",
  simulated: false,
  reason: "configured",
  candidates: [
    {
      provider: "openai",
      model: "gpt-test",
      region: "eu",
      kind: "text",
      dataClasses: ["health"],
      price: { inputUsdPerMillion: 0.25, outputUsdPerMillion: 2, source: "list", asOf: "2026-03-01" },
      credential: "OPENAI_API_KEY",
      bucket: "OPENAI_API_KEY openai/gpt-test",
      interactiveShare: 0.2,
      gauges: [{ kind: "requests", limit: 60, used: 12, perMs: 60_000, learned: false }],
      inFlight: 1,
      concurrency: null,
      waiting: 0,
      pausedUntil: null,
      circuit: { state: "open", reason: "quota", until: null },
      recentRateLimits: [{ at: "2026-03-09T10:00:00.000Z", reason: "requests", retryAfterMs: 2000 }],
      forecast: null,
    },
  ],
} as const;

const passed = {
  name: "fast",
  provider: "openai",
  model: "gpt-test",
  ok: true,
  latencyMs: 120,
  limits: [],
  costMicroUsd: 3,
  error: null,
};

const calls: unknown[] = [];
const gateway: GatewayPort = {
  models: async () => [model],
  async test(name) {
    calls.push(["test", name]);
    if (name === "gone") throw new SluiceError("MODEL_UNKNOWN", { message: 'model "gone" is not configured' });
    return [passed];
  },
  async resume(credential, by) {
    calls.push(["resume", credential, by]);
    return credential === "OPENAI_API_KEY";
  },
  async dataMap({ from, to }) {
    calls.push(["dataMap", to.getTime() - from.getTime()]);
    return { from: from.toISOString(), to: to.toISOString(), flows: [] };
  },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, () => ({ gateway }));
});
afterAll(() => server.close());

const codeOf = async (response: Response) => Problem.parse(await response.json()).code;

describe("models", () => {
  it("are listed with their state, in the shape of the document", async () => {
    const response = await server.api("GET", "/models", { as: "viewer" });
    expect(ModelsView.parse(await response.json())).toEqual({ models: [model] });
  });

  it("are tested all, or those of one name", async () => {
    const all = await server.api("POST", "/models/test", { as: "operator", body: {} });
    expect(ModelTestsView.parse(await all.json())).toEqual({ results: [passed] });
    await server.api("POST", "/models/test", { as: "operator", body: { name: "fast" } });
    expect(calls.slice(-2)).toEqual([
      ["test", undefined],
      ["test", "fast"],
    ]);
    const gone = await server.api("POST", "/models/test", { as: "operator", body: { name: "gone" } });
    expect(await codeOf(gone)).toBe("MODEL_UNKNOWN");
  });

  it("go on when a person resumes their credential, whose name is logged with who it was", async () => {
    const resume = async (credential: string) => {
      const response = await server.api("POST", "/models/resume", { as: "builder", body: { credential } });
      return ModelsResumedView.parse(await response.json()).resumed;
    };
    expect(await resume("OPENAI_API_KEY")).toBe(true);
    expect(calls.at(-1)).toEqual(["resume", "OPENAI_API_KEY", "key_builder"]);
    const fields = { key: "OPENAI_API_KEY", by: "key_builder" };
    expect(server.log).toContainEqual({ level: "info", event: "circuit.resumed", fields });
    const before = server.log.length;
    expect(await resume("OTHER")).toBe(false);
    expect(server.log).toHaveLength(before);
    expect(await codeOf(await server.api("POST", "/models/resume", { as: "builder", body: {} }))).toBe(
      "REQUEST_INVALID",
    );
  });
});

describe("the data map", () => {
  it("is of the days that are asked for", async () => {
    const response = await server.api("GET", "/data-map?days=7", { as: "viewer" });
    expect(DataMapView.parse(await response.json()).flows).toEqual([]);
    expect(calls.at(-1)).toEqual(["dataMap", 7 * 24 * 3_600_000]);
    expect(await codeOf(await server.api("GET", "/data-map?days=0", { as: "viewer" }))).toBe("REQUEST_INVALID");
  });
});

describe("costs", () => {
  it("are told of a period by flow, with the budgets of now", async () => {
    const path = "/costs?from=2026-03-01&to=2026-03-10T12:00:00Z&by=model";
    const view = CostsView.parse(await (await server.api("GET", path, { as: "viewer" })).json());
    expect(view).toMatchObject({
      from: "2026-03-01T00:00:00.000Z",
      to: "2026-03-10T12:00:00.000Z",
      rows: [],
      budgets: [],
    });
    expect(view.total).toMatchObject({ calls: 0, costMicroUsd: 0, costPerSuccessMicroUsd: null });
  });

  it("are of the last thirty days when no period is given", async () => {
    const { from, to } = CostsView.parse(await (await server.api("GET", "/costs", { as: "viewer" })).json());
    expect(Date.parse(to) - Date.parse(from)).toBe(30 * 24 * 3_600_000);
  });

  it.each(["from=2026-03-02&to=2026-03-01", "from=2020-01-01&to=2026-01-01", "from=yesterday", "by=person"])(
    "of %s are refused",
    async (query) => {
      expect(await codeOf(await server.api("GET", `/costs?${query}`, { as: "viewer" }))).toBe("REQUEST_INVALID");
    },
  );
});
