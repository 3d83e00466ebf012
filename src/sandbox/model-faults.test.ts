import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openModelSandbox, type CallInit, type ModelSandbox, type ModelSystem } from "./fixtures/model-sandbox.ts";
import { faultKinds, type FaultKind, type FaultParams } from "./index.ts";

let models: ModelSandbox;

beforeAll(async () => {
  models = await openModelSandbox();
});
beforeEach(() => models.sandbox.setFaults([]));
afterAll(() => models.close());

const systems = ["openai", "anthropic", "cohere"] as const satisfies readonly ModelSystem[];

const messages = [{ role: "user", content: "Hello" }];
const asks = {
  openai: ["/chat/completions", { model: "gpt-5", messages }],
  anthropic: ["/messages", { model: "claude-sonnet-4-5", max_tokens: 100, messages }],
  cohere: ["/embed", { model: "embed-v4.0", texts: ["Hello"] }],
} as const;
const ask = (system: ModelSystem, more: object = {}, init: CallInit = {}) =>
  models.send(system, asks[system][0], { ...asks[system][1], ...more }, init);

/** Milliseconds until the date in `retry-after`. */
const timeLeft = (headers: Readonly<Record<string, string>>) => Date.parse(headers["retry-after"] ?? "") - Date.now();

/** The status of each kind; null for none. */
const common = {
  applied_then_no_answer: null,
  not_applied_reset: null,
  slow: 200,
  stalled_body: 200,
  truncated_body: 200,
  html_200: 200,
  empty_body: 200,
  bad_gateway: 502,
  gateway_timeout: 504,
  rate_limit_exceeded: 429,
  rate_limit_by_ms: 429,
  rate_limit_by_date: 429,
  rate_limit_by_reset: 429,
  rate_limit_in_body: 429,
  rate_limit_without_wait: 429,
  rate_limit_unreadable_wait: 429,
  rate_limit_past_wait: 429,
  rate_limit_not_positive: 429,
  rate_limit_long_wait: 429,
  limits_not_positive: 200,
  limits_absent: 200,
  insufficient_quota: 429,
  spend_limit_reached: 429,
  payment_required: 402,
  invalid_api_key: 401,
  permission_denied: 403,
  model_not_found: 404,
  context_length_exceeded: 400,
  server_error: 500,
  service_unavailable: 503,
  overloaded: 529,
  empty_content: 200,
  usage_missing: 200,
  late_answer: 200,
  trickled_body: 200,
};
const text = {
  length: 200,
  refusal: 200,
  malformed_json: 200,
  not_json: 200,
  schema_mismatch: 200,
  stream_error: 500,
  batch_expired: 200,
  batch_requests_failed: 200,
};
const statuses: { readonly [Of in ModelSystem]: { readonly [Kind in FaultKind<Of>]: number | null } } = {
  openai: { ...common, ...text, content_filter: 200, prompt_filtered: 400, batch_failed: 200 },
  anthropic: { ...common, ...text, insufficient_quota: 400, content_filter: 400 },
  cohere: { ...common, spend_limit_reached: 402 },
};

