import { describe, expect, it } from "vitest";
import type { SandboxCall } from "../src/sandbox/index.ts";
import { chargeOf, toModelRequests } from "./model-record.ts";

const at = "2026-11-24T12:00:00.000Z";

function call(change: Partial<SandboxCall>): SandboxCall {
  const content = `<data>\n${JSON.stringify({ case: "case-7-end", text: "hello" })}\n</data>`;
  return {
    number: 1,
    at,
    system: "openai",
    method: "POST",
    path: "/openai/v1/chat/completions",
    headers: {},
    body: { model: "sandbox-a", messages: [{ role: "user", content }] },
    idempotencyKey: null,
    status: 200,
    response: { usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } },
    fault: null,
    effect: null,
    ...change,
  };
}

const read = (change: Partial<SandboxCall>) => toModelRequests([call(change)])[0];
const waitOf = (responseHeaders: SandboxCall["responseHeaders"] = {}, response: SandboxCall["response"] = {}) =>
  read({ status: 429, responseHeaders, response })?.waitMs;

describe("requests of a record", () => {
  it("tell their model, their case and what they used", () => {
    expect(read({})).toMatchObject({
      bucket: "openai/sandbox-a",
      caseName: "case-7-end",
      usage: { inputTokens: 100, outputTokens: 20 },
      waitMs: null,
    });
  });

  it("tell what a stream used by the last that it says", () => {
    const events = [
      { type: "message_start", message: { usage: { input_tokens: 90, output_tokens: 1 } } },
      { type: "message_delta", usage: { output_tokens: 33 } },
    ];
    const response = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    expect(read({ response })?.usage).toEqual({ inputTokens: 90, outputTokens: 33 });
  });

  it("have no usage where nothing was worked", () => {
    expect(read({ status: 500, response: { error: { message: "down" } } })?.usage).toBeNull();
  });

  it("are only those for text", () => {
    expect(toModelRequests([call({ method: "GET", path: "/openai/v1/models" })])).toEqual([]);
  });

  it("cost what the price says, rounded up; nothing where nothing was worked", () => {
    const price = { inputUsdPerMillion: 0.25, outputUsdPerMillion: 2 };
    expect(chargeOf({ usage: { inputTokens: 3, outputTokens: 1 } }, price)).toBe(3);
    expect(chargeOf({ usage: null }, price)).toBe(0);
  });
});

describe("a wait that an answer announces", () => {
  it("is read in each form of the stand-ins", () => {
    expect(waitOf({ "retry-after": "2" })).toBe(2000);
    expect(waitOf({ "retry-after-ms": "1500", "retry-after": "2" })).toBe(1500);
    expect(waitOf({ "retry-after": "Tue, 24 Nov 2026 12:00:03 GMT" })).toBe(3000);
    expect(waitOf({ "x-ratelimit-reset-requests": "1m30s" })).toBe(90_000);
    expect(waitOf({ "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:04Z" })).toBe(4000);
    expect(waitOf({}, { error: { details: [{ retryDelay: "1.5s" }] } })).toBe(1500);
    expect(waitOf({}, { error: { message: "Please try again in 20ms." } })).toBe(20);
  });

  it("is none when it is not told, in the past or no time", () => {
    expect(waitOf()).toBeNull();
    expect(waitOf({ "retry-after": "soon" })).toBeNull();
    expect(waitOf({ "retry-after": "Tue, 24 Nov 2026 11:59:00 GMT" })).toBeNull();
    expect(waitOf({ "x-ratelimit-reset-requests": "0" })).toBeNull();
  });
});
