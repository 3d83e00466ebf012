import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Check, Postponed, SluiceError } from "../core/index.ts";
import type { Admission } from "../store/index.ts";
import { createFakeRun, type FakeRun } from "./fixtures/fake-run.ts";
import { openaiAnswer, type ProviderStandIn, startProviderStandIn } from "./fixtures/provider-stand-in.ts";
import { builtInDetectors, createGateway, type GatewayOptions, type ModelsConfig, resolveModels } from "./index.ts";

const Analysis = z.object({ intent: z.string(), score: z.int().min(1).max(100) });
const good = JSON.stringify({ intent: "wants a quote", score: 90 });
const question = { instructions: "Analyse this lead.", send: { message: "We need a quote" }, schema: Analysis };

let first: ProviderStandIn;
let second: ProviderStandIn;
beforeAll(async () => void ([first, second] = await Promise.all([startProviderStandIn(), startProviderStandIn()])));
afterAll(() => Promise.all([first.close(), second.close()]));
beforeEach(() => {
  for (const standIn of [first, second]) {
    standIn.seen.length = 0;
    standIn.replies = [openaiAnswer(good)];
  }
});

const openai = (baseUrl: string) => ({ provider: "openai", model: "gpt-6-luna", baseUrl }) as const;
const other = (baseUrl: string) => ({ ...openai(baseUrl), model: "gpt-4.1-mini" }) as const;

async function open(run: FakeRun, config: ModelsConfig = {}, options: Partial<GatewayOptions> = {}) {
  const fast = [openai(first.baseUrl), other(second.baseUrl)];
  const models = await resolveModels({ config: { fast, ...config }, environment: {}, fetch });
  const shared = { ...run.stored, detectors: builtInDetectors(), fetch, resolveSecret: () => "sk-planted" };
  return createGateway({ models, ...shared, ...options }).ai;
}

const sentTo = ({ seen }: ProviderStandIn, at = 0): string => seen[at]?.body ?? "";
const answers = (status: number, code: string, headers = {}) => ({
  status,
  headers,
  body: JSON.stringify({ error: { code, message: "x" } }),
});

