import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TestRun } from "../../src/testing/index.ts";
import { type GatewayApp, openGatewayApp } from "./fixtures/gateway-app.ts";
import { work } from "./fixtures/gateway-flows.ts";

let gateway: GatewayApp;

beforeAll(async () => {
  gateway = await openGatewayApp({ batchDelayMs: 400 });
});

afterEach(() => gateway.sandbox.setFaults([]));

afterAll(() => gateway.close());

const notes = (count: number, text = "note") => Array.from({ length: count }, (_, at) => ({ note: `${text} ${at}` }));

/** What the stand-ins saw of batches and of requests at once. */
async function seen(since: number): Promise<{ batches: number; atOnce: number }> {
  const calls = await gateway.sandbox.calls({ since });
  const posts = calls.filter(({ method }) => method === "POST");
  const count = (pattern: RegExp): number => posts.filter(({ path }) => pattern.test(path)).length;
  return { batches: count(/\/batches$/), atOnce: count(/\/(?:chat\/completions|messages)$/) };
}

const lastNumber = async (): Promise<number> => (await gateway.sandbox.calls()).at(-1)?.number ?? 0;

/** Batches that Anthropic's stand-in has taken. */
const takenSince = async (since: number) =>
  (await gateway.sandbox.calls({ since })).filter(({ path, status }) => path.endsWith("/batches") && status === 200);

const holdBack = () => gateway.sandbox.setFaults([{ system: "anthropic", kind: "service_unavailable" }]);

function callsOf(runs: readonly TestRun[]) {
  return runs.flatMap(({ aiCalls }) => aiCalls);
}

/** Every call has one intent in the ledger and one outcome, and nothing is left in the lane or set aside of budgets. */
async function expectAllClosed(): Promise<void> {
  await expect.poll(() => gateway.query("select * from sluice.batch_items")).toEqual([]);
  await expect.poll(() => gateway.query("select id from sluice.ai_calls where status = 'intent'")).toEqual([]);
  const told = await gateway.query<{ kinds: string }>(
    "select distinct string_agg(kind, ',' order by seq) as kinds from sluice.ledger where ref is not null group by ref",
  );
  expect(told).toEqual([{ kinds: "model.intended,model.called" }]);
  const accounts = await gateway.query(`
    select account, spent_micro_usd::integer as spent from sluice.budget_accounts where account like 'flow/%' order by account`);
  const costs = await gateway.query(`
    select 'flow/' || flow || '/' || to_char(call.started_at at time zone 'UTC', 'YYYY-MM-DD') as account, sum(cost_micro_usd)::integer as spent
    from sluice.ai_calls as call join sluice.runs as run on run.id = call.run_id
    group by 1 order by 1`);
  expect(accounts).toEqual(costs);
}

const inLine = () =>
  gateway.query<{ state: string; count: number }>(
    "select state, count(*)::integer from sluice.batch_items group by state order by state",
  );

describe.each(["openai", "anthropic"] as const)("twenty runs in the batch lane of %s", (system) => {
  it("go in few batches, are parked meanwhile and wake promptly, at half the price", async () => {
    const since = await lastNumber();
    const begunMs = performance.now();
    const ids = await gateway.start(`sort-${system}`, notes(20));
    await expect
      .poll(() =>
        gateway.query(`
          select count(*)::integer from sluice.runs as run join sluice.steps as step on step.run_id = run.id
          where flow = 'sort-${system}' and run.status = 'waiting' and run.executor is null and step.wait_reason = 'batch'`),
      )
      .toEqual([{ count: 20 }]);
    const runs = await gateway.ended(ids);
    // Left to themselves they would look again after five minutes.
    expect(performance.now() - begunMs).toBeLessThan(10_000);
    const { batches, atOnce } = await seen(since);
    expect(batches).toBeLessThanOrEqual(6);
    expect(atOnce).toBe(0);
    for (const run of runs) {
      expect(run).toMatchObject({ status: "succeeded", output: { topic: "SIMULATED" } });
      expect(run.steps[0]?.attempts).toHaveLength(1);
      expect(run.aiCalls).toMatchObject([{ status: "succeeded", lane: "batch", rung: "as_is" }]);
      const [call] = run.aiCalls;
      expect(call?.costMicroUsd).toBe(Math.ceil((call!.inputTokens! + 2 * call!.outputTokens!) / 2));
    }
    await expectAllClosed();
  });
});

