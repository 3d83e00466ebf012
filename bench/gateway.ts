import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import {
  builtInDetectors,
  createGateway,
  type GatewayOptions,
  type HostedModelSpec,
  resolveModels,
} from "../src/ai/index.ts";
import { createGuardedFetch } from "../src/connect/index.ts";
import { type Ai, entityKinds, flow, type FlowContext, type MaskPolicy, secret } from "../src/core/index.ts";
import { createEngine } from "../src/engine/index.ts";
import { startSandbox } from "../src/sandbox/index.ts";
import { openDatabase, openStore, type Store, subjectIndexes } from "../src/store/index.ts";
import { percentile, type Benchmark, type Figures } from "./report.ts";
import { withDataFolder } from "./service.ts";

const lead = {
  name: "Jane Smith",
  email: "jane.smith@company.example",
  company: "Northwind Traders",
  message:
    "Hello, we are 850 people at Northwind Traders and need a replacement for our ticket system before the end of the month. " +
    "Could somebody call me at +44 20 7946 0958 to talk about prices and a demo? Best regards, Jane Smith",
};

const Analysis = z.object({
  intent: z.string(),
  urgency: z.enum(["low", "medium", "high"]),
  score: z.int().min(1).max(100),
});

const question = {
  instructions: "Analyse this sales lead. Score how soon and how much they are likely to buy.",
  send: { company: lead.company, message: lead.message },
  schema: Analysis,
};

/** Calls of one way in a row, so that the machine's moods hit all ways alike. */
const block = 50;
/** Until the engine of JavaScript has made up its mind. */
const warmUps = 1000;
const crowd = 200;
/** How long models think: as they do, and a quarter of it, where 200 under way are 200 runs a second on this machine. */
const usualLatencyMs = 4000;
const shortLatencyMs = 1000;
/** Calls of each member of the crowd, one after the other. */
const crowdCalls = 3;

/** What the gateway adds to a call of a model. */
export const gateway: Benchmark = {
  name: "gateway",
  asks: "what does the gateway add to a call of a model?",
  load:
    "the same question to a stand-in on loopback, as a step of a run: directly with fetch, through the gateway with everything on " +
    `(masking, limits, five budgets, ledger, validation), and with everything off; in turn, ${block} at a time. A step is timed ` +
    `until its run goes on. Then ${crowd} under way all the time, with answers after ${usualLatencyMs} ms, and after ${shortLatencyMs} ms.`,
  defaultRounds: 3,
  defaultCount: 400,
  play: ({ tell, count = 400 }) => withDataFolder((folder) => play(folder, count, tell)),
};

const names = ["directly", "on", "off"] as const;
type Name = (typeof names)[number];

/** Asks the question once in a run of its own, as in life, and gives how long the step took. */
type Ask = (way: Name) => Promise<number>;

async function play(folder: string, count: number, tell: (what: string) => void): Promise<Figures> {
  const sandbox = await startSandbox({ folder: join(folder, "outside"), recording: "none" });
  const fetch = createGuardedFetch({ allowedOrigins: [sandbox.origin], timeoutMs: 60_000 });
  const database = await openDatabase({ url: undefined, dataFolder: join(folder, "postgres"), role: "owner" });
  const store = await openStore({ url: database.url, key: randomBytes(32), onError: () => {} });
  const { openaiUrl, credentials } = sandbox;
  const spec = { provider: "openai", model: "gpt-6-luna", baseUrl: openaiUrl, apiKey: secret("KEY") } as const;
  const shared = { fetch, resolveSecret: () => credentials.openaiKey };
  const on = await openGateway(store, { ...spec, limits: manyAllowed }, shared, true);
  const off = await openGateway(store, spec, shared, false);
  const budget = { perRunUsd: 10, perDayUsd: 1000, perMonthUsd: 10_000 };
  const times = new Map<string, number>();
  const toFlow = (name: Name, work: (context: FlowContext) => Promise<unknown>, settings: object) =>
    flow({
      name,
      trigger: { kind: "call", payload: z.object({}).loose(), samples: {} },
      ...settings,
      async run(_, context) {
        const began = performance.now();
        await work(context);
        times.set(context.run.id, performance.now() - began);
        return null;
      },
    });
  const direct = directQuestion(openaiUrl, credentials.openaiKey);
  const flows = [
    toFlow("directly", ({ step }) => step("analyse", direct), {}),
    toFlow("on", () => on.object("analyse", question), { budget }),
    toFlow("off", () => off.object("analyse", question), {}),
  ];
  const engine = await createEngine({
    store,
    databaseUrl: database.url,
    flows,
    ai: on,
    services: [],
    log: { debug() {}, info() {}, warn() {}, error() {} },
    concurrency: 2 * crowd,
  });
  const ask: Ask = async (way) => {
    const about = { flow: way, source: "bench", deliveryId: null, bodyDigest: "sha256:0", sample: false };
    const dedupKey = randomBytes(12).toString("hex");
    const event = { ...about, dedupKey, payload: lead, receivedAt: new Date() };
    const { runId } = await engine.accept("default", event);
    const run = await engine.waitForEnd("default", runId, 60_000, new AbortController().signal);
    if (run?.status !== "succeeded") throw new Error(`a run ended as ${run?.status}`);
    const took = times.get(runId) ?? NaN;
    times.delete(runId);
    return took;
  };
  try {
    for (const name of names) for (let warmUp = 0; warmUp < warmUps; warmUp += 1) await ask(name);
    const alone = await inTurn(ask, count);
    tell(`on top of ${alone.directly.p50Ms.toFixed(2)} ms: ${(alone.on.p50Ms - alone.directly.p50Ms).toFixed(2)} ms`);
    const inCrowd = async (delayMs: number): Promise<AllMeasured> => {
      await sandbox.setFaults([{ system: "openai", kind: "slow", params: { delayMs } }]);
      return inCrowds(ask, delayMs);
    };
    const crowded = await inCrowd(usualLatencyMs);
    const busy = await inCrowd(shortLatencyMs);
    const added = (which: "on" | "off", of: AllMeasured, part: keyof Measured): number =>
      of[which][part] - of.directly[part];
    return {
      addedP50Ms: added("on", alone, "p50Ms"),
      addedCpuMs: added("on", alone, "cpuMs"),
      addedP50OffMs: added("off", alone, "p50Ms"),
      addedCpuOffMs: added("off", alone, "cpuMs"),
      addedP99Ms: added("on", alone, "p99Ms"),
      directP50Ms: alone.directly.p50Ms,
      crowdAddedP50Ms: added("on", crowded, "p50Ms"),
      crowdAddedP99Ms: added("on", crowded, "p99Ms"),
      crowdAddedCpuMs: added("on", crowded, "cpuMs"),
      crowdAddedP50OffMs: added("off", crowded, "p50Ms"),
      busyAddedP50Ms: added("on", busy, "p50Ms"),
      busyAddedCpuMs: added("on", busy, "cpuMs"),
    };
  } finally {
    await engine.close();
    await store.close();
    await database.close();
    await fetch.close();
    await sandbox.close();
  }
}

