import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type GatewayApp, openGatewayApp } from "./fixtures/gateway-app.ts";

let gateway: GatewayApp;
let cookie: string;

beforeAll(async () => {
  // Few at once, so that another process gets some as well.
  gateway = await openGatewayApp({ concurrency: 5 });
  cookie = await setUp();
});

afterEach(() => gateway.sandbox.setFaults([]));

afterAll(() => gateway.close());

async function setUp(): Promise<string> {
  const link = new URL((await gateway.test.app.setupLink())!);
  const token = link.searchParams.get("token");
  const user = { name: "Ada", email: "ada@example.com", password: "a long enough passphrase", token };
  const { headers } = await request("POST", "/setup", user);
  return headers.get("set-cookie")!.split(";")[0]!;
}

/** A request to the API of the application that is open now. */
function request(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
  const { adminUrl } = gateway.test.app;
  const headers = { "content-type": "application/json", origin: adminUrl!, ...(cookie && { cookie }) };
  return fetch(`${adminUrl}/api/v1${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

interface Asking {
  readonly run: { readonly id: string };
  readonly question: { readonly kind: string; readonly signal: string; readonly [field: string]: unknown };
}

/** What the runs of these ids ask people, by the API. */
async function questionsOf(id: string): Promise<Asking["question"][]> {
  const { items } = (await (await request("GET", "/questions")).json()) as { items: Asking[] };
  return items.filter(({ run }) => run.id === id).map(({ question }) => question);
}

function answer(id: string, { signal }: Asking["question"], value: unknown): Promise<Response> {
  return request("POST", `/runs/${id}/signals/${encodeURIComponent(signal)}`, { value });
}

const requestsSince = async (since: number) =>
  (await gateway.sandbox.calls({ since })).filter(({ method }) => method === "POST");
const lastNumber = async (): Promise<number> => (await gateway.sandbox.calls()).at(-1)?.number ?? 0;

/** A run that waits, with nothing of it in memory. */
async function startParked(flow: string, note = "note"): Promise<string> {
  const [id = ""] = await gateway.start(flow, [{ note }]);
  const { runs } = gateway.test.app.workspace;
  await expect.poll(() => runs.find(id)).toMatchObject({ status: "waiting", executor: null });
  return id;
}

describe("a run whose budget is spent", () => {
  it("waits for a person, also over a restart, and goes on once with what was allowed", async () => {
    const since = await lastNumber();
    const id = await startParked("ask-money");
    await gateway.reopen();
    const [question] = await questionsOf(id);
    expect(question).toMatchObject({
      kind: "budget",
      signal: "ask (step 1): budget",
      stepName: "ask",
      limitMicroUsd: 1,
    });
    expect(await requestsSince(since)).toEqual([]);
    expect((await answer(id, question!, { allow: true })).status).toBe(202);
    const run = await gateway.test.ended(id);
    expect(run).toMatchObject({ status: "succeeded", output: { topic: "SIMULATED" } });
    expect(await requestsSince(since)).toHaveLength(1);
    const { items } = await gateway.test.app.workspace.ledger.page({ runId: id });
    const kinds = items.map(({ kind }) => kind).toSorted();
    expect(kinds).toEqual(["budget.allowed", "model.called", "model.intended"]);
    // Another run of the day has nothing of it.
    await startParked("ask-money", "another");
  });

  it("fails with its reason when the person refuses", async () => {
    const since = await lastNumber();
    const id = await startParked("ask-money", "refused");
    const [question] = await questionsOf(id);
    expect((await answer(id, question!, { allow: false })).status).toBe(202);
    expect(await gateway.test.ended(id)).toMatchObject({ status: "failed", error: { code: "BUDGET_EXCEEDED" } });
    expect(await requestsSince(since)).toEqual([]);
  });
});

describe("a run whose model gives no answer that fits", () => {
  it("asks a person, takes only what fits, and goes on, also over a restart", async () => {
    const id = await startParked("ask-person", "HOPELESS");
    const [question] = await questionsOf(id);
    expect(question).toMatchObject({ kind: "answer", signal: "ask (step 1): answer" });
    expect(JSON.stringify(question?.["answer"])).toContain("subject");
    const refused = await answer(id, question!, { subject: "no topic" });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    await gateway.reopen();
    expect(await questionsOf(id)).toEqual([question]);
    expect((await answer(id, question!, { topic: "by Ada" })).status).toBe(202);
    expect(await gateway.test.ended(id)).toMatchObject({ status: "succeeded", output: { topic: "by Ada" } });
    expect(await questionsOf(id)).toEqual([]);
  });
});

describe("a model whose circuit is open", () => {
  it("is passed over for the next one without being asked", async () => {
    await gateway.sandbox.setFaults([{ system: "anthropic", kind: "invalid_api_key", times: 1 }]);
    const ask = async () => (await gateway.ended(await gateway.start("ask-fragile", [{ note: "note" }])))[0]!;
    expect((await ask()).aiCalls).toMatchObject([{ error: { code: "MODEL_AUTH_FAILED" } }, { rung: "fallback" }]);
    const since = await lastNumber();
    const run = await ask();
    expect(run.aiCalls).toMatchObject([{ model: "gpt-second", status: "succeeded", rung: "fallback" }]);
    expect((await requestsSince(since)).map(({ system }) => system)).toEqual(["openai"]);
  });
});

describe("[R8] the placeholders of a run", () => {
  it("are the same before and after a restart, and stand for the same", async () => {
    const since = await lastNumber();
    const [id = ""] = await gateway.start("ask-twice", [{ note: "Ada Lovelace asks", name: "Ada Lovelace" }]);
    await expect
      .poll(() => gateway.test.app.workspace.runs.find(id))
      .toMatchObject({ status: "waiting", executor: null });
    await gateway.reopen();
    await gateway.test.app.engine.signal("default", id, "go on", true);
    const run = await gateway.test.ended(id);
    expect(run).toMatchObject({ status: "succeeded", output: ["SIMULATED: Ada Lovelace", "SIMULATED: Ada Lovelace"] });
    const bodies = (await requestsSince(since)).map(({ body }) => JSON.stringify(body));
    expect(bodies).toHaveLength(2);
    for (const body of bodies) {
      expect(body).toContain("PERSON_1 asks");
      expect(body).not.toMatch(/Ada|Lovelace|PERSON_2/);
    }
  });
});

describe("runs that wait for a model when their process is killed", () => {
  it("are taken over, ask anew, and leave what the lost requests can have cost set aside", async () => {
    await gateway.sandbox.setFaults([{ system: "openai", kind: "slow", params: { delayMs: 1000 } }]);
    const other = await gateway.join();
    const [, executor] = await gateway.query<{ executor: string }>(
      "select executor from sluice.processes where ended_at is null order by started_at",
    );
    const payloads = Array.from({ length: 15 }, (_, at) => ({ note: `taken over ${at}` }));
    const ids = await gateway.start("ask-openai", payloads);
    const underWay = `select call.id, call.run_id from sluice.ai_calls as call join sluice.runs as run on run.id = call.run_id
      where run.executor = '${executor?.executor}' and call.status = 'intent'`;
    await expect.poll(() => gateway.query(underWay)).not.toEqual([]);
    other.kill("SIGKILL");
    const runs = await gateway.ended(ids);
    expect(runs.map(({ status }) => status)).toEqual(ids.map(() => "succeeded"));
    const calls = runs.flatMap(({ aiCalls }) => aiCalls);
    expect(calls.filter(({ status }) => status === "succeeded")).toHaveLength(ids.length);
    const lost = calls.filter(({ status }) => status === "intent");
    expect(lost.length).toBeGreaterThan(0);
    const settled = calls.reduce((sum, { costMicroUsd }) => sum + (costMicroUsd ?? 0), 0);
    const setAside = lost.reduce((sum, call) => sum + call.reservedMicroUsd!, 0);
    const [account] = await gateway.query<{ spent: number }>(
      "select spent_micro_usd::integer as spent from sluice.budget_accounts where account like 'flow/ask-openai/%'",
    );
    expect(account?.spent).toBe(settled + setAside);
  });
});

describe("a run without room under a limit", () => {
  it("rests, says why, and goes on when there is room, with no try used up", async () => {
    const [first] = await gateway.ended(await gateway.start("ask-narrow", [{ note: "first" }]));
    expect(first?.status).toBe("succeeded");
    const since = await lastNumber();
    const id = await startParked("ask-narrow");
    await gateway.parked([id], "limit");
    await gateway.reopen();
    expect(await requestsSince(since)).toEqual([]);
    // The minute is over, for the limit and for who waits. For the limits it stays over: their clock is never put back.
    await gateway.query(`create or replace function sluice.gateway_now() returns timestamptz language sql volatile
      as $$ select clock_timestamp() + interval '62 seconds' $$`);
    await gateway.query(`update sluice.steps set wake_at = now() where run_id = '${id}'`);
    await gateway.query(`update sluice.runs set wake_at = now() where id = '${id}'`);
    const run = await gateway.test.ended(id);
    expect(run).toMatchObject({ status: "succeeded", steps: [{ attempts: [{ number: 1, error: null }] }] });
    expect(run.aiCalls).toHaveLength(1);
    expect(run.aiCalls[0]?.waitedMs).toBeGreaterThan(0);
  });
});
