import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import { type JsonObject, SluiceError } from "../../core/index.ts";
import type { EnginePort } from "../ports.ts";
import {
  Accepted,
  FlowDetailView,
  FlowPage,
  OverviewView,
  Problem,
  RecheckView,
  SampleView,
  StatusView,
} from "./schemas.ts";

const lead = { name: "Grace", email: "grace@example.com" };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.engineCalls.splice(0));
afterAll(() => server.close());

const get = (path: string) => server.api("GET", path, { as: "viewer" });
const codeOf = async (response: Response) => Problem.parse(await response.json()).code;

const start = (body: JsonObject, headers = {}) =>
  server.api("POST", "/flows/lead-routing/runs", { as: "operator", body, headers });
const put = (name: string, payload: JsonObject) =>
  server.api("PUT", `/flows/lead-routing/samples/${name}`, { as: "builder", body: { payload } });
const send = (name: string, body?: JsonObject) =>
  server.api("POST", `/flows/lead-routing/samples/${name}/send`, { as: "operator", ...(body && { body }) });

async function eventOf(runId: string) {
  return (await server.workspace.events.ofRun(runId))!;
}

describe("starting a run", () => {
  it("commits the event as it came, tells the engine, and answers 202", async () => {
    const response = await start({ payload: lead });
    expect(response.status).toBe(202);
    const { runId, duplicate } = Accepted.parse(await response.json());
    expect(duplicate).toBe(false);
    expect(server.engineCalls).toEqual(["accept lead-routing"]);
    expect(await eventOf(runId)).toMatchObject({
      source: "api:lead-routing",
      payload: lead,
      sample: false,
    });
  });

  it("starts one run for one Idempotency-Key, however often and at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => start({ payload: lead }, { "idempotency-key": "order-7" })),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
    const runs = await Promise.all(answers.map(async (answer) => Accepted.parse(await answer.json()).runId));
    expect(new Set(runs).size).toBe(1);
    expect(await eventOf(runs[0]!)).toMatchObject({ deliveryId: "order-7", duplicates: 9 });
  });

  it("is refused while the queue is full, with when to come back", async () => {
    const full = new SluiceError("QUEUE_FULL", { message: "full", retryAfterMs: 41_200 });
    const refusing = await startTestServer({}, () => ({
      engine: { accept: () => Promise.reject(full) } as unknown as EnginePort,
    }));
    try {
      const body = { payload: lead };
      const response = await refusing.api("POST", "/flows/lead-routing/runs", { as: "operator", body });
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "42"]);
      expect(await codeOf(response)).toBe("QUEUE_FULL");
    } finally {
      await refusing.close();
    }
  });

  it("refuses a payload that does not fit, by paths and without its values", async () => {
    const response = await start({ payload: { name: "", email: "private-address" } });
    const text = await response.text();
    const problem = Problem.parse(JSON.parse(text));
    expect(problem).toMatchObject({ status: 422, code: "PAYLOAD_INVALID" });
    expect(problem.issues?.map(({ path }) => path)).toEqual(["/name", "/email"]);
    expect(text).not.toContain("private-address");
    expect(server.engineCalls).toEqual([]);
  });

  it("refuses an Idempotency-Key that is not usable, a missing payload, and a flow that is not there", async () => {
    expect(await codeOf(await start({ payload: lead }, { "idempotency-key": "a b" }))).toBe("DELIVERY_ID_INVALID");
    expect(await codeOf(await start({}))).toBe("REQUEST_INVALID");
    const unknown = await server.api("POST", "/flows/nothing/runs", { as: "operator", body: { payload: lead } });
    expect(await codeOf(unknown)).toBe("FLOW_UNKNOWN");
  });
});

describe("samples", () => {
  it("of the flow's code start runs that are marked", async () => {
    const response = await send("urgent");
    expect(response.status).toBe(202);
    const { runId } = Accepted.parse(await response.json());
    expect(await eventOf(runId)).toMatchObject({ sample: true, source: "sample", payload: { name: "Ada" } });
  });

  it("can be sent with changes, twice the same without being duplicates", async () => {
    const payload = { ...lead, message: "edited" };
    const runs = await Promise.all(
      [send("urgent", { payload }), send("urgent", { payload })].map(async (answer) =>
        Accepted.parse(await (await answer).json()),
      ),
    );
    expect(runs.map(({ duplicate }) => duplicate)).toEqual([false, false]);
    expect((await eventOf(runs[0]!.runId)).payload).toEqual(payload);
  });

  it("are kept as they were given, and stand before those of the code", async () => {
    SampleView.parse(await (await put("urgent", { ...lead, name: "Kept" })).json());
    SampleView.parse(await (await put("a%20support%20request", lead)).json());
    const { samples } = FlowDetailView.parse(await (await get("/flows/lead-routing")).json());
    expect(samples).toEqual([
      { name: "urgent", payload: { ...lead, name: "Kept" } },
      { name: "a support request", payload: lead },
    ]);
  });

  it("are refused when they do not fit, have no usable name, or are not there", async () => {
    expect(await codeOf(await put("urgent", { name: 1 }))).toBe("PAYLOAD_INVALID");
    expect(await codeOf(await put("%00", lead))).toBe("REQUEST_INVALID");
    expect(await codeOf(await send("missing"))).toBe("NOT_FOUND");
  });
});

