import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModelSandbox, type ModelSandbox } from "./fixtures/model-sandbox.ts";
import { checkLimits, RateWindows, type ModelLimits } from "./model-limits.ts";

const minuteMs = 60_000;
const at = (ms: number) => new Date(1_700_000_000_000 + ms);
const windowsOf = (limits: ModelLimits) => {
  const windows = new RateWindows(limits);
  return (ms: number, inputTokens = 0) => windows.admit("openai", "gpt-5", inputTokens, at(ms));
};

/** Asks; when refused, asks again a millisecond before it should fit, and then in time. */
function askUntilTaken(admit: ReturnType<typeof windowsOf>, nowMs: number, inputTokens: number) {
  const waits: number[] = [];
  let atMs = nowMs;
  let admission = admit(atMs, inputTokens);
  while (admission.waitMs > 0) {
    waits.push(admission.waitMs);
    atMs += Math.max(1, admission.waitMs - 1);
    admission = admit(atMs, inputTokens);
  }
  return { waits, takenAtMs: atMs, admission };
}

describe("the window of a model", () => {
  it("takes as many requests as allowed in any 60 s, and says when the next one fits", () => {
    const admit = windowsOf({ requestsPerMinute: 2 });
    expect(admit(0).waitMs).toBe(0);
    expect(admit(10_000).waitMs).toBe(0);
    expect(admit(20_000).waitMs).toBe(40_000);
    expect(admit(minuteMs - 1).waitMs).toBe(1);
    expect(admit(minuteMs).waitMs).toBe(0);
    expect(admit(minuteMs).waitMs).toBe(10_000);
  });

  it("counts tokens of the answer once it is there", () => {
    const admit = windowsOf({ tokensPerMinute: 100 });
    const first = admit(0, 40);
    first.settle(30);
    expect(first.standing().remaining.tokens).toBe(30);
    expect(admit(1, 31).waitMs).toBe(minuteMs - 1);
    expect(admit(1, 30).waitMs).toBe(0);
  });

  it("limits input and output by themselves", () => {
    const byInput = windowsOf({ inputTokensPerMinute: 10 });
    byInput(0, 5).settle(1000);
    expect(byInput(1, 5).waitMs).toBe(0);
    expect(byInput(2, 1).waitMs).toBe(minuteMs - 2);
    const byOutput = windowsOf({ outputTokensPerMinute: 10 });
    byOutput(0, 1000).settle(10);
    expect(byOutput(1, 0).waitMs).toBe(minuteMs - 1);
  });

  it("forgets an answer that took longer than the window", () => {
    const admit = windowsOf({ tokensPerMinute: 100 });
    const slow = admit(0, 10);
    admit(minuteMs, 10);
    slow.settle(90);
    expect(admit(minuteMs + 1, 90).waitMs).toBe(0);
  });

  it("never takes more than allowed, whatever comes when, and takes whoever waited as long as told", () => {
    const request = fc.record({ gapMs: fc.nat(20_000), inputTokens: fc.nat(60), outputTokens: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (requests, most) => {
        const admit = windowsOf({ requestsPerMinute: most, inputTokensPerMinute: 100 });
        const taken: { atMs: number; tokens: number }[] = [];
        let now = 0;
        for (const { gapMs, inputTokens, outputTokens } of requests) {
          now += gapMs;
          const told = askUntilTaken(admit, now, inputTokens);
          expect(told.waits).toEqual(told.waits.slice(0, 1).flatMap((waitMs) => (waitMs === 1 ? [1] : [waitMs, 1])));
          now = told.takenAtMs;
          told.admission.settle(outputTokens);
          taken.push({ atMs: now, tokens: inputTokens });
          const inWindow = taken.filter(({ atMs }) => atMs > now - minuteMs);
          expect(inWindow.length).toBeLessThanOrEqual(most);
          expect(inWindow.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  it.each([{ requestsPerMinute: 0 }, { tokensPerMinute: 1.5 }, { requestsPerHour: 3 }])("refuses %j", (limits) => {
    expect(() => checkLimits(limits as ModelLimits)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("the limits of the models' stand-ins", () => {
  let models: ModelSandbox;
  const chat = (model = "gpt-5") =>
    models.send("openai", "/chat/completions", { model, messages: [{ role: "user", content: "Hello" }] });

  beforeAll(async () => {
    models = await openModelSandbox({ limits: { requestsPerMinute: 2 } });
  });
  afterAll(() => models.close());

  it("are told with every answer of OpenAI, and what is beyond them is refused until it fits", async () => {
    const first = await chat();
    expect(first.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("1");
    expect(Number(first.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(1_000_000_000);
    expect((await chat()).headers.get("x-ratelimit-remaining-requests")).toBe("0");
    const refused = await chat();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(refused.headers.get("x-ratelimit-reset-requests")).toMatch(/^(?:59\.?\d*|1m0)s$/);
    expect((await chat("gpt-5-mini")).status).toBe(200);
  });

  it("can be changed by whoever started the sandbox and by others, and a wrong one changes nothing", async () => {
    const { sandbox } = models;
    expect((await chat("gpt-a")).status).toBe(200);
    await sandbox.setLimits({ requestsPerMinute: 1 });
    expect((await chat("gpt-a")).status).toBe(429);
    await expect(sandbox.setLimits({ requestsPerMinute: -1 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect((await chat("gpt-a")).status).toBe(429);
    const put = (body: unknown) =>
      fetch(`${sandbox.origin}/_sandbox/limits`, {
        method: "PUT",
        headers: { authorization: `Bearer ${sandbox.controlToken}` },
        body: JSON.stringify(body),
      });
    expect((await put({ requestsPerMinute: 3 })).status).toBe(200);
    expect((await chat("gpt-a")).status).toBe(200);
    expect(await (await put("many")).json()).toMatchObject({ code: "CONFIG_INVALID" });
  });
});
