import {
  experimental_cancelBatch as cancelBatch,
  experimental_getBatchResults as getBatchResults,
  experimental_getBatchStatus as getBatchStatus,
  experimental_startBatch as startBatch,
} from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { collect, openModelSandbox, type ModelSandbox } from "./fixtures/model-sandbox.ts";

const batchDelayMs = 300;
let models: ModelSandbox;

beforeAll(async () => {
  models = await openModelSandbox({ batchDelayMs });
});
beforeEach(() => models.sandbox.setFaults([]));
afterAll(() => models.close());

const vendors = { openai: "gpt-5", anthropic: "claude-sonnet-4-5" } as const;
type Vendor = keyof typeof vendors;

function begin(vendor: Vendor, ids: readonly string[] = ["a", "b", "c", "d"]) {
  const requests = ids.map((id) => ({ type: "text" as const, id, model: vendors[vendor], prompt: `Hello ${id}` }));
  return startBatch({ provider: models[vendor], requests });
}

type Batch = Awaited<ReturnType<typeof begin>>;

async function ended(vendor: Vendor, batch: Batch) {
  const read = () => getBatchStatus({ provider: models[vendor], batch });
  await expect.poll(async () => (await read()).status).not.toBe("pending");
  const results = await collect(getBatchResults({ provider: models[vendor], batch }));
  return { status: await read(), results: Object.fromEntries(results.map((result) => [result.id, result.status])) };
}

describe.each(["openai", "anthropic"] as const)("a batch of %s", (vendor) => {
  it("is pending for its time, then has an answer for every request", async () => {
    const batch = await begin(vendor);
    expect(batch).toMatchObject({ status: "pending", requestCounts: { total: 4, pending: 4 } });
    const { status, results } = await ended(vendor, batch);
    expect(status).toMatchObject({ status: "completed", requestCounts: { total: 4, completed: 4, failed: 0 } });
    expect(results).toEqual({ a: "succeeded", b: "succeeded", c: "succeeded", d: "succeeded" });
    const created = (await models.sandbox.calls()).filter((call) => call.effect?.kind === "model.batch.created");
    expect(created.at(-1)?.effect).toMatchObject({
      batch: { id: batch.id, requests: [{ customId: "a" }, {}, {}, {}] },
    });
  });

  it("can expire with half of its requests answered", async () => {
    await models.play(vendor, "batch_expired");
    const { results } = await ended(vendor, await begin(vendor));
    expect(results).toEqual({ a: "succeeded", b: "succeeded", c: "expired", d: "expired" });
  });

  it("can have requests that fail, the drawn share of them", async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
    await models.play(vendor, "batch_requests_failed", { share: 0.3 });
    const { status, results } = await ended(vendor, await begin(vendor, ids));
    const failed = Object.values(results).filter((result) => result === "failed").length;
    expect(failed).toBeGreaterThan(2);
    expect(failed).toBeLessThan(25);
    expect(status.requestCounts).toMatchObject({ completed: 40 - failed, failed });
  });

  it("has a failed request for each that would be refused alone", async () => {
    const requests = [
      { type: "text", id: "good", model: vendors[vendor], prompt: "Hello" },
      { type: "text", id: "long", model: vendors[vendor], prompt: "x".repeat(900_000) },
    ] as const;
    const { results } = await ended(vendor, await startBatch({ provider: models[vendor], requests }));
    expect(results).toEqual({ good: "succeeded", long: "failed" });
  });

  it("can be cancelled while it is pending, and not after", async () => {
    const batch = await begin(vendor);
    await cancelBatch({ provider: models[vendor], batch });
    const { results } = await ended(vendor, batch);
    expect(Object.values(results)).toContain("cancelled");
    await expect(cancelBatch({ provider: models[vendor], batch })).rejects.toThrow(/ancel/);
  });

  it("is listed, and is unknown under another id", async () => {
    const batch = await begin(vendor);
    const path = vendor === "openai" ? "/batches" : "/messages/batches";
    const page = (await (await models.send(vendor, `${path}?limit=1`)).json()) as { data: object[]; has_more: boolean };
    expect(page).toMatchObject({ data: [{ id: batch.id }], has_more: true });
    expect((await models.send(vendor, `${path}/none`)).status).toBe(404);
  });
});