describe("flows", () => {
  it("are listed with address, scheme and figures", async () => {
    const { items } = FlowPage.parse(await (await get("/flows")).json());
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      name: "lead-routing",
      description: "Routes leads",
      minutesSaved: 4,
      trigger: { url: "https://hooks.example.com/hooks/leads", scheme: "standard-webhooks" },
      counts: { queued: expect.any(Number) },
      lastRunAt: expect.any(String),
    });
  });

  it("show what they take and which deliveries were refused", async () => {
    await server.workspace.refusals.count("webhook:leads", "SIGNATURE_INVALID");
    await server.workspace.refusals.count("webhook:others", "SIGNATURE_INVALID");
    const view = FlowDetailView.parse(await (await get("/flows/lead-routing")).json());
    expect(view.payloadSchema).toMatchObject({ type: "object", required: ["name", "email"] });
    expect(view.refusals).toMatchObject([{ source: "webhook:leads", code: "SIGNATURE_INVALID", count: 1 }]);
  });

  it("that are not there are FLOW_UNKNOWN", async () => {
    expect(await codeOf(await get("/flows/nothing"))).toBe("FLOW_UNKNOWN");
  });
});

describe("a changed flow", () => {
  it("wakes its parked runs of other code on request", async () => {
    const { events, runs } = server.workspace;
    const event = {
      flow: "lead-routing", source: "test", dedupKey: "parked", deliveryId: null, bodyDigest: "", payload: {}, sample: false,
      receivedAt: new Date(), begin: { executor: "exe_1", flowVersion: "v1" },
    }; // oxfmt-ignore
    const { runId } = await events.accept(event);
    await runs.park(runId, { wakeAt: null, signals: 0 }, 1);
    const recheck = () => server.api("POST", "/flows/lead-routing/recheck", { as: "operator" });
    const response = await recheck();
    expect([response.status, RecheckView.parse(await response.json())]).toEqual([202, { woken: 1 }]);
    expect(await runs.find(runId)).toMatchObject({ status: "queued" });
    expect(RecheckView.parse(await (await recheck()).json())).toEqual({ woken: 0 });
    const fields = { flow: "lead-routing", count: 1, by: "key_operator" };
    expect(server.log).toContainEqual({ level: "info", event: "flow.rechecked", fields });
    const unknown = await server.api("POST", "/flows/nothing/recheck", { as: "operator" });
    expect(await codeOf(unknown)).toBe("FLOW_UNKNOWN");
  });
});

describe("the overview", () => {
  it("shows what needs a person and what was saved", async () => {
    const { runs, events } = server.workspace;
    for (const status of ["failed", "in_doubt", "succeeded", "succeeded"] as const) {
      const { runId } = await events.accept({
        flow: "lead-routing",
        source: "test",
        dedupKey: crypto.randomUUID(),
        deliveryId: null,
        bodyDigest: "",
        payload: {},
        sample: false,
        receivedAt: new Date(),
      });
      const error = { code: "STEP_FAILED", message: "no", retryable: false };
      const outcome = { status, output: null, error: status === "succeeded" ? null : error };
      await runs.finish(runId, { ...outcome, failedStep: null, fingerprint: null }, { epoch: null, parentRunId: null });
    }
    const view = OverviewView.parse(await (await get("/overview")).json());
    expect(view.needsAttention.map(({ status }) => status)).toEqual(["in_doubt", "failed"]);
    expect(view.counts).toMatchObject({ failed: 1, in_doubt: 1, succeeded: 2 });
    expect(view.minutesSaved).toBe(8);
    expect(view.ai).toMatchObject({ calls: 0, costMicroUsd: 0 });
  });

  it("has the state of the server beside it", async () => {
    expect(StatusView.parse(await (await get("/status")).json())).toMatchObject({ version: "1.2.3", sandbox: true });
  });
});
