import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import type { EffectKind, JsonObject, ReceiptState } from "../../core/index.ts";
import type { IncomingEvent, RunOutcome, StepRecord } from "../../store/index.ts";
import { Problem, RunDetailView, RunPage, RunView, SignalView } from "./schemas.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const get = (path: string) => server.api("GET", path, { as: "viewer" });
const post = (path: string, body?: JsonObject) => server.api("POST", path, { as: "operator", ...(body && { body }) });
const codeOf = async (response: Response) => Problem.parse(await response.json()).code;
const detailOf = async (id: string) => RunDetailView.parse(await (await get(`/runs/${id}`)).json());

async function accept(flow = "lead-routing", change: Partial<IncomingEvent> = {}): Promise<string> {
  const { runId } = await server.workspace.events.accept({
    flow,
    source: "webhook:leads",
    dedupKey: crypto.randomUUID(),
    deliveryId: "msg_1",
    bodyDigest: "",
    // Text that Postgres' jsonb would refuse.
    payload: { name: "Ada\u0000", emoji: "\ud83d" },
    sample: false,
    receivedAt: new Date(),
    ...change,
  });
  return runId;
}

async function finish(id: string, outcome: Partial<RunOutcome>): Promise<void> {
  await server.workspace.runs.finish(
    id,
    { status: "failed", output: null, error: null, failedStep: null, fingerprint: null, ...outcome },
    { epoch: null, parentRunId: null },
  );
}

async function saveStep(runId: string, path: string, step: Partial<StepRecord> = {}): Promise<void> {
  const record = {
    runId,
    path,
    name: `step ${path}`,
    kind: "effect",
    status: "succeeded",
    attempts: [{ number: 1, startedAt: new Date().toISOString(), finishedAt: null, error: null }],
    wakeAt: null,
    waitReason: null,
    input: { a: 1 },
    output: { b: 2 },
    error: null,
    startedAt: new Date(1_700_000_000_000),
    finishedAt: new Date(1_700_000_000_250),
    ...step,
  } as const;
  expect(await server.workspace.steps.save(record, 0)).toBe(true);
}

async function saveReceipt(
  runId: string,
  stepPath: string,
  state: ReceiptState,
  effect: EffectKind = "write",
): Promise<void> {
  const key = `${runId}/${stepPath}`;
  const about = { connection: "slack", action: "slack.postMessage", effect, requestDigest: "sha256:1" };
  await server.workspace.effects.begin({ key, runId, stepPath, ...about, request: { text: "hi" }, epoch: 0 });
  if (state !== "intent") await server.workspace.effects.settle(key, { state, response: { ok: true } });
}

async function saveAiCall(runId: string, stepPath: string, costMicroUsd: number | null): Promise<void> {
  const id = `call_${crypto.randomUUID()}`;
  const sentFields = [{ name: "message", sources: ["message"], masked: ["PERSON"] }];
  await server.workspace.aiCalls.admit({
    intent: {
      id, runId, stepPath, attempt: 1, modelName: "fast", provider: "simulated", model: "sim-1", region: null,
      lane: "batch", simulated: true, sentFields, availableFields: 4, masked: { PERSON: 2 }, request: [{ role: "user" }],
      requestDigest: "sha256:2", reservedMicroUsd: 5000, waitedMs: 1200, promptVersion: "0123456789ab", startedAt: new Date(),
    },
    epoch: 0,
    claim: null,
    subjects: [],
    vault: null,
  }); // oxfmt-ignore
  await server.workspace.aiCalls.settle(
    { id, runId },
    {
      status: "succeeded", response: { text: "yes" }, responseDigest: "sha256:3", rung: "fallback", inputTokens: 100,
      outputTokens: 20, costMicroUsd, estimated: true, error: null, finishedAt: new Date(), settlement: null,
    },
  ); // oxfmt-ignore
}