const upload = (text: string) => {
  const form = new FormData();
  form.append("purpose", "batch");
  form.append("file", new Blob([text]), "batch.jsonl");
  return models.send("openai", "/files", form);
};
const create = async (text: string, endpoint = "/v1/embeddings") => {
  const { id } = (await (await upload(text)).json()) as { id: string };
  const asked = { input_file_id: id, endpoint, completion_window: "24h", metadata: { run: "r1" } };
  return (await (await models.send("openai", "/batches", asked)).json()) as { id: string; status: string };
};
const read = async (id: string) =>
  (await (await models.send("openai", `/batches/${id}`)).json()) as { status: string; output_file_id: string };
const lineOf = (custom_id: string, url = "/v1/embeddings") =>
  JSON.stringify({ custom_id, method: "POST", url, body: { model: "text-embedding-3-small", input: "hello" } });

describe("a batch of openai", () => {
  it("keeps its input as text in the record, and its files until they are deleted", async () => {
    const batch = await create(`${lineOf("one")}\n`);
    expect(batch).toMatchObject({ status: "validating", metadata: { run: "r1" } });
    const uploaded = (await models.sandbox.calls()).findLast((call) => call.path.endsWith("/files"));
    expect(uploaded?.body).toEqual({ purpose: "batch", file: { filename: "batch.jsonl", text: `${lineOf("one")}\n` } });
    await expect.poll(async () => (await read(batch.id)).status).toBe("completed");
    const path = `/files/${(await read(batch.id)).output_file_id}`;
    const lines = await (await models.send("openai", `${path}/content`)).text();
    expect(JSON.parse(lines)).toMatchObject({ custom_id: "one", response: { status_code: 200 }, error: null });
    expect((await models.send("openai", path, undefined, { method: "DELETE" })).status).toBe(200);
    expect((await models.send("openai", `${path}/content`)).status).toBe(404);
  });

  it.each([
    ["a line that is no JSON", "{"],
    ["no line", "\n"],
    ["a line for another endpoint", lineOf("one", "/v1/responses")],
    ["two lines of the same id", `${lineOf("one")}\n${lineOf("one")}`],
  ])("fails in validation for %s", async (_what, text) => {
    const { id } = await create(text);
    await expect
      .poll(() => read(id))
      .toMatchObject({ status: "failed", errors: { data: [{ code: "invalid_json_line" }] } });
  });

  it("is refused for a file that is not there, and the file without its parts", async () => {
    const asked = { input_file_id: "none", endpoint: "/v1/responses", completion_window: "24h" };
    expect((await models.send("openai", "/batches", asked)).status).toBe(404);
    expect((await models.send("openai", "/batches", { ...asked, endpoint: "/v1/images" })).status).toBe(400);
    expect((await models.send("openai", "/files", new FormData())).status).toBe(400);
  });

  it("goes on when the sandbox is killed and started again", async () => {
    const first = await openModelSandbox({ batchDelayMs });
    const { id } = await startBatch({
      provider: first.openai,
      requests: [{ type: "text", id: "a", model: "gpt-5", prompt: "Hello" }],
    });
    process.kill(first.sandbox.pid, "SIGKILL");
    await expect(first.sandbox.slackMessages()).rejects.toMatchObject({ code: "INTERNAL" });
    const second = await openModelSandbox({ folder: first.folder, batchDelayMs });
    await expect
      .poll(async () => (await second.send("openai", `/batches/${id}`)).json())
      .toMatchObject({ status: "completed", request_counts: { completed: 1 } });
    await second.close();
  });
});
