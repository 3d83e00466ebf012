import { generateText, Output, streamText } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect, openModelSandbox, type ModelSandbox } from "./fixtures/model-sandbox.ts";

let models: ModelSandbox;
const prompt = "We want to buy 500 seats.";
const output = Output.object({ schema: z.object({ intent: z.string(), score: z.int().min(1).max(100) }) });
const asked = { model: "claude-sonnet-4-5", max_tokens: 100, messages: [{ role: "user", content: prompt }] };

beforeAll(async () => {
  models = await openModelSandbox();
});
beforeEach(() => models.sandbox.setFaults([]));
afterAll(() => models.close());

/** The client asks newer models for JSON by a format, older ones by a tool that they must call. */
describe.each(["claude-sonnet-4-5", "claude-3-haiku-20240307"])(
  "Anthropic's stand-in, asked by its client for %s",
  (id) => {
    const ask = () => ({ model: models.anthropic(id), prompt, maxRetries: 0 });

    it("answers text with what it used, whole and streamed", async () => {
      const { text, finishReason, usage } = await generateText(ask());
      expect(text).toMatch(/^SIMULATED: /);
      expect(finishReason).toBe("stop");
      expect(usage).toMatchObject({ inputTokens: 7, outputTokens: Math.ceil(text.length / 4) });
      const stream = streamText(ask());
      const pieces = await collect(stream.textStream);
      expect(pieces.length).toBeGreaterThan(2);
      expect(pieces.join("")).toBe(text);
      expect(await stream.usage).toMatchObject({ inputTokens: 7, outputTokens: usage.outputTokens });
    });

    it("answers JSON of the asked schema, also of its bounds, whole and streamed", async () => {
      expect((await generateText({ ...ask(), output })).output).toEqual({ intent: "SIMULATED", score: 1 });
      expect(await streamText({ ...ask(), output }).output).toEqual({ intent: "SIMULATED", score: 1 });
    });

    it.each([
      ["refusal", "content-filter"],
      ["length", "length"],
    ] as const)("is spoilt by %s, whole and streamed", async (kind, expected) => {
      await models.play("anthropic", kind);
      expect((await generateText(ask())).finishReason).toBe(expected);
      expect(await streamText(ask()).finishReason).toBe(expected);
    });

    it("can answer text in place of JSON", async () => {
      await models.play("anthropic", "not_json");
      await expect(generateText({ ...ask(), output })).rejects.toThrow("No object generated");
    });

    it("can break a stream with an error", async () => {
      await models.play("anthropic", "stream_error");
      const errors: unknown[] = [];
      const stream = streamText({ ...ask(), onError: ({ error }) => void errors.push(error) });
      await stream.consumeStream();
      expect(errors).toMatchObject([{ message: "Overloaded" }]);
    });
  },
);

describe("Anthropic's stand-in", () => {
  it("tells its limits with times to the second", async () => {
    const { headers } = await models.send("anthropic", "/messages", asked);
    expect(headers.get("anthropic-ratelimit-requests-limit")).toBe("1000000");
    expect(Number(headers.get("anthropic-ratelimit-requests-remaining"))).toBeLessThan(1_000_000);
    expect(Number(headers.get("anthropic-ratelimit-input-tokens-remaining"))).toBeLessThan(1_000_000_000);
    expect(headers.get("anthropic-ratelimit-output-tokens-reset")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it("records a call with the digest of its key", async () => {
    await models.send("anthropic", "/messages", asked, { headers: { "idempotency-key": "run-1/2" } });
    const call = (await models.sandbox.calls({ system: "anthropic" })).at(-1);
    expect(call).toMatchObject({ idempotencyKey: "run-1/2", status: 200, response: { usage: { input_tokens: 7 } } });
    expect(call?.headers["x-api-key"]).toMatch(/^sha256:/);
    expect(call?.responseHeaders).toHaveProperty("anthropic-ratelimit-tokens-remaining");
  });

  it.each([
    ["a wrong key", asked, { "x-api-key": "sk-ant-wrong" }, 401, "authentication_error"],
    ["an unknown model", { ...asked, model: "gpt-5" }, {}, 404, "not_found_error"],
    ["no max_tokens", { ...asked, max_tokens: undefined }, {}, 400, "invalid_request_error"],
    ["no messages", { ...asked, messages: undefined }, {}, 400, "invalid_request_error"],
    [
      "too much context",
      { ...asked, system: [{ type: "text", text: "x".repeat(900_000) }] },
      {},
      400,
      "invalid_request_error",
    ],
  ] as const)("refuses %s", async (_what, body, headers, status, type) => {
    const response = await models.send("anthropic", "/messages", body, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: "error", error: { type } });
  });

  it("wants to be told its version, and knows no other address", async () => {
    const { anthropicUrl, credentials } = models.sandbox;
    const headers = { authorization: `Bearer ${credentials.anthropicKey}` };
    const response = await fetch(`${anthropicUrl}/messages`, { method: "POST", headers, body: JSON.stringify(asked) });
    expect(await response.json()).toMatchObject({ error: { message: "anthropic-version: header is required" } });
    expect((await models.send("anthropic", "/levitations", {})).status).toBe(404);
    expect(await (await models.send("anthropic", "/models")).json()).toMatchObject({ data: [{ type: "model" }, {}] });
  });

  it("counts what tools gave as input", async () => {
    const content = [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "four" }] }];
    const body = { ...asked, messages: [{ role: "user", content }] };
    expect(await (await models.send("anthropic", "/messages", body)).json()).toMatchObject({
      usage: { input_tokens: 1 },
    });
  });
});
