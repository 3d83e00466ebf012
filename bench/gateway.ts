import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { createGateway, type GatewayOptions, type HostedModelSpec, resolveModels } from "../src/ai/index.ts";
import { builtInDetectors } from "../src/ai/index.ts";
import { createGuardedFetch } from "../src/connect/index.ts";
import { type MaskPolicy, entityKinds, type RunScope, secret, withRunScope } from "../src/core/index.ts";
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
const warmUps = 300;
const crowd = 200;
const crowdLatencyMs = 1000;
/** Calls of each member of the crowd, one after the other. */
const crowdCalls = 4;

/** What the gateway adds to a call of a model. */
export const gateway: Benchmark = {
  name: "gateway",
  asks: "what does the gateway add to a call of a model?",
  load:
    "the same question to a stand-in on loopback: directly with fetch, through the gateway with everything on (masking, limits, " +
    `five budgets, ledger, validation), and with everything off; in turn, ${block} at a time. Then ${crowd} under way all the time, with answers after ${crowdLatencyMs} ms.`,
  defaultRounds: 3,
  defaultCount: 400,
  play: ({ tell, count = 400 }) => withDataFolder((folder) => play(folder, count, tell)),
};

/** A way to ask the question once, and what is to be done beforehand for a number of calls, which is not the gateway's work. */
interface Way {
  readonly prepare?: (calls: number) => Promise<void>;
  readonly ask: () => Promise<unknown>;
}

async function play(folder: string, count: number, tell: (what: string) => void): Promise<Figures> {
  const sandbox = await startSandbox({ folder: join(folder, "outside"), recording: "none" });
  const fetch = createGuardedFetch({ allowedOrigins: [sandbox.origin], timeoutMs: 60_000 });
  const database = await openDatabase({ url: undefined, dataFolder: join(folder, "postgres"), role: "owner" });
  const store = await openStore({ url: database.url, key: randomBytes(32), onError: () => {} });
  try {
    const { openaiUrl, credentials } = sandbox;
    const spec = { provider: "openai", model: "gpt-6-luna", baseUrl: openaiUrl, apiKey: secret("KEY") } as const;
    const shared = { fetch, resolveSecret: () => credentials.openaiKey };
    const directly = directWay(openaiUrl, credentials.openaiKey);
    const on = await gatewayWay(store, { ...spec, limits: manyAllowed }, shared, true);
    const off = await gatewayWay(store, spec, shared, false);
    const ways = { directly, on, off };
    for (const way of Object.values(ways)) {
      await way.prepare?.(warmUps);
      for (let warmUp = 0; warmUp < warmUps; warmUp += 1) await way.ask();
    }
    const alone = await inTurn(ways, count);
    tell(`on top of ${alone.directly.p50Ms.toFixed(2)} ms: ${(alone.on.p50Ms - alone.directly.p50Ms).toFixed(2)} ms`);
    await sandbox.setFaults([{ system: "openai", kind: "slow", params: { delayMs: crowdLatencyMs } }]);
    const crowded = await inCrowds(ways);
    const added = (which: "on" | "off", of: typeof alone, part: "p50Ms" | "p99Ms" | "cpuMs"): number =>
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
    };
  } finally {
    await store.close();
    await database.close();
    await fetch.close();
    await sandbox.close();
  }
}

const manyAllowed = { requestsPerMinute: 1_000_000, tokensPerMinute: 1_000_000_000, concurrency: 1000 };

/** What somebody would write who asks the model without us. */
function directWay(baseUrl: string, key: string): Way {
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
  const ask = async () => {
    const response = await globalThis.fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { choices: { message: { content: string } }[] };
    return Analysis.parse(JSON.parse(answer.choices[0]?.message.content ?? ""));
  };
  return { ask };
}

const nothingMasked: MaskPolicy = Object.fromEntries(entityKinds.map((kind) => [kind, "allow"]));

