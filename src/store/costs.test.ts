import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { by, failed, newStep, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";

let test: TestStore;
let client: Client;

beforeAll(async () => {
  test = await openTestStore();
  client = new Client({ connectionString: test.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await test.close();
});

/** A call as it is recorded; what is left out is usual. */
interface Call {
  readonly runId: string;
  readonly at: string;
  readonly workspaceId?: string;
  readonly provider?: string;
  readonly status?: "intent" | "succeeded" | "failed";
  readonly costMicroUsd?: number | null;
  readonly estimated?: boolean;
  readonly lane?: number;
  readonly fields?: readonly { name: string; sources: string[]; masked: string[] }[];
}

let number = 0;
async function record(call: Call): Promise<void> {
  number += 1;
  await client.query(
    `insert into sluice.ai_calls (workspace_id, id, run_id, step_path, attempt, model_name, provider, model, region, lane,
       simulated, sent_fields, available_fields, request, request_digest, status, input_tokens, output_tokens,
       cost_micro_usd, estimated, started_at)
     values ($1, $2, $3, '0', 1, 'fast', $4, 'm-1', 'eu', $5, false, $6, 4, '{}', '', $7, 100, 10, $8, $9, $10)`,
    [
      call.workspaceId ?? "default",
      `call_${number}`,
      call.runId,
      call.provider ?? "openai",
      call.lane ?? 1,
      JSON.stringify(call.fields ?? []),
      call.status ?? "succeeded",
      call.costMicroUsd === undefined ? 1000 : call.costMicroUsd,
      call.estimated ?? false,
      call.at,
    ],
  );
}

const march = { from: new Date("2026-03-01T00:00:00Z"), to: new Date("2026-04-01T00:00:00Z") };

describe("costs", () => {
  beforeAll(async () => {
    const good = await test.queue({ flow: "leads" });
    const bad = await test.queue({ flow: "leads" });
    const other = await test.queue({ flow: "tickets" });
    await test.workspace.runs.finish(good, succeeded, by(null));
    await test.workspace.runs.finish(bad, failed(), by(null));
    await record({ runId: good, at: "2026-03-09T10:00:00Z", costMicroUsd: 1500 });
    await record({
      runId: good,
      at: "2026-03-09T23:59:59.999Z",
      status: "failed",
      costMicroUsd: null,
      estimated: true,
    });
    await record({ runId: bad, at: "2026-03-10T00:00:00Z", costMicroUsd: 500, provider: "anthropic" });
    await record({ runId: other, at: "2026-03-10T01:00:00Z", status: "intent", costMicroUsd: null });
    await record({ runId: other, at: "2026-04-01T00:00:00Z" });
    await record({ runId: good, at: "2026-03-09T10:00:00Z", workspaceId: "another", costMicroUsd: 9_000_000 });
  });

  it("are told by flow, the dearest first, with what a successful run costs", async () => {
    const { rows, total } = await test.workspace.costs.by("flow", march);
    expect(rows).toEqual([
      {
        key: "leads", calls: 3, failed: 1, inputTokens: 300, outputTokens: 30, costMicroUsd: 2000, unpricedCalls: 1,
        estimatedCalls: 1, runs: 2, succeededRuns: 1, costPerSuccessMicroUsd: 2000,
      },
      {
        key: "tickets", calls: 1, failed: 0, inputTokens: 100, outputTokens: 10, costMicroUsd: 0, unpricedCalls: 0,
        estimatedCalls: 0, runs: 1, succeededRuns: 0, costPerSuccessMicroUsd: null,
      },
    ]); // oxfmt-ignore
    expect(total).toMatchObject({ calls: 4, costMicroUsd: 2000, runs: 3, succeededRuns: 1, unpricedCalls: 1 });
    expect(total).not.toHaveProperty("key");
  });

  it("are told by model, and by day of UTC with the latest first", async () => {
    const byModel = await test.workspace.costs.by("model", march);
    expect(byModel.rows.map(({ key, costMicroUsd }) => [key, costMicroUsd])).toEqual([
      ["openai/m-1", 1500],
      ["anthropic/m-1", 500],
    ]);
    const byDay = await test.workspace.costs.by("day", march);
    expect(byDay.rows.map(({ key, calls }) => [key, calls])).toEqual([
      ["2026-03-10", 2],
      ["2026-03-09", 2],
    ]);
  });

  it("of a period without calls are nothing, and no run costs anything", async () => {
    const empty = { from: new Date("2020-01-01"), to: new Date("2020-02-01") };
    expect(await test.workspace.costs.by("flow", empty)).toEqual({
      rows: [],
      total: expect.objectContaining({ calls: 0, costMicroUsd: 0, costPerSuccessMicroUsd: null }) as unknown,
    });
  });
});

describe("what was sent", () => {
  it("is told by flow, step and model, with every field that any call sent", async () => {
    const runId = await test.queue({ flow: "mapped" });
    await test.workspace.steps.save({ ...newStep(runId), name: "analyse lead" }, 0);
    const message = { name: "message", sources: ["message"], masked: ["PERSON"] };
    const company = { name: "company", sources: ["company"], masked: [] };
    const at = "2026-03-15T10:00:00.000Z";
    await record({ runId, at: "2026-03-12T10:00:00Z", fields: [message] });
    await record({ runId, at: "2026-03-13T10:00:00Z", fields: [message] });
    await record({ runId, at, fields: [{ ...message, masked: ["EMAIL"] }, company] });
    await record({ runId, at, lane: 2, fields: [company] });

    const sent = (await test.workspace.costs.sent(march)).filter(({ flow }) => flow === "mapped");
    const place = {
      flow: "mapped",
      step: "analyse lead",
      modelName: "fast",
      provider: "openai",
      model: "m-1",
      region: "eu",
    };
    expect(sent).toEqual([
      {
        ...place,
        lane: "standard",
        calls: 3,
        lastAt: new Date(at),
        fields: [
          { name: "message", sources: ["message"], masked: ["EMAIL", "PERSON"], seen: 3 },
          { name: "company", sources: ["company"], masked: [], seen: 1 },
        ],
      },
      { ...place, lane: "batch", calls: 1, lastAt: new Date(at), fields: [{ ...company, seen: 1 }] },
    ]);
  });

  it("stands under the step's path when the step is gone", async () => {
    const runId = await test.queue({ flow: "gone" });
    await record({ runId, at: "2026-03-12T10:00:00Z", fields: [{ name: "a", sources: [], masked: [] }] });
    const sent = (await test.workspace.costs.sent(march)).filter(({ flow }) => flow === "gone");
    expect(sent.map(({ step }) => step)).toEqual(["0"]);
  });
});

it("budgets are those of today, of this month, and of runs that have nothing left; the fullest first", async () => {
  await client.query(`insert into sluice.budget_accounts (account, limit_micro_usd, allowed_micro_usd, spent_micro_usd) values
    ('flow/leads/2026-03-09', 1000, 0, 500), ('flow/leads/2026-03', 1000, 0, 900), ('flow/leads/2026-03-08', 1000, 0, 1000),
    ('all/2026-02', 1000, 0, 1000), ('key/KEY/2026-03-09', 1000, 1000, 1000), ('run/run_1', 10, 0, 9), ('run/run_2', 10, 5, 15)`);
  const budgets = await test.workspace.costs.budgets(new Date("2026-03-09T12:00:00Z"));
  expect(budgets).toEqual([
    { account: "run/run_2", kind: "run", period: null, limitMicroUsd: 15, spentMicroUsd: 15 },
    { account: "flow/leads/2026-03", kind: "flow", period: "2026-03", limitMicroUsd: 1000, spentMicroUsd: 900 },
    { account: "flow/leads/2026-03-09", kind: "flow", period: "2026-03-09", limitMicroUsd: 1000, spentMicroUsd: 500 },
    { account: "key/KEY/2026-03-09", kind: "key", period: "2026-03-09", limitMicroUsd: 2000, spentMicroUsd: 1000 },
  ]);
});