describe("an answer of a batch", () => {
  it("that does not fit is asked for again in another batch, and is on record once", async () => {
    const [run] = await gateway.ended(await gateway.start("sort-openai", notes(1, "UNFIT")));
    expect(run).toMatchObject({ status: "succeeded", output: { topic: "SIMULATED" } });
    expect(run?.aiCalls).toMatchObject([
      { lane: "batch", status: "failed", error: { code: "OUTPUT_INVALID" } },
      { lane: "batch", status: "succeeded", rung: "asked_again" },
    ]);
    await expectAllClosed();
  });

  it("that never fits leads to the next model, which goes in a batch of its own", async () => {
    const [run] = await gateway.ended(await gateway.start("sort-doubtful", notes(1, "HOPELESS")));
    expect(run).toMatchObject({ status: "succeeded", output: { topic: "SIMULATED" } });
    const first = { lane: "batch", model: "gpt-doubtful", error: { code: "OUTPUT_INVALID" } };
    // A correction that reads as one before it is not asked for again.
    expect(run?.aiCalls).toMatchObject([first, first, { lane: "batch", model: "claude-second", rung: "fallback" }]);
    await expectAllClosed();
  });

  it("that never fits is asked for anew when the run is resumed", async () => {
    const [failed] = await gateway.ended(await gateway.start("sort-openai", notes(1, "HOPELESS")));
    expect(failed).toMatchObject({ status: "failed", error: { code: "OUTPUT_INVALID" } });
    expect(failed?.aiCalls).toHaveLength(2);
    await gateway.test.app.engine.resume("default", failed!.id);
    const [again] = await gateway.ended([failed!.id]);
    expect(again?.aiCalls).toHaveLength(4);
    await expectAllClosed();
  });

  it("wakes a run that was still busy when it came", async () => {
    const gate = Promise.withResolvers<void>();
    work.done = gate.promise;
    const [id = ""] = await gateway.start("sort-and-work", notes(1));
    await expect.poll(inLine).toEqual([{ state: "done", count: 1 }]);
    gate.resolve();
    expect(await gateway.test.ended(id)).toMatchObject({ status: "succeeded", output: { topic: "SIMULATED" } });
    await expectAllClosed();
  });
});

describe("what a batch does not answer is asked at once, at the usual price", () => {
  const unanswered = { lane: "batch", status: "failed", error: { code: "MODEL_UNAVAILABLE" }, costMicroUsd: 0 };
  const atOnce = { lane: "standard", status: "succeeded", rung: "as_is" };

  it.each(["openai", "anthropic"] as const)("where half of it expired at %s", async (system) => {
    await gateway.sandbox.setFaults([{ system, kind: "batch_expired" }]);
    const runs = await gateway.ended(await gateway.start(`sort-${system}`, notes(6)));
    expect(runs.map(({ status }) => status)).toEqual(Array(6).fill("succeeded"));
    const late = runs.filter(({ aiCalls }) => aiCalls.length === 2);
    expect(late.length).toBeGreaterThan(0);
    for (const { aiCalls } of late) expect(aiCalls).toMatchObject([unanswered, atOnce]);
    await expectAllClosed();
  });

  it.each([
    { system: "openai", kind: "batch_failed" },
    { system: "openai", kind: "batch_requests_failed", params: { share: 1 } },
    { system: "anthropic", kind: "batch_requests_failed", params: { share: 1 } },
  ] as const)("where none of it was answered: $kind at $system", async (fault) => {
    await gateway.sandbox.setFaults([fault]);
    const runs = await gateway.ended(await gateway.start(`sort-${fault.system}`, notes(2)));
    for (const { aiCalls } of runs) expect(aiCalls).toMatchObject([unanswered, atOnce]);
    await expectAllClosed();
  });

  it("where the provider refuses the batch for good", async () => {
    await gateway.sandbox.setFaults([{ system: "openai", kind: "permission_denied", times: 1 }]);
    const [run] = await gateway.ended(await gateway.start("sort-openai", notes(1)));
    expect(run?.aiCalls).toMatchObject([unanswered, atOnce]);
    await expectAllClosed();
  });

  it("and not where it refuses the batch for now: that is handed over again", async () => {
    await gateway.sandbox.setFaults([{ system: "openai", kind: "service_unavailable", times: 3 }]);
    const [run] = await gateway.ended(await gateway.start("sort-openai", notes(1)));
    expect(run?.aiCalls).toMatchObject([{ lane: "batch", status: "succeeded" }]);
    await expectAllClosed();
  });
});