describe("a run", () => {
  it("is shown with event, steps, what each step asked a model and did outside, and totals", async () => {
    const id = await accept();
    await saveStep(id, "0", { kind: "ai" });
    await saveAiCall(id, "0", 1500);
    await saveAiCall(id, "0", null);
    await saveStep(id, "1");
    await saveReceipt(id, "1", "done");
    await finish(id, { status: "succeeded", output: { score: 81 } });

    const run = await detailOf(id);
    expect(run).toMatchObject({ status: "succeeded", output: { score: 81 }, resume: { possible: false, effects: [] } });
    expect(run.event).toMatchObject({ source: "webhook:leads", payload: { name: "Ada\u0000", emoji: "\ud83d" } });
    expect(run.steps.map(({ aiCalls, receipt }) => [aiCalls.length, receipt?.state])).toEqual([
      [2, undefined],
      [0, "done"],
    ]);
    expect(run.steps[0]).toMatchObject({
      durationMs: 250,
      input: { a: 1 },
      waitReason: null,
      aiCalls: [
        {
          simulated: true, rung: "fallback", lane: "batch", region: null, masked: { PERSON: 2 }, estimated: true,
          reservedMicroUsd: 5000, waitedMs: 1200, promptVersion: "0123456789ab", request: [{ role: "user" }],
          sentFields: [{ name: "message", sources: ["message"], masked: ["PERSON"] }],
        },
        {},
      ],
    }); // oxfmt-ignore
    expect(run.totals).toEqual({ inputTokens: 200, outputTokens: 40, costMicroUsd: 1500, unpricedCalls: 1 });
  });

  it("shows no column of the database that its view does not name", async () => {
    const id = await accept();
    await saveStep(id, "0");
    await saveReceipt(id, "0", "done");
    await saveAiCall(id, "0", 1);
    const text = await (await get(`/runs/${id}`)).text();
    expect(text).not.toMatch(/workspaceId|executor|"eventId"/);
  });

  it("shows what started it and what it started, its priority, and that it is parked", async () => {
    const parent = await accept("lead-routing", { priority: 0 });
    const child = await accept("enrich", { parent: { runId: parent, path: "2", depth: 1 }, priority: 2 });
    const wakeAt = new Date(Date.now() + 3_600_000);
    await server.workspace.runs.park(parent, { wakeAt, signals: 0 }, 0);
    expect(await detailOf(parent)).toMatchObject({
      priority: "interactive", parent: null, parked: true, wakeAt: wakeAt.toISOString(), fingerprint: null,
      subflows: [{ id: child, flow: "enrich", status: "queued", path: "2" }],
    }); // oxfmt-ignore
    expect(await detailOf(child)).toMatchObject({
      priority: "batch", parent: { runId: parent, path: "2" }, parked: false, wakeAt: null, subflows: [],
    }); // oxfmt-ignore
  });

  it("that is not there, or is no id, is refused", async () => {
    expect(await codeOf(await get("/runs/run_0"))).toBe("RUN_UNKNOWN");
    expect(await codeOf(await get("/runs/%00"))).toBe("REQUEST_INVALID");
    expect(await codeOf(await get("/runs/run'--"))).toBe("REQUEST_INVALID");
  });
});

describe("what resuming would do", () => {
  it("keeps effects before the failed step, and tells which of the later ones would repeat", async () => {
    const id = await accept();
    await saveStep(id, "0");
    await saveStep(id, "1", { status: "failed" });
    const states: ReceiptState[] = ["done", "unknown", "done", "not_done"];
    for (const [path, state] of states.entries()) await saveReceipt(id, String(path), state);
    await finish(id, { status: "in_doubt", failedStep: "1" });

    expect((await detailOf(id)).resume).toEqual({
      possible: true,
      fromStep: "1",
      effects: [
        { action: "slack.postMessage", key: `${id}/1`, effect: "write", state: "unknown", wouldRepeat: true },
        { action: "slack.postMessage", key: `${id}/2`, effect: "write", state: "done", wouldRepeat: false },
        { action: "slack.postMessage", key: `${id}/3`, effect: "write", state: "not_done", wouldRepeat: false },
      ],
    });
  });

  it("is shown for a cancelled run as what it was doing", async () => {
    const id = await accept();
    await saveStep(id, "0");
    await saveReceipt(id, "0", "done");
    await saveStep(id, "1", { status: "running", finishedAt: null });
    await saveReceipt(id, "1", "intent");
    await finish(id, { status: "cancelled" });
    expect((await detailOf(id)).resume).toMatchObject({
      possible: true,
      fromStep: null,
      effects: [{ key: `${id}/1`, wouldRepeat: true }],
    });
  });
});