async function gatewayWay(
  store: Store,
  spec: HostedModelSpec,
  shared: Pick<GatewayOptions, "fetch" | "resolveSecret">,
  isOn: boolean,
): Promise<Way> {
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
  const budget = { perRunUsd: 10, perDayUsd: 1000, perMonthUsd: 10_000 };
  const runs: string[] = [];
  return {
    async prepare(calls) {
      if (isOn) runs.push(...(await Promise.all(Array.from({ length: calls }, () => beginRun(workspace)))));
    },
    ask: () =>
      withRunScope(toScope(runs.pop() ?? "run_none", isOn ? { budget } : {}), () => ai.object("analyse", question)),
  };
}

/** A run of its own for each call, as in life. */
async function beginRun(workspace: ReturnType<Store["workspace"]>): Promise<string> {
  const { runId } = await workspace.events.accept({
    flow: "lead-routing",
    source: "bench",
    dedupKey: randomBytes(12).toString("hex"),
    deliveryId: null,
    bodyDigest: "sha256:0",
    payload: lead,
    sample: false,
    receivedAt: new Date(),
    begin: { executor: "bench", flowVersion: "v1" },
  });
  return runId;
}

const nothing = (): never => {
  throw new Error("the gateway uses nothing else of a run");
};

/** A run whose steps are not recorded: what is measured is the gateway, not the engine. */
function toScope(runId: string, flowSettings: RunScope["flowSettings"]): RunScope {
  const signal = new AbortController().signal;
  return {
    workspaceId: "default",
    runId,
    flow: "lead-routing",
    flowSettings,
    payload: lead,
    step: ({ execute }) => execute({ number: 1, path: "0", key: `${runId}/0`, epoch: 1, postponedSince: null, signal }),
    map: nothing,
    subflow: nothing,
    sleep: nothing,
    waitForSignal: nothing,
    service: nothing,
  };
}

interface Measured {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of this process, per call. */
  readonly cpuMs: number;
}

type Ways = { readonly directly: Way; readonly on: Way; readonly off: Way };
type AllMeasured = { readonly [Name in keyof Ways]: Measured };

async function timed({ ask }: Way): Promise<number> {
  const began = performance.now();
  await ask();
  return performance.now() - began;
}

async function inTurn(ways: Ways, count: number): Promise<AllMeasured> {
  return measure(ways, { rounds: Math.ceil(count / block), calls: block }, async (way) => {
    const times: number[] = [];
    for (let call = 0; call < block; call += 1) times.push(await timed(way));
    return times;
  });
}

/** So many under way all the time, begun evenly over the time that an answer takes. */
function inCrowds(ways: Ways): Promise<AllMeasured> {
  return measure(ways, { rounds: 2, calls: crowd * crowdCalls }, async (way) => {
    const members = Array.from({ length: crowd }, async (_, index) => {
      await setTimeout((index * crowdLatencyMs) / crowd);
      const times: number[] = [];
      for (let call = 0; call < crowdCalls; call += 1) times.push(await timed(way));
      return times;
    });
    return (await Promise.all(members)).flat();
  });
}

async function measure(
  ways: Ways,
  { rounds, calls }: { readonly rounds: number; readonly calls: number },
  playOnce: (way: Way) => Promise<readonly number[]>,
): Promise<AllMeasured> {
  const names = ["directly", "on", "off"] as const;
  const times = { directly: [] as number[], on: [] as number[], off: [] as number[] };
  const cpuMs = { directly: 0, on: 0, off: 0 };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      await ways[name].prepare?.(calls);
      const before = process.cpuUsage();
      times[name].push(...(await playOnce(ways[name])));
      const { user, system } = process.cpuUsage(before);
      cpuMs[name] += (user + system) / 1000;
    }
  }
  const toMeasured = (name: keyof Ways): Measured => ({
    p50Ms: percentile(times[name], 0.5),
    p99Ms: percentile(times[name], 0.99),
    cpuMs: cpuMs[name] / times[name].length,
  });
  return { directly: toMeasured("directly"), on: toMeasured("on"), off: toMeasured("off") };
}
