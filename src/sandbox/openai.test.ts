import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { toGoDuration } from "./openai-answers.ts";
import { startSandbox, type FaultRule, type Sandbox } from "./index.ts";

let folder: string;
let sandbox: Sandbox;

const messages = [
  { role: "system", content: "Analyse." },
  { role: "user", content: "We want to buy 500 seats." },
];
const Analysis = z.object({ intent: z.string(), urgency: z.enum(["low", "high"]), score: z.int().min(1).max(100) });
const response_format = {
  type: "json_schema",
  json_schema: { name: "analysis", strict: true, schema: z.toJSONSchema(Analysis) },
};

function send(path: string, body?: unknown, key = sandbox.credentials.openaiKey): Promise<Response> {
  return fetch(`${sandbox.openaiUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

async function chat(more: object = {}) {
  const response = await send("/chat/completions", { model: "sandbox-fast", messages, ...more });
  const body = (await response.json()) as {
    choices: { message: { content: string | null; refusal: string | null }; finish_reason: string }[];
    usage: Record<string, number>;
    error?: { code: string };
  };
  return { response, body, choice: body.choices?.[0] };
}

const play = (rule: Omit<FaultRule, "system">) => sandbox.setFaults([{ system: "openai", ...rule } as FaultRule]);

const spoiled = async (kind: FaultRule["kind"], more?: object) => {
  await play({ kind });
  return (await chat(more)).choice!;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-openai-"));
  sandbox = await startSandbox({ folder });
});
beforeEach(() => sandbox.setFaults([]));
afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

describe("OpenAI's stand-in", () => {
  it("answers JSON that fits the asked schema, says SIMULATED and gives usage and limits", async () => {
    const { response, body, choice } = await chat({ response_format });
    const content = JSON.parse(choice?.message.content ?? "") as unknown;
    expect(Analysis.parse(content)).toEqual({ intent: "SIMULATED", urgency: "low", score: 1 });
    expect(body).toMatchObject({ object: "chat.completion", model: "sandbox-fast" });
    expect(choice?.finish_reason).toBe("stop");
    expect(body.usage["total_tokens"]).toBe(body.usage["prompt_tokens"]! + body.usage["completion_tokens"]!);
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("1000000");
  });

  it("reads the schema from the prompt where only json_object is asked for", async () => {
    const system = `Analyse.\n\nJSON schema:\n${JSON.stringify(z.toJSONSchema(Analysis))}\nYou MUST answer with a JSON object.`;
    const asked = [
      { role: "system", content: system },
      { role: "user", content: [{ type: "text", text: "hi" }] },
    ];
    const { choice } = await chat({ messages: asked, response_format: { type: "json_object" } });
    expect(Analysis.safeParse(JSON.parse(choice?.message.content ?? "")).success).toBe(true);
  });

  it("answers text without repeating what was asked", async () => {
    const { choice } = await chat();
    expect(choice?.message.content).toMatch(/^SIMULATED: /);
    expect(choice?.message.content).not.toContain("500 seats");
  });

  it("streams the same answer in events, with usage at the end when asked for", async () => {
    const whole = (await chat()).choice?.message.content;
    const body = { model: "sandbox-fast", messages, stream: true, stream_options: { include_usage: true } };
    const response = await send("/chat/completions", body);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const data = (await response.text())
      .split("\n\n")
      .filter(Boolean)
      .map((event) => event.replace(/^data: /, ""));
    expect(data.pop()).toBe("[DONE]");
    const chunks = data.map(
      (text) =>
        JSON.parse(text) as {
          object: string;
          usage?: object;
          choices: { delta: { content?: string }; finish_reason: string | null }[];
        },
    );
    expect(chunks.every((chunk) => chunk.object === "chat.completion.chunk")).toBe(true);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(whole);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } });
  });

  it("cuts the answer at the asked length and says so", async () => {
    const { choice, body } = await chat({ max_tokens: 3 });
    expect(choice?.finish_reason).toBe("length");
    expect(choice?.message.content).toHaveLength(12);
    expect(body.usage["completion_tokens"]).toBe(3);
  });

  it("lists models and gives one", async () => {
    const list = (await (await send("/models")).json()) as { data: { id: string }[] };
    expect(list.data.map((model) => model.id)).toContain("sandbox-fast");
    expect(await (await send("/models/sandbox-fast")).json()).toMatchObject({ id: "sandbox-fast", object: "model" });
    expect((await send("/models/davinci")).status).toBe(404);
  });

  it.each([
    ["a wrong key", () => send("/models", undefined, "sk-wrong"), 401, "invalid_api_key"],
    ["an unknown model", () => send("/chat/completions", { model: "davinci", messages }), 404, "model_not_found"],
    [
      "too much context",
      () => send("/chat/completions", { model: "gpt-5", messages: [{ role: "user", content: "x".repeat(600_000) }] }),
      400,
      "context_length_exceeded",
    ],
    ["no messages", () => send("/chat/completions", { model: "gpt-5" }), 400, null],
    ["a body that is no JSON", () => send("/chat/completions", "{"), 400, null],
    ["an unknown address", () => send("/chat/levitations", {}), 404, null],
  ])("refuses %s", async (_what, call, status, code) => {
    const response = await call();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error", code } });
  });

  it("lets a brain decide the answers, and is a server error when that fails", async () => {
    const brain = join(folder, "brain.mjs");
    await writeFile(
      brain,
      `export function answer(request) {
      if (request.messages.length > 2) return { content: 7 };
      if (request.messages.length > 1) throw new Error("secret words");
      return { content: request.model.toUpperCase() };
    }`,
    );
    const other = await startSandbox({ folder: join(folder, "brain"), brain });
    const ask = (asked: object[]) =>
      fetch(`${other.openaiUrl}/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${other.credentials.openaiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "gpt-5", messages: asked }),
      });
    expect(await (await ask(messages.slice(0, 1))).json()).toMatchObject({
      choices: [{ message: { content: "GPT-5" } }],
    });
    const failed = await ask(messages);
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain("secret words");
    expect((await ask([...messages, ...messages])).status).toBe(500);
    await other.close();
  });

  it("refuses to start with a brain that answers nothing", async () => {
    const brain = join(folder, "no-brain.mjs");
    await writeFile(brain, "export const thinks = true;");
    await expect(startSandbox({ folder: join(folder, "none"), brain })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });
});