/** A piece of an answer as OpenAI streams it; null: the last one. */
function piece(content: string | null): string {
  const choice = content === null ? { delta: {}, finish_reason: "stop" } : { delta: { content }, finish_reason: null };
  const chunk = {
    id: "1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, ...choice }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

const isLongEnough: Check<{ intent: string }> = ({ intent }) => intent.length > 3 || "the intent is too short";

const whenSpent = (...steps: ("cheaper" | "batch" | "wait" | "ask")[]) => ({
  flowSettings: { budget: { perDayUsd: 1, whenSpent: steps, cheaperModel: "cheap" } },
});

describe("masking", () => {
  const payload = { name: "Jane Smith", email: "jane@company.com", message: "Call +44 20 7946 0958, Jane Smith" };
  const send = { message: payload.message, from: payload.email };

  test("[R8] sends placeholders in place of personal values, and gives the flow the real ones back", async () => {
    const run = createFakeRun({ payload });
    const ai = await open(run);
    first.replies = [openaiAnswer(JSON.stringify({ intent: "PERSON_1 at EMAIL_1", score: 90 }))];
    const analysis = await run.within(() => ai.object("analyse", { ...question, send }));
    expect(analysis.intent).toBe("Jane Smith at jane@company.com");
    expect(sentTo(first)).toContain("PERSON_1");
    for (const value of ["Jane", "jane@company.com", "7946"]) expect(sentTo(first)).not.toContain(value);
    expect(run.calls[0]).toMatchObject({
      masked: { PERSON: 1, EMAIL: 1, PHONE: 1 },
      sentFields: [
        { name: "message", sources: ["message"], masked: expect.arrayContaining(["PERSON", "PHONE"]) as unknown },
        { name: "from", sources: ["email"], masked: ["EMAIL"] },
      ],
    });
    expect(JSON.stringify([run.calls, run.steps])).not.toContain("jane@company.com");
    expect(run.admissions[0]?.subjects).toContain("EMAIL:jane@company.com");
  });

  test("keeps the same placeholder over the calls of a run, also one after another process took it over", async () => {
    const run = createFakeRun({ payload });
    await run.within(async () => (await open(run)).object("one", { ...question, send }));
    await run.within(async () => (await open(run)).object("two", { ...question, send: { again: payload.email } }));
    expect(sentTo(first, 1)).toContain("EMAIL_1");
    expect(run.admissions.map(({ vault }) => vault !== null)).toEqual([true, false]);
  });

  test("keeps placeholders with the first request that leaves, when those before had to wait", async () => {
    const until = new Date().toISOString();
    const run = createFakeRun({ payload, verdicts: [{ ok: false, because: "limit", kind: "requests", until }] });
    const ai = await open(run);
    await run.within(() => ai.object("analyse", { ...question, send }));
    expect(run.admissions.map(({ vault }) => Object.keys(vault?.originals ?? {}).length)).toEqual([3, 3]);
    expect(await run.journal.vault("run_test")).toMatchObject({ EMAIL_1: payload.email });
  });

  test("holds answers of a schema against the real values, and leaves them out where the flow is not granted them", async () => {
    const run = createFakeRun({ payload });
    const ai = await open(run);
    const Contact = z.object({ email: z.email() });
    first.replies = [openaiAnswer('{"email":"EMAIL_1"}')];
    const request = { instructions: "Find the address.", send: { from: payload.email } };
    expect(await run.within(() => ai.object("find", { ...request, schema: Contact }))).toEqual({
      email: payload.email,
    });
    first.replies = [openaiAnswer("EMAIL_1 wrote")];
    expect(await run.within(() => ai.text("say", { ...request, restore: false }))).toBe("EMAIL_1 wrote");
  });

  test("follows the flow and the call on what may pass, and refuses what is blocked before anything is sent", async () => {
    const run = createFakeRun({ payload, flowSettings: { masking: { EMAIL: "allow" } } });
    const ai = await open(run);
    await run.within(() => ai.object("analyse", { ...question, send }));
    expect(sentTo(first)).toContain("jane@company.com");
    const blocked = run.within(() => ai.object("no", { ...question, send, masking: { PHONE: "block" } }));
    await expect(blocked).rejects.toMatchObject({ code: "MASKING_BLOCKED" });
    expect(first.seen).toHaveLength(1);
  });

  test("fails closed: while a detector fails nothing is sent", async () => {
    const run = createFakeRun({ payload, maxAttempts: 2 });
    const broken = { name: "broken", find: () => Promise.reject(new Error("gone")) };
    const ai = await open(run, {}, { detectors: [...builtInDetectors(), broken] });
    await expect(run.within(() => ai.object("analyse", question))).rejects.toMatchObject({ code: "MASKING_FAILED" });
    expect([first.seen, run.calls]).toEqual([[], []]);
  });

  test("masks numbers, nested names, text files, and what a check says of an answer", async () => {
    const run = createFakeRun({ payload: {} });
    const ai = await open(run);
    first.replies = [openaiAnswer(good), openaiAnswer(good)];
    const file = { mediaType: "text/plain", data: Buffer.from("from file@planted.example").toString("base64") };
    let asked = 0;
    const check = () => (asked++ === 0 ? "it must mention check@planted.example" : true);
    const nested = { rows: [{ "key@planted.example": 1, card: 4_111_111_111_111_111 }] };
    await run.within(() => ai.object("analyse", { ...question, send: nested, files: [file], check }));
    const all = first.seen.map(({ body }) => body).join();
    expect(first.seen).toHaveLength(2);
    for (const value of ["@planted.example", "4111111111111111"]) expect(all).not.toContain(value);
  });

  test("streams with real values, also where a placeholder comes in pieces", async () => {
    const run = createFakeRun({ payload });
    const ai = await open(run);
    const end = `${piece(null)}data: [DONE]\n\n`;
    first.replies = [{ pieces: [piece("Dear PERS"), piece("ON_1, wel"), piece("come"), end] }];
    const heard: string[] = [];
    const request = {
      instructions: "Write.",
      send: { name: payload.name },
      onText: (text: string) => void heard.push(text),
    };
    expect(await run.within(() => ai.text("write", request))).toBe("Dear Jane Smith, welcome");
    expect(heard.join("")).toBe("Dear Jane Smith, welcome");
    expect(heard.join("|")).not.toContain("PERS");
  });
});

describe("routing", () => {
  test("a class that no model may be sent stops the call before anything leaves", async () => {
    const run = createFakeRun({ flowSettings: { dataClasses: ["health"] } });
    const ai = await open(run);
    await expect(run.within(() => ai.object("analyse", question))).rejects.toMatchObject({ code: "MODEL_NOT_ALLOWED" });
    expect([first.seen, second.seen, run.calls]).toEqual([[], [], []]);
  });

  test("goes to the first model of the list that may be sent it, in an allowed region", async () => {
    const run = createFakeRun({ flowSettings: { regions: ["eu"] } });
    const fast = [
      { ...openai(first.baseUrl), dataClasses: ["health"] },
      { ...other(second.baseUrl), dataClasses: ["health"], region: "eu" },
    ];
    const ai = await open(run, { fast });
    await run.within(() => ai.object("analyse", { ...question, dataClasses: ["health"] }));
    expect([first.seen.length, second.seen.length]).toEqual([0, 1]);
    expect(run.calls[0]).toMatchObject({ region: "eu", model: "gpt-4.1-mini", rung: "as_is" });
  });
});

describe("fallbacks", () => {
  test.each([
    ["a used-up quota", answers(429, "insufficient_quota")],
    ["a refused key", answers(401, "invalid_api_key")],
    ["a retired model", answers(404, "model_not_found")],
    ["a 429 with a wait of over five minutes", answers(429, "rate_limit_exceeded", { "retry-after": "900" })],
    ["answers that never fit", openaiAnswer('{"score":900}')],
  ])("%s leads to the next model at once", async (_, reply) => {
    const run = createFakeRun();
    const ai = await open(run);
    first.replies = [reply];
    expect(await run.within(() => ai.object("analyse", question))).toMatchObject({ score: 90 });
    expect(second.seen).toHaveLength(1);
    expect(run.calls.at(-1)).toMatchObject({ model: "gpt-4.1-mini", status: "succeeded", rung: "fallback" });
    expect(run.steps[0]).toMatchObject({ attempts: 1, postponed: [] });
  });

  test("a model that is not available is tried three times, then the next one answers", async () => {
    const run = createFakeRun();
    const ai = await open(run);
    first.replies = [answers(503, "server_error")];
    await run.within(() => ai.object("analyse", question));
    expect([first.seen.length, second.seen.length, run.steps[0]?.attempts]).toEqual([3, 1, 3]);
  });

  test("a refusal by content rules leads nowhere", async () => {
    const run = createFakeRun();
    const ai = await open(run);
    first.replies = [openaiAnswer("", { finish: "content_filter" })];
    await expect(run.within(() => ai.object("analyse", question))).rejects.toMatchObject({ code: "MODEL_REFUSED" });
    expect(second.seen).toHaveLength(0);
  });

  test("a 429 costs no try and waits as long as it says", async () => {
    const run = createFakeRun();
    const ai = await open(run);
    first.replies = [answers(429, "rate_limit_exceeded", { "retry-after": "7" }), openaiAnswer(good)];
    const before = Date.now();
    await run.within(() => ai.object("analyse", question));
    const [wait] = run.steps[0]?.postponed ?? [];
    expect(wait).toMatchObject({ reason: "limit" });
    expect(wait!.until.getTime() - before).toBeGreaterThanOrEqual(7000);
    expect([first.seen.length, second.seen.length, run.steps[0]?.attempts]).toEqual([2, 0, 1]);
    expect(run.settlements[0]).toMatchObject({ outcome: "rate_limited", pauseUntil: expect.any(String) as string });
    expect(run.calls[1]?.waitedMs).toBeGreaterThanOrEqual(0);
  });

  test("a used-up quota without another model parks the run", async () => {
    const run = createFakeRun();
    const ai = await open(run, { fast: openai(first.baseUrl) });
    first.replies = [answers(429, "insufficient_quota"), openaiAnswer(good)];
    await run.within(() => ai.object("analyse", question));
    const [wait] = run.steps[0]?.postponed ?? [];
    expect(wait).toMatchObject({ reason: "circuit" });
    expect(wait!.until.getTime()).toBeGreaterThan(Date.now() + 5 * 60_000);
    expect(run.settlements[0]).toMatchObject({ outcome: "quota", costMicroUsd: 0 });
  });
});

describe("admission", () => {
  const until = new Date(Date.now() + 30_000).toISOString();

  test.each([
    ["limit", { ok: false, because: "limit", kind: "requests", until }],
    ["circuit", { ok: false, because: "circuit", reason: "quota", until }],
  ] as const)(
    "without room by a %s the step waits, and nothing is sent or recorded meanwhile",
    async (reason, verdict) => {
      const run = createFakeRun({ verdicts: [verdict] });
      const ai = await open(run, { fast: openai(first.baseUrl) });
      await run.within(() => ai.object("analyse", question));
      expect(run.steps[0]?.postponed).toEqual([expect.any(Postponed) as Postponed]);
      expect(run.steps[0]?.postponed[0]).toMatchObject({ reason, until: new Date(until) });
      expect([first.seen.length, run.calls.length]).toEqual([1, 1]);
    },
  );

  test("an open circuit leads to the next model", async () => {
    const run = createFakeRun({ verdicts: [{ ok: false, because: "circuit", reason: "unavailable", until }] });
    const ai = await open(run);
    await run.within(() => ai.object("analyse", question));
    expect([first.seen.length, second.seen.length]).toEqual([0, 1]);
  });

  test("claims the worst case of a call against limits and budgets, and settles what it cost", async () => {
    const budget = { perRunUsd: 0.05, perDayUsd: 1, perMonthUsd: 20 };
    const run = createFakeRun({ flowSettings: { budget } });
    const limits = { requestsPerMinute: 60, tokensPerMinute: 100_000, concurrency: 5 };
    const ai = await open(
      run,
      { fast: { ...openai(first.baseUrl), limits, budget: { perDayUsd: 2 } } },
      { budget: { perMonthUsd: 100 } },
    );
    await run.within(() => ai.object("analyse", { ...question, lane: "interactive" }));
    const day = run.calls[0]!.startedAt.toISOString().slice(0, 10);
    expect(run.admissions[0]?.claim).toMatchObject({
      credential: "OPENAI_API_KEY",
      bucket: "OPENAI_API_KEY openai/gpt-6-luna",
      lane: 0,
      concurrency: 5,
      limits: [
        { kind: "requests", limit: 60, perMs: 60_000 },
        { kind: "tokens", limit: 100_000, perMs: 60_000 },
      ],
      accounts: [
        { account: "run/run_test", limitMicroUsd: 50_000 },
        { account: `flow/test/${day}`, limitMicroUsd: 1_000_000 },
        { account: `flow/test/${day.slice(0, 7)}`, limitMicroUsd: 20_000_000 },
        { account: `key/OPENAI_API_KEY/${day}`, limitMicroUsd: 2_000_000 },
        { account: `all/${day.slice(0, 7)}`, limitMicroUsd: 100_000_000 },
      ],
    });
    expect(run.admissions[0]!.claim!.costMicroUsd).toBeGreaterThan(run.calls[0]!.costMicroUsd!);
    expect(run.settlements).toMatchObject([
      { outcome: "ok", costMicroUsd: 150, used: { input_tokens: 1000, output_tokens: 100 } },
    ]);
  });
});

describe("budgets", () => {
  const spent: Admission = {
    ok: false,
    because: "budget",
    account: "flow/test/2026-01-31",
    limitMicroUsd: 100,
    spentMicroUsd: 90,
  };
  test("without room the call fails, and nothing is sent", async () => {
    const run = createFakeRun({ verdicts: [spent] });
    const ai = await open(run);
    await expect(run.within(() => ai.object("analyse", question))).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
      details: { account: "flow/test/2026-01-31", limitMicroUsd: 100, spentMicroUsd: 90 },
    });
    expect(first.seen).toHaveLength(0);
  });

  test("a price that is unknown blocks a budgeted call", async () => {
    const unpriced = { provider: "openai-compatible", model: "m", baseUrl: first.baseUrl } as const;
    const run = createFakeRun({ flowSettings: { budget: { perRunUsd: 1 } } });
    const ai = await open(run, { fast: unpriced });
    await expect(run.within(() => ai.object("a", question))).rejects.toMatchObject({ code: "MODEL_PRICE_UNKNOWN" });
    expect(first.seen).toHaveLength(0);
  });

  test("goes to a cheaper model, as the flow says", async () => {
    const run = createFakeRun({ ...whenSpent("cheaper"), verdicts: [spent] });
    const ai = await open(run, { fast: openai(first.baseUrl), cheap: other(second.baseUrl) });
    await run.within(() => ai.object("analyse", question));
    expect([first.seen.length, second.seen.length]).toEqual([0, 1]);
    expect(run.calls).toMatchObject([{ modelName: "cheap" }]);
  });

  test("waits for the next day, as the flow says", async () => {
    const run = createFakeRun({ ...whenSpent("wait"), verdicts: [spent] });
    const ai = await open(run);
    await run.within(() => ai.object("analyse", question));
    expect(run.steps[0]?.postponed).toMatchObject([{ reason: "budget", until: new Date("2026-02-01T00:00:00Z") }]);
  });

  test("asks a person, who lets the call pass or does not", async () => {
    const allowing = createFakeRun({
      ...whenSpent("ask"),
      verdicts: [spent],
      signals: { "analyse (step 1): budget": [{ allow: true }] },
    });
    const ai = await open(allowing);
    expect(await allowing.within(() => ai.object("analyse", question))).toMatchObject({ score: 90 });
    expect(allowing.allowances).toMatchObject([{ account: "flow/test/2026-01-31" }]);
    const refusing = createFakeRun({
      ...whenSpent("ask"),
      verdicts: [spent],
      signals: { "analyse (step 1): budget": [{ allow: false }] },
    });
    const gateway = await open(refusing);
    await expect(refusing.within(() => gateway.object("analyse", question))).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
    });
  });
});

