import { embedMany, generateText, Output, streamText } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect, openModelSandbox, type ModelSandbox } from "./fixtures/model-sandbox.ts";

let models: ModelSandbox;
const prompt = "We want to buy 500 seats.";
const output = Output.object({ schema: z.object({ intent: z.string(), score: z.int().min(1).max(100) }) });

beforeAll(async () => {
  models = await openModelSandbox();
});
beforeEach(() => models.sandbox.setFaults([]));
afterAll(() => models.close());

describe.each(["chat", "responses"] as const)("OpenAI's stand-in, asked by its client for %s", (api) => {
  const ask = () => ({ model: models.openai[api]("gpt-5"), prompt, maxRetries: 0 });

  it("answers text with what it used", async () => {
    const { text, finishReason, usage } = await generateText(ask());
    expect(text).toMatch(/^SIMULATED: /);
    expect(finishReason).toBe("stop");
    expect(usage).toMatchObject({ inputTokens: 7, outputTokens: Math.ceil(text.length / 4) });
  });

  it("answers JSON of the asked schema, whole and streamed", async () => {
    expect((await generateText({ ...ask(), output })).output).toEqual({ intent: "SIMULATED", score: 1 });
    expect(await streamText({ ...ask(), output }).output).toEqual({ intent: "SIMULATED", score: 1 });
  });

  it("streams the same answer in pieces, with what it used", async () => {
    const whole = await generateText(ask());
    const stream = streamText(ask());
    const pieces = await collect(stream.textStream);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join("")).toBe(whole.text);
    expect(await stream.finishReason).toBe("stop");
    expect((await stream.usage).outputTokens).toBe(whole.usage.outputTokens);
  });

  it("cuts the answer at the asked length", async () => {
    const { text, finishReason } = await generateText({ ...ask(), maxOutputTokens: 16 });
    expect(text).toHaveLength(64);
    expect(finishReason).toBe("length");
  });

  it.each([
    ["refusal", "content-filter"],
    ["content_filter", "content-filter"],
    ["length", "length"],
  ] as const)("is spoilt by %s, whole and streamed", async (kind, expected) => {
    await models.play("openai", kind);
    expect((await generateText(ask())).finishReason).toBe(expected);
    expect(await streamText(ask()).finishReason).toBe(expected);
  });

  it("can leave out what it used, whole and streamed", async () => {
    await models.play("openai", "usage_missing");
    expect((await generateText(ask())).usage.outputTokens).toBeUndefined();
    expect((await streamText(ask()).usage).outputTokens).toBeUndefined();
  });

  it("can break a stream with an error", async () => {
    await models.play("openai", "stream_error");
    const errors: unknown[] = [];
    const stream = streamText({ ...ask(), onError: ({ error }) => void errors.push(error) });
    expect((await collect(stream.textStream)).join("")).toMatch(/^SIMULATED/);
    expect(errors).toMatchObject([{ message: "The server had an error." }]);
    expect(await stream.finishReason).toBe("error");
  });
});

describe("the chat completions of OpenAI's stand-in", () => {
  it("take pictures of megabytes, and count no tokens for them", async () => {
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(2_000_000)}` } };
    const messages = [{ role: "user", content: [{ type: "text", text: "four" }, picture] }];
    const response = await models.send("openai", "/chat/completions", { model: "gpt-5", messages });
    expect(await response.json()).toMatchObject({ usage: { prompt_tokens: 1 } });
  });
});

describe("the responses of OpenAI's stand-in", () => {
  it("are made from instructions, items and results of tools", async () => {
    const items = [
      { role: "user", content: [{ type: "input_text", text: "four" }] },
      { type: "function_call_output", call_id: "c", output: "four" },
    ];
    const response = await models.send("openai", "/responses", { model: "gpt-5", instructions: "four", input: items });
    expect(await response.json()).toMatchObject({
      object: "response",
      status: "completed",
      usage: { input_tokens: 4 },
    });
  });

  it("are refused without input", async () => {
    expect((await models.send("openai", "/responses", { model: "gpt-5" })).status).toBe(400);
  });
});

describe("the embeddings of OpenAI's stand-in", () => {
  it("are near for texts of the same words, and leave the vectors out of the record", async () => {
    const values = ["The invoice is late", "late invoices", "holiday policy"];
    const { embeddings, usage } = await embedMany({
      model: models.openai.embedding("text-embedding-3-small"),
      values,
      maxRetries: 0,
    });
    const [first, second, third] = embeddings as [number[], number[], number[]];
    const cosine = (other: number[]) => first.reduce((sum, value, index) => sum + value * other[index]!, 0);
    expect(first).toHaveLength(256);
    expect(cosine(second)).toBeGreaterThan(0.5);
    expect(cosine(third)).toBeLessThan(0.3);
    expect(usage.tokens).toBeGreaterThan(0);
    expect((await models.sandbox.calls()).at(-1)).toMatchObject({ status: 200, response: { vectors: 3 } });
  });

  it("come in the asked size and format", async () => {
    const asked = { model: "text-embedding-3-small", input: "hello", dimensions: 8 };
    const read = async (more: object) => {
      const response = await models.send("openai", "/embeddings", { ...asked, ...more });
      return ((await response.json()) as { data: [{ embedding: string | number[] }] }).data[0].embedding;
    };
    const floats = (await read({})) as number[];
    const bytes = Buffer.from((await read({ encoding_format: "base64" })) as string, "base64");
    expect(floats).toHaveLength(8);
    expect(floats.map((_, index) => bytes.readFloatLE(index * 4))).toEqual(floats.map(Math.fround));
  });

  it.each([{ input: "" }, { input: [] }, { input: ["a", ""] }, { input: "a", dimensions: 0 }, { input: 5 }])(
    "are refused for %j",
    async (asked) => {
      const response = await models.send("openai", "/embeddings", { model: "text-embedding-3-small", ...asked });
      expect(response.status).toBe(400);
    },
  );

  it("can be left out", async () => {
    await models.play("openai", "empty_content");
    const response = await models.send("openai", "/embeddings", { model: "text-embedding-3-small", input: "a" });
    expect(await response.json()).toMatchObject({ data: [] });
  });
});
