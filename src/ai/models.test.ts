import { afterEach, describe, expect, test } from "vitest";
import { describeModels, type HostedModelSpec, resolveModels, type ResolveModelsOptions } from "./index.ts";
import { type ProviderStandIn, startProviderStandIn, type StandInReply } from "./fixtures/provider-stand-in.ts";

const servers: ProviderStandIn[] = [];
afterEach(async () => void (await Promise.all(servers.splice(0).map((server) => server.close()))));

async function resolve(options: Partial<ResolveModelsOptions>) {
  return describeModels(await resolveModels({ config: {}, environment: {}, fetch, ...options }));
}

async function server(name: string, reply: StandInReply) {
  const standIn = await startProviderStandIn();
  standIn.replies = [reply];
  servers.push(standIn);
  return { name, origin: standIn.baseUrl.replace("/v1", "") };
}

const list = (...ids: string[]) => ({
  body: JSON.stringify({ object: "list", data: ids.map((id) => ({ id, object: "model" })) }),
});
const local: HostedModelSpec = { provider: "openai-compatible", model: "llama", baseUrl: "http://127.0.0.1:1/v1" };

describe("which model a name stands for", () => {
  test("a configuration decides alone, also for the names that it lacks", async () => {
    const environment = { OPENAI_API_KEY: "k" };
    expect(await resolve({ environment, config: { fast: local } })).toMatchObject([
      { name: "fast", provider: "openai-compatible", reason: "configured" },
      { name: "smart", provider: "openai-compatible", reason: "not configured; stands for fast" },
    ]);
    expect(await resolve({ environment, config: { own: local } })).toMatchObject([
      { name: "own" },
      { name: "fast", model: "llama", reason: "not configured; stands for own" },
      { name: "smart", model: "llama" },
    ]);
  });

  test("a provider key chooses its provider, OpenAI before Anthropic; a blank one is none", async () => {
    const both = await resolve({ environment: { OPENAI_API_KEY: "a", ANTHROPIC_API_KEY: "b" } });
    expect(both).toMatchObject([
      { provider: "openai", reason: "OPENAI_API_KEY is set", simulated: false },
      { name: "smart" },
    ]);
    const blank = await resolve({ environment: { OPENAI_API_KEY: "  ", ANTHROPIC_API_KEY: "b" } });
    expect(blank).toMatchObject([{ provider: "anthropic" }, { provider: "anthropic" }]);
    expect(JSON.stringify(both)).not.toContain('"a"');
  });

  test("OPENAI_BASE_URL moves OpenAI elsewhere", async () => {
    const environment = { OPENAI_API_KEY: "a", OPENAI_BASE_URL: "http://127.0.0.1:9/v1" };
    const models = await resolveModels({ config: {}, environment, fetch });
    expect(models.get("fast")?.spec).toMatchObject({
      baseUrl: "http://127.0.0.1:9/v1",
      apiKey: { secret: "OPENAI_API_KEY" },
    });
  });

  test("without anything it is the simulated model, which says so", async () => {
    const simulated = { provider: "simulated", model: "simulated-1", simulated: true };
    expect(await resolve({})).toMatchObject([simulated, simulated]);
  });

  test("a list is a model and those that stand in for it, in order", async () => {
    const other = { ...local, model: "other" };
    const models = await resolveModels({ config: { fast: [local, other] }, environment: {}, fetch });
    expect(models.get("fast")).toMatchObject({ spec: { model: "llama" }, fallbacks: [{ model: "other" }] });
    expect(models.get("smart")).toMatchObject({ spec: { model: "llama" }, fallbacks: [{ model: "other" }] });
    await expect(resolve({ config: { fast: [] } })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const broken = { provider: "openai-compatible", model: "m" } as const;
    await expect(resolve({ config: { fast: [local, broken] } })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  test("a model for vectors never stands in for one for text", async () => {
    const embed = { ...local, kind: "embedding", model: "nomic" } as const;
    expect(await resolve({ config: { embed, own: local } })).toMatchObject([
      { name: "embed", model: "nomic" },
      { name: "own" },
      { name: "fast", model: "llama" },
      { name: "smart", model: "llama" },
    ]);
    expect(await resolve({ config: { embed } })).toMatchObject([
      { name: "embed" },
      { name: "fast", simulated: true, reason: "no model for text is configured" },
      { name: "smart", simulated: true },
    ]);
  });

  test("Bedrock needs a region, Azure an address", async () => {
    const bedrock = { provider: "bedrock", model: "m" } as const;
    await expect(resolve({ config: { fast: bedrock } })).rejects.toThrow(/region/);
    await expect(resolve({ config: { fast: { ...bedrock, region: "x.evil.com/" } } })).rejects.toThrow(/region/);
    expect(await resolve({ config: { fast: { ...bedrock, region: "eu-central-1" } } })).toHaveLength(2);
    await expect(resolve({ config: { fast: { provider: "azure", model: "m" } } })).rejects.toThrow(/baseUrl/);
  });

  test("a compatible server needs an address", async () => {
    const config = { fast: { provider: "openai-compatible", model: "m" } } as const;
    await expect(resolve({ config })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(resolve({ config: { fast: { ...config.fast, baseUrl: "file:///v1" } } })).rejects.toThrow(/"fast"/);
  });
});

describe("a model server on this machine", () => {
  test("is taken when it answers in the right shape, in the order of preference", async () => {
    const localServers = [
      await server("page", { body: "<html></html>" }),
      await server("broken", { status: 500, body: "{}" }),
      await server("wrong", { body: '{"data":"none"}' }),
      await server("first", list("nomic-embed-text", "llama3.2:3b")),
      await server("second", list("other")),
    ];
    const found = await resolve({ detectLocal: true, localServers });
    expect(found).toMatchObject([
      { name: "fast", provider: "openai-compatible", model: "llama3.2:3b" },
      { name: "smart" },
    ]);
    expect(found[0]?.reason).toBe(`first answers at ${localServers[3]?.origin}/v1`);
  });

  test("is not waited for when it is silent, and not asked when nobody wants it", async () => {
    const localServers = [await server("silent", { silent: true })];
    const before = performance.now();
    expect(await resolve({ detectLocal: true, localServers })).toMatchObject([
      { simulated: true },
      { simulated: true },
    ]);
    expect(performance.now() - before).toBeLessThan(2000);
    const [unasked] = servers;
    unasked!.seen.length = 0;
    await resolve({ localServers });
    expect(unasked?.seen).toHaveLength(0);
  });
});