describe("validation", () => {
  test("asks again with what a check of the flow says", async () => {
    const run = createFakeRun();
    const ai = await open(run);
    first.replies = [openaiAnswer('{"intent":"x","score":5}'), openaiAnswer(good)];
    await run.within(() => ai.object("analyse", { ...question, check: isLongEnough }));
    expect(sentTo(first, 1)).toContain("the intent is too short");
    expect(run.calls).toMatchObject([{ error: { code: "OUTPUT_INVALID" } }, { rung: "asked_again" }]);
  });

  test("a judge sees the same fields and the answer, and its refusal is asked about again", async () => {
    const run = createFakeRun();
    const ai = await open(run, { fast: openai(first.baseUrl), smart: other(second.baseUrl) });
    const verdicts = [
      { meets_criteria: false, reason: "It is not polite." },
      { meets_criteria: true, reason: "Fine." },
    ];
    second.replies = verdicts.map((verdict) => openaiAnswer(JSON.stringify(verdict)));
    await run.within(() => ai.object("analyse", { ...question, judge: { criteria: "It is polite." } }));
    expect(sentTo(second)).toContain("wants a quote");
    expect(sentTo(second)).toContain("We need a quote");
    expect(sentTo(first, 1)).toContain("It is not polite.");
    expect(run.calls.map(({ modelName, status }) => `${modelName} ${status}`)).toEqual([
      "fast failed",
      "smart succeeded",
      "fast succeeded",
      "smart succeeded",
    ]);
  });

  test("hands what no model could answer to a person, whose answer is held against schema and checks", async () => {
    const given = { intent: "by hand", score: 50 };
    const run = createFakeRun({ signals: { "analyse (step 1): answer": [given] } });
    const ai = await open(run, { fast: openai(first.baseUrl) });
    first.replies = [openaiAnswer("no idea")];
    expect(
      await run.within(() => ai.object("analyse", { ...question, check: isLongEnough, onInvalid: "review" })),
    ).toEqual(given);
    const strict = createFakeRun({ signals: { "analyse (step 1): answer": [{ intent: "x", score: 50 }] } });
    const again = await open(strict, { fast: openai(first.baseUrl) });
    await expect(
      strict.within(() => again.object("analyse", { ...question, check: isLongEnough, onInvalid: "review" })),
    ).rejects.toBeInstanceOf(SluiceError);
  });
});
