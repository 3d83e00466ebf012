import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secret } from "sluice";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox, type SandboxCall } from "../../src/sandbox/index.ts";
import type { TestRun } from "../../src/testing/index.ts";
import { hotLead, startApplication, type TestApplication } from "./application.ts";

let folder: string;
let sandbox: Sandbox;
let test: TestApplication;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-models-"));
  sandbox = await startSandbox({ folder });
  const fast = {
    provider: "openai-compatible",
    model: "sandbox-1",
    baseUrl: sandbox.openaiUrl,
    apiKey: secret("SANDBOX_KEY"),
    // The flow has a budget, which cannot be held for a model whose price nobody knows.
    price: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 },
  } as const;
  test = await startApplication({
    sandbox,
    models: { fast },
    environment: { SANDBOX_KEY: sandbox.credentials.openaiKey },
  });
});

afterEach(() => sandbox.setFaults([]));

afterAll(async () => {
  await test.close();
  await sandbox.close();
  await rm(folder, { recursive: true });
});

/** Runs a lead; gives the run, and the requests to the model that the stand-in saw meanwhile. */
async function runLead(): Promise<{ run: TestRun; requests: readonly SandboxCall[] }> {
  const since = (await sandbox.calls()).at(-1)?.number ?? 0;
  const run = await test.run("lead-routing", hotLead);
  return { run, requests: await sandbox.calls({ system: "openai", since }) };
}

/** [I4] The record has one row for each request that the other side saw, in order. */
function expectEachRecorded({ run, requests }: Awaited<ReturnType<typeof runLead>>): void {
  expect(run.aiCalls.map((call) => call.attempt)).toEqual(requests.map((_request, index) => index + 1));
  const answered = requests.map(
    ({ status, fault }) => status === 200 && (fault === null || fault === "malformed_json"),
  );
  expect(run.aiCalls.map((call) => call.status === "succeeded")).toEqual(answered);
}

describe("a model behind HTTP", () => {
  it("answers, and is charged by what it says it used", async () => {
    const { run, requests } = await runLead();
    expect(run.status).toBe("succeeded");
    expectEachRecorded({ run, requests });
    expect(run.aiCalls).toMatchObject([{ provider: "openai-compatible", simulated: false, rung: "as_is" }]);
    expect(run.aiCalls[0]?.inputTokens).toBeGreaterThan(0);
    expect(JSON.stringify(requests[0]?.body)).not.toContain(hotLead.email);
  });

  it("is left alone as long as it asked, and then tried again", async () => {
    const params = { retryAfterMs: 400, header: "retry-after-ms" } as const;
    await sandbox.setFaults([{ system: "openai", kind: "rate_limit_exceeded", times: 2, params }]);
    const { run, requests } = await runLead();
    expect(run.status).toBe("succeeded");
    expect(requests.map(({ status }) => status)).toEqual([429, 429, 200]);
    expectEachRecorded({ run, requests });
    const times = requests.map(({ at }) => Date.parse(at));
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(400);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(400);
    // A wait that was asked for costs no try.
    expect(run.steps[0]?.attempts).toHaveLength(1);
    expect(run.aiCalls.at(-1)?.waitedMs).toBeGreaterThanOrEqual(800);
  });

  it("has an answer repaired that is nearly JSON", async () => {
    await sandbox.setFaults([{ system: "openai", kind: "malformed_json", times: 1 }]);
    const { run, requests } = await runLead();
    expect(run.status).toBe("succeeded");
    expect(run.aiCalls).toMatchObject([{ rung: "repaired" }]);
    expectEachRecorded({ run, requests });
  });

  it.each(["not_json", "schema_mismatch"] as const)("is asked again after %s", async (kind) => {
    await sandbox.setFaults([{ system: "openai", kind, times: 1 }]);
    const { run, requests } = await runLead();
    expect(run.status).toBe("succeeded");
    expect(run.aiCalls).toMatchObject([{ rung: null, error: { code: "OUTPUT_INVALID" } }, { rung: "asked_again" }]);
    expectEachRecorded({ run, requests });
  });

  it("whose quota is spent is asked once; the run waits, and goes on when somebody resumes the model", async () => {
    await sandbox.setFaults([{ system: "openai", kind: "insufficient_quota" }]);
    const since = (await sandbox.calls()).at(-1)!.number;
    const { runId = "" } = await test.send("lead-routing", hotLead);
    const { workspace, oversight } = test.app;
    const firstStep = async () => (await workspace.steps.ofRun(runId))[0];
    await expect.poll(firstStep).toMatchObject({ status: "waiting", waitReason: "circuit" });
    await expect.poll(async () => (await workspace.runs.find(runId))?.executor).toBeNull();
    const [model] = await oversight.models();
    expect(model?.candidates[0]?.circuit).toMatchObject({ state: "open", reason: "quota" });

    await sandbox.setFaults([]);
    expect(await oversight.resume("SANDBOX_KEY", "test")).toBe(true);
    const resumed = await test.ended(runId);
    expect(resumed).toMatchObject({ status: "succeeded", error: null });
    expect(resumed.aiCalls.map((call) => call.status)).toEqual(["failed", "succeeded"]);
    expect(await sandbox.calls({ system: "openai", since })).toHaveLength(2);
  });
});