it("a request waits in its batch also when the budget that sent it there has room again", async () => {
  const since = await lastNumber();
  const ids = await gateway.start("slide-to-batch", notes(1));
  await gateway.parked(ids, "batch");
  await gateway.query("update sluice.budget_accounts set spent_micro_usd = 0 where account like 'run/%'");
  const [run] = await gateway.ended(ids);
  expect(run?.aiCalls).toMatchObject([{ lane: "batch", status: "succeeded" }]);
  expect(await seen(since)).toEqual({ batches: 1, atOnce: 0 });
});

describe("a request in line", () => {
  it("is taken out when its run is cancelled, and costs nothing", async () => {
    await holdBack();
    const since = await lastNumber();
    const ids = await gateway.start("sort-anthropic", notes(1));
    await gateway.parked(ids, "batch");
    await gateway.test.app.engine.cancel("default", ids[0]!);
    await expect.poll(inLine).toEqual([]);
    await gateway.sandbox.setFaults([]);
    await expectAllClosed();
    const [run] = await gateway.ended(ids);
    expect(run?.aiCalls).toMatchObject([{ status: "failed", error: { code: "RUN_CANCELLED" }, costMicroUsd: 0 }]);
    expect((await gateway.sandbox.calls({ since })).filter(({ status }) => status === 200)).toEqual([]);
  });

  it("or with the provider is still there after a restart, and is submitted once", async () => {
    await holdBack();
    const since = await lastNumber();
    const early = await gateway.start("sort-anthropic", notes(3, "early"));
    await gateway.parked(early, "batch");
    await gateway.reopen(() => gateway.sandbox.setFaults([]));
    await expect.poll(inLine).toEqual([{ state: "submitted", count: 3 }]);
    await gateway.reopen();
    for (const run of await gateway.ended(early)) expect(run.aiCalls).toMatchObject([{ status: "succeeded" }]);
    expect(await takenSince(since)).toHaveLength(1);
    await expectAllClosed();
  });
});

describe("two processes", () => {
  it("put no request into two batches, and one collects what the other submitted before it was killed", async () => {
    const since = await lastNumber();
    const other = await gateway.join();
    const ids = await gateway.start("sort-anthropic", notes(40));
    const submittedSince = async (): Promise<string[]> =>
      (await takenSince(since)).flatMap(({ body }) =>
        (body as { requests: { custom_id: string }[] }).requests.map((request) => request.custom_id),
      );
    // All of them: what a process has taken and not submitted when it dies is only handed over after ten minutes.
    await expect.poll(async () => new Set(await submittedSince()).size).toBe(40);
    await expect.poll(async () => (await inLine()).some(({ state }) => state === "submitting")).toBe(false);
    other.kill("SIGKILL");
    const runs = await gateway.ended(ids);
    expect(runs.map(({ status }) => status)).toEqual(Array(40).fill("succeeded"));
    const submitted = await submittedSince();
    expect(new Set(submitted).size).toBe(submitted.length);
    expect(callsOf(runs).filter(({ status }) => status === "succeeded")).toHaveLength(40);
  });

  it("hand over after ten minutes what one took and did not submit before it died", async () => {
    await holdBack();
    const ids = await gateway.start("sort-anthropic", notes(2));
    await gateway.parked(ids, "batch");
    const taken = "update sluice.batch_items set state = 'submitting', state_since = now() - interval";
    await gateway.reopen(async () => {
      await gateway.query(`${taken} '9 minutes'`);
      await gateway.sandbox.setFaults([]);
    });
    await expect.poll(inLine).toEqual([{ state: "submitting", count: 2 }]);
    await gateway.query(`${taken} '11 minutes'`);
    const runs = await gateway.ended(ids);
    expect(callsOf(runs)).toMatchObject([{ status: "succeeded" }, { status: "succeeded" }]);
  });
});

it("no run misses its answer, however soon that comes", async () => {
  await gateway.close();
  gateway = await openGatewayApp({ batchDelayMs: 1, batchEveryMs: 3 });
  const runs = await gateway.ended(await gateway.start("sort-anthropic", notes(100)));
  expect(runs.filter(({ status }) => status === "succeeded")).toHaveLength(100);
  await expectAllClosed();
});