describe("the faults of OpenAI's stand-in", () => {
  it.each([
    ["insufficient_quota", 429, "insufficient_quota"],
    ["invalid_api_key", 401, "invalid_api_key"],
    ["model_not_found", 404, "model_not_found"],
    ["context_length_exceeded", 400, "context_length_exceeded"],
    ["server_error", 500, null],
    ["service_unavailable", 503, null],
    ["overloaded", 529, "overloaded"],
  ] as const)("%s answers with status %i", async (kind, status, code) => {
    await play({ kind });
    const { response, body } = await chat();
    expect(response.status).toBe(status);
    expect(body.error?.code).toBe(code);
  });

  it.each([
    ["retry-after", { "retry-after": "90", "retry-after-ms": null, "x-ratelimit-reset-requests": null }],
    ["retry-after-ms", { "retry-after-ms": "90000" }],
    [
      "x-ratelimit-reset",
      { "retry-after": null, "x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-requests": "0" },
    ],
    ["none", { "retry-after": null, "x-ratelimit-reset-requests": null }],
  ] as const)("a rate limit can tell its wait by %s", async (header, expected) => {
    await play({ kind: "rate_limit_exceeded", params: { header, retryAfterMs: 90_000 } });
    const { response, body } = await chat();
    expect(response.status).toBe(429);
    expect(body.error?.code).toBe("rate_limit_exceeded");
    for (const [name, value] of Object.entries(expected)) expect(response.headers.get(name)).toBe(value);
  });

  it("a rate limit can tell its wait by date", async () => {
    await play({ kind: "rate_limit_exceeded", params: { header: "retry-after-date", retryAfterMs: 90_000 } });
    const date = Date.parse((await chat()).response.headers.get("retry-after") ?? "");
    expect(date - Date.now()).toBeGreaterThan(80_000);
    expect(date - Date.now()).toBeLessThanOrEqual(90_000);
  });

  it.each([
    [20, "20ms"],
    [1500, "1.5s"],
    [360_000, "6m0s"],
    [3_723_000, "1h2m3s"],
  ])("writes %i ms as %s", (ms, text) => {
    expect(toGoDuration(ms)).toBe(text);
  });

  it("spoils answers in each way", async () => {
    expect(await spoiled("empty_content")).toMatchObject({ message: { content: "" }, finish_reason: "stop" });
    expect(await spoiled("content_filter")).toMatchObject({ finish_reason: "content_filter" });
    expect(await spoiled("refusal")).toMatchObject({
      message: { content: null, refusal: expect.stringMatching(/^SIMULATED/) as string },
    });
    expect((await spoiled("length")).finish_reason).toBe("length");
    const asked = { response_format };
    for (const kind of ["malformed_json", "not_json", "length"] as const) {
      const { message } = await spoiled(kind, asked);
      expect(() => JSON.parse(message.content ?? "") as unknown).toThrow(SyntaxError);
    }
    const mismatch = JSON.parse((await spoiled("schema_mismatch", asked)).message.content ?? "") as unknown;
    expect(Analysis.safeParse(mismatch).success).toBe(false);
  });

  it("cuts a stream in the middle", async () => {
    await play({ kind: "truncated_body" });
    const response = await send("/chat/completions", { model: "gpt-5", messages, stream: true });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow(/terminated/);
  });
});