const manyAllowed = { requestsPerMinute: 1_000_000, tokensPerMinute: 1_000_000_000, concurrency: 1000 };

/** What somebody would write who asks the model without us. */
function directQuestion(baseUrl: string, key: string): () => Promise<unknown> {
  const body = {
    model: "gpt-6-luna",
    messages: [
      { role: "developer", content: question.instructions },
      { role: "user", content: JSON.stringify(question.send) },
    ],
    max_completion_tokens: 2000,
    response_format: {
      type: "json_schema",
      json_schema: { name: "answer", strict: false, schema: z.toJSONSchema(Analysis) },
    },
  };
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return async () => {
    const response = await globalThis.fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { choices: { message: { content: string } }[] };
    return Analysis.parse(JSON.parse(answer.choices[0]?.message.content ?? ""));
  };
}

const nothingMasked: MaskPolicy = Object.fromEntries(entityKinds.map((kind) => [kind, "allow"]));

async function openGateway(
  store: Store,
  spec: HostedModelSpec,
  shared: Pick<GatewayOptions, "fetch" | "resolveSecret">,
  isOn: boolean,
): Promise<Ai> {
  const workspace = store.workspace("default");
  const config = { fast: isOn ? { ...spec, budget: { perDayUsd: 1000 } } : spec };
  const { ai } = createGateway({
    ...shared,
    models: await resolveModels({ config, environment: {}, fetch: shared.fetch }),
    journalFor: () => ({ ...workspace.aiCalls, batches: workspace.batches }),
    subjectIndexes: (values) => subjectIndexes(store.keyring, values),
    allowBudget: () => Promise.resolve(),
    detectors: builtInDetectors(),
    vaultMs: 60_000,
    ...(isOn ? { budget: { perDayUsd: 1000 } } : { recordCalls: false, masking: nothingMasked }),
  });
  return ai;
}

interface Measured {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of this process, per call. */
  readonly cpuMs: number;
}

type AllMeasured = { readonly [way in Name]: Measured };

async function inTurn(ask: Ask, count: number): Promise<AllMeasured> {
  return measure(Math.ceil(count / block), async (way) => {
    const times: number[] = [];
    for (let call = 0; call < block; call += 1) times.push(await ask(way));
    return times;
  });
}

/** So many under way all the time, begun evenly over the time that an answer takes. */
function inCrowds(ask: Ask, latencyMs: number): Promise<AllMeasured> {
  return measure(1, async (way) => {
    const members = Array.from({ length: crowd }, async (_, index) => {
      await setTimeout((index * latencyMs) / crowd);
      const times: number[] = [];
      for (let call = 0; call < crowdCalls; call += 1) times.push(await ask(way));
      return times;
    });
    return (await Promise.all(members)).flat();
  });
}

async function measure(rounds: number, playOnce: (way: Name) => Promise<readonly number[]>): Promise<AllMeasured> {
  const times = { directly: [] as number[], on: [] as number[], off: [] as number[] };
  const cpuMs = { directly: 0, on: 0, off: 0 };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const before = process.cpuUsage();
      times[name].push(...(await playOnce(name)));
      const { user, system } = process.cpuUsage(before);
      cpuMs[name] += (user + system) / 1000;
    }
  }
  const toMeasured = (name: Name): Measured => ({
    p50Ms: percentile(times[name], 0.5),
    p99Ms: percentile(times[name], 0.99),
    cpuMs: cpuMs[name] / times[name].length,
  });
  return { directly: toMeasured("directly"), on: toMeasured("on"), off: toMeasured("off") };
}