describe.each(systems)("the faults of %s", (system) => {
  it("can all be played, and are recorded by their names", async () => {
    for (const kind of faultKinds[system]) {
      await models.play(system, kind, { delayMs: 1 });
      const response = await ask(system).catch(() => undefined);
      await response?.text().catch(() => "");
    }
    const played = (await models.sandbox.calls({ system })).slice(-faultKinds[system].length);
    expect(Object.fromEntries(played.map((call) => [call.fault, call.status]))).toEqual(statuses[system]);
  });

  const headersOf = async (kind: FaultKind<"cohere">, params?: FaultParams) => {
    await models.play(system, kind, params);
    return Object.fromEntries((await ask(system)).headers);
  };
  const limitsOf = async (kind: FaultKind<"cohere">) =>
    Object.entries(await headersOf(kind)).filter(([name]) => name.includes("ratelimit"));

  it("tell a wait in seconds, milliseconds and by date", async () => {
    const params = { retryAfterMs: 1500 };
    expect(await headersOf("rate_limit_exceeded", params)).toMatchObject({ "retry-after": "2" });
    expect(await headersOf("rate_limit_by_ms", params)).toMatchObject({ "retry-after-ms": "1500" });
    expect(await headersOf("rate_limit_long_wait")).toMatchObject({ "retry-after": "600" });
    expect(timeLeft(await headersOf("rate_limit_by_date", { retryAfterMs: 90_000 }))).toBeGreaterThan(80_000);
    expect(timeLeft(await headersOf("rate_limit_past_wait", { retryAfterMs: 90_000 }))).toBeLessThan(-80_000);
  });

  it("tell a wait in a way that says nothing, or in the body", async () => {
    const names = async (kind: FaultKind<"cohere">) =>
      Object.keys(await headersOf(kind)).filter((name) => /retry|limit/.test(name));
    expect(await names("rate_limit_without_wait")).toEqual([]);
    expect(await headersOf("rate_limit_unreadable_wait")).toMatchObject({ "retry-after": "soon" });
    await models.play(system, "rate_limit_in_body", { retryAfterMs: 34_500 });
    expect(await (await ask(system)).json()).toMatchObject({ error: { details: [{ retryDelay: "34.5s" }] } });
  });

  it("leave out the limits, or tell less than none", async () => {
    expect(await limitsOf("limits_absent")).toEqual([]);
    for (const kind of ["limits_not_positive", "rate_limit_not_positive"] as const) {
      const told = await limitsOf(kind);
      expect(told.length).toBeGreaterThan(2);
      expect(told.every(([name, value]) => value === (name.includes("reset") ? "0" : "-1"))).toBe(true);
    }
  });

  it("record an answer that comes too late, and what it used", async () => {
    await models.play(system, "late_answer", { delayMs: 10_000 });
    await expect(ask(system, {}, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    const call = (await models.sandbox.calls({ system })).at(-1);
    expect(call).toMatchObject({ status: 200, fault: "late_answer" });
    expect(JSON.stringify(call?.response)).toMatch(/"(?:prompt|input)_tokens":2/);
  });
});

const resetOf = async (system: ModelSystem, name: string) => {
  await models.play(system, "rate_limit_by_reset", { retryAfterMs: 360_000 });
  return (await ask(system)).headers.get(name) ?? "";
};

/** A clock reads the answer later than it was written. */
const expectInSixMinutes = (ms: number) => expect(Math.abs(ms - Date.now() - 360_000)).toBeLessThan(5000);

describe("the vendor's own way to tell a wait", () => {
  it("is a duration of OpenAI, a time of Anthropic and a Unix time of Cohere", async () => {
    expect(await resetOf("openai", "x-ratelimit-reset-requests")).toBe("6m0s");
    expectInSixMinutes(Date.parse(await resetOf("anthropic", "anthropic-ratelimit-requests-reset")));
    expectInSixMinutes(Number(await resetOf("cohere", "x-ratelimit-reset")) * 1000);
  });
});

describe("a spent limit of money", () => {
  it("is told apart from a rate limit only by its details", async () => {
    await models.play("anthropic", "spend_limit_reached");
    const answer = { error: { type: "rate_limit_error", details: { error_code: "enforced_spend_limit_reached" } } };
    expect(await (await ask("anthropic")).json()).toMatchObject(answer);
    await models.play("openai", "spend_limit_reached");
    expect(await (await ask("openai")).json()).toMatchObject({ error: { code: "organization_spend_limit_exceeded" } });
  });
});

const readStream = async (kind: FaultKind<"openai">, delayMs: number) => {
  await models.play("openai", kind, { delayMs });
  const response = await ask("openai", { stream: true });
  const begun = performance.now();
  const times: number[] = [];
  let received = "";
  for await (const piece of response.body!) {
    times.push(performance.now() - begun);
    received += Buffer.from(piece as Uint8Array).toString();
  }
  return { times, received };
};

describe("a stream", () => {
  it("can come event by event, slowly", async () => {
    const { times, received } = await readStream("trickled_body", 20);
    expect(received.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(times.length).toBeGreaterThan(4);
    expect(times.at(-1)).toBeGreaterThan(80);
  });

  it("can stand still in the middle", async () => {
    const { times, received } = await readStream("stalled_body", 90);
    expect(received.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(80);
  });
});