/** A run that stopped at an effect that cannot be taken back. */
async function inDoubt(): Promise<{ id: string; key: string }> {
  const id = await accept();
  await saveStep(id, "0", { status: "failed" });
  await saveReceipt(id, "0", "unknown", "irreversible");
  const key = `${id}/0`;
  const error = { code: "EFFECT_IN_DOUBT", message: "it may have happened", retryable: false, details: { key } };
  await finish(id, { status: "in_doubt", failedStep: "0", error });
  return { id, key };
}

describe("a run in doubt", () => {
  it("asks a person about the effect, and would not repeat it by itself", async () => {
    const { id, key } = await inDoubt();
    const run = await detailOf(id);
    expect(run.question).toEqual({
      kind: "effect", key, action: "slack.postMessage", connection: "slack", stepPath: "0", startedAt: expect.any(String) as unknown,
      attempts: 1, request: { text: "hi" }, reason: "it may have happened",
    }); // oxfmt-ignore
    expect(run.resume.effects).toMatchObject([{ key, effect: "irreversible", state: "unknown", wouldRepeat: false }]);
  });

  it("goes on by a person's word, which is kept with who said it, and counts once", async () => {
    const { id, key } = await inDoubt();
    const response = await post(`/runs/${id}/rule`, { key, word: "done", output: { ts: "7" } });
    expect(response.status).toBe(202);
    expect(RunView.parse(await response.json())).toMatchObject({ id, status: "queued", resumes: 1 });
    const run = await detailOf(id);
    expect(run.question).toBeNull();
    expect(run.steps[0]?.receipt).toMatchObject({
      state: "done",
      response: { ts: "7" },
      ruling: { word: "done", by: "key_operator", byName: "operator", at: expect.any(String) as unknown },
    });
    const fields = { run: id, key, word: "done", by: "key_operator" };
    expect(server.log).toContainEqual({ level: "info", event: "effect.ruled", fields });
    expect(await codeOf(await post(`/runs/${id}/rule`, { key, word: "not_done" }))).toBe("EFFECT_NOT_IN_DOUBT");
  });

  it("refuses a word that is none, a key of another effect, and a run that is not there", async () => {
    const { id, key } = await inDoubt();
    expect(await codeOf(await post(`/runs/${id}/rule`, { key, word: "maybe" }))).toBe("REQUEST_INVALID");
    expect(await codeOf(await post(`/runs/${id}/rule`, { word: "done" }))).toBe("REQUEST_INVALID");
    expect(await codeOf(await post(`/runs/${id}/rule`, { key: `${id}/9`, word: "done" }))).toBe("EFFECT_UNKNOWN");
    expect(await codeOf(await post("/runs/run_0/rule", { key, word: "done" }))).toBe("RUN_UNKNOWN");
  });
});

async function changed(flow?: string): Promise<string> {
  const id = await accept(flow);
  for (const path of ["0", "1", "2"]) await saveStep(id, path);
  for (const path of ["0", "1"]) await saveReceipt(id, path, "done");
  await saveReceipt(id, "2", "not_done");
  const details = { step: "1", recorded: "step 1", recordedVersion: "v1", version: "v2" };
  await finish(id, { error: { code: "FLOW_CHANGED", message: "was changed", retryable: false, details } });
  return id;
}

describe("a run whose flow was changed", () => {
  it("shows which step does not fit and what would be done anew, and is migrated once", async () => {
    const id = await changed();
    expect((await detailOf(id)).migration).toEqual({
      possible: true,
      step: { path: "1", name: "step 1" },
      version: expect.stringMatching(/^[0-9a-f]{12}$/) as unknown,
      recordedVersion: "v1",
      effects: [{ action: "slack.postMessage", key: `${id}/1`, state: "done" }],
    });
    const response = await post(`/runs/${id}/migrate`);
    expect(response.status).toBe(202);
    expect(RunView.parse(await response.json())).toMatchObject({ id, status: "queued" });
    const run = await detailOf(id);
    expect([run.migration, run.steps.map(({ path }) => path)]).toEqual([null, ["0"]]);
    expect(server.log).toContainEqual({
      level: "info",
      event: "run.migrated",
      fields: { run: id, by: "key_operator" },
    });
    expect(await codeOf(await post(`/runs/${id}/migrate`))).toBe("RUN_NOT_MIGRATABLE");
    expect(await codeOf(await post("/runs/run_0/migrate"))).toBe("RUN_UNKNOWN");
  });

  it("cannot be migrated while the flow is not there", async () => {
    expect((await detailOf(await changed("removed"))).migration).toMatchObject({ possible: false, version: null });
  });

  it("is told apart from other failures", async () => {
    const id = await accept();
    await finish(id, { error: { code: "STEP_FAILED", message: "no", retryable: false } });
    expect((await detailOf(id)).migration).toBeNull();
  });
});

describe("the list of runs", () => {
  it("comes in pages, the newest first, each run once", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push(await accept("paged"));
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const path = `/runs?flow=paged&limit=2${next === null ? "" : `&before=${next}`}`;
      const page: RunPage = RunPage.parse(await (await get(path)).json());
      seen.push(...page.items.map(({ id }) => id));
      next = page.next;
    } while (next !== null);
    expect(seen).toEqual(ids.toSorted().toReversed());
  });

  it("can be narrowed to states", async () => {
    const [failed, doubtful] = [await accept("narrowed"), await accept("narrowed")];
    await accept("narrowed");
    await finish(failed, { status: "failed", error: { code: "STEP_FAILED", message: "no", retryable: false } });
    await finish(doubtful, { status: "in_doubt" });
    const page = RunPage.parse(await (await get("/runs?flow=narrowed&status=failed,in_doubt")).json());
    expect(page.items.map(({ status }) => status).toSorted()).toEqual(["failed", "in_doubt"]);
    expect(page.items.find(({ id }) => id === failed)?.error).toMatchObject({ code: "STEP_FAILED" });
  });

  it.each(["status=lost", "limit=0", "limit=201", "limit=x", "before=%00", "flow=A'B"])("refuses %s", async (query) => {
    expect(await codeOf(await get(`/runs?${query}`))).toBe("REQUEST_INVALID");
  });
});

describe("acting on a run", () => {
  it("goes to the engine, is answered with the run, and says in the log who did it", async () => {
    const id = await accept();
    for (const action of ["resume", "cancel"]) {
      const response = await post(`/runs/${id}/${action}`);
      expect(response.status).toBe(202);
      expect(RunView.parse(await response.json()).id).toBe(id);
      expect(server.engineCalls).toContain(`${action} ${id}`);
    }
    expect(server.log).toContainEqual({ level: "info", event: "run.resumed", fields: { run: id, by: "key_operator" } });
  });

  it("brings a signal once", async () => {
    const id = await accept();
    const answers = [
      await post(`/runs/${id}/signals/approved`, { value: null }),
      await post(`/runs/${id}/signals/approved`, { value: 2 }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    const views = await Promise.all(answers.map(async (answer) => SignalView.parse(await answer.json())));
    expect(views).toEqual([{ accepted: true }, { accepted: false }]);
    expect(await codeOf(await post("/runs/run_0/signals/approved", { value: 1 }))).toBe("RUN_UNKNOWN");
    expect(await codeOf(await post(`/runs/${id}/signals/approved`, {}))).toBe("REQUEST_INVALID");
  });
});
