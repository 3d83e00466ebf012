import { setTimeout } from "node:timers/promises";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { begin, type Case, collectModels, type ModelEvidence, untilEnded } from "./model-lab.ts";
import {
  type FaultCase,
  findBudgetFaults,
  findHotLoops,
  findInsideWaits,
  findUnrecorded,
  findWrongCosts,
  findWrongEnds,
  type Role,
  shortestGapMs,
} from "./provider-faults-judge.ts";
import {
  eachKinds,
  keyNames,
  mixedNames,
  modelName,
  originVariable,
  planFaults,
  vendors,
} from "./provider-faults-plan.ts";

/** Of all requests to the shared models. */
const faultShare = 0.3;
/** Requests for each run that succeeded, of those that met the share. */
const requestsBar = 1.6;
/** Runs begin one after the other, so that some come while others wait. */
const pauseMs = 15;
/** Until then all runs must have come to their end; longest waits are those of a circuit, which opens for 10 s and more. */
const patienceMs = { usual: 45_000, short: 30_000 };
const sandboxLatencyMs = 10;

/** Asks models whose providers answer in every way in which they can fail. */
export const providerFaults: Experiment = {
  name: "provider-faults",
  number: 6,
  asks: "30 % of the requests to models meet a fault of the failure table, and each fault is met once by itself",
  holdsWhen:
    "every run finishes, waits as long as it was told to, or fails with the code of its fault; <= 1.6 requests per success, none inside an announced wait, none within 250 ms; ledger, costs and budgets agree with the providers' record",
  counts: "runs that meet the share",
  usual: { rounds: 1, count: 300 },
  brief: { rounds: 1, count: 60 },
  async run(play) {
    const config = new URL("provider-faults.config.ts", import.meta.url).href;
    const played: Played[] = [];
    for (let round = 1; round <= play.rounds; round += 1) {
      const lab = await prepareLab({ seed: play.seed + round - 1, service: { config }, sandboxLatencyMs });
      try {
        played.push(await playRound(lab, play));
      } finally {
        await lab.close();
      }
    }
    return judge(played);
  },
};

interface Planned {
  readonly role: Role;
  readonly kind: string | null;
  readonly model: string;
}

interface Played {
  readonly evidence: ModelEvidence;
  readonly cases: readonly FaultCase[];
  readonly elapsedMs: number;
}

async function playRound(lab: Lab, play: Play): Promise<Played> {
  const { credentials, origin } = lab.sandbox;
  const keys = { openai: credentials.openaiKey, anthropic: credentials.anthropicKey };
  const environment = Object.fromEntries(keyNames.map(([name, vendor]) => [name, keys[vendor]]));
  await lab.sandbox.setFaults(planFaults(faultShare));
  const service = await lab.start({ environment }, { variables: { [originVariable]: origin } });
  const began = performance.now();
  const begun: (Case & Planned)[] = [];
  for (const [at, planned] of planRuns(play.count).entries()) {
    const { model } = planned;
    begun.push({ ...planned, ...(await begin(service, "ask", { case: `case-${at}-end`, model })) });
    await setTimeout(pauseMs);
  }
  const ending = begun.filter(({ role }) => role !== "parked").map(({ runId }) => runId);
  await untilEnded(lab, ending, play.short ? patienceMs.short : patienceMs.usual);
  const elapsedMs = Math.round(performance.now() - began);
  play.tell(`${begun.length} runs after ${elapsedMs} ms`);
  const evidence = await collectModels(lab, begun);
  const roles = new Map(begun.map(({ runId, role, kind }) => [runId, { role, kind }]));
  const cases = evidence.cases.map((one) => ({
    ...one,
    role: roles.get(one.runId)?.role ?? "mixed",
    kind: roles.get(one.runId)?.kind ?? null,
  }));
  return { evidence, cases, elapsedMs };
}

/** Those of one kind and those that are to wait long first. */
function planRuns(count: number): Planned[] {
  return [
    ...vendors.flatMap((vendor) =>
      Array.from({ length: 2 }, () => ({ role: "parked" as const, kind: null, model: `parked-${vendor}` })),
    ),
    ...eachKinds.map(({ vendor, kind }) => ({ role: "each" as const, kind, model: modelName(vendor, kind) })),
    ...Array.from({ length: count }, (_item, at) => ({
      role: "mixed" as const,
      kind: null,
      model: mixedNames[at % mixedNames.length] ?? "",
    })),
  ];
}

function judge(played: readonly Played[]): Outcome {
  const cases = played.flatMap((round) => round.cases);
  const mixed = cases.filter(({ role }) => role === "mixed");
  const succeeded = mixed.filter(({ status }) => status === "succeeded").length;
  const requests = mixed.flatMap((one) => one.requests);
  const faulty = requests.filter(({ fault }) => fault !== null).length;
  const requestsPerSuccess = Math.round((requests.length / succeeded) * 100) / 100;
  const insideWaits = played.flatMap((round) => findInsideWaits(round.cases));
  const hotLoops = findHotLoops(cases);
  const violations = [
    ...findWrongEnds(cases),
    ...(requestsPerSuccess <= requestsBar
      ? []
      : [`${requestsPerSuccess} requests for each success, more than ${requestsBar}`]),
    ...insideWaits,
    ...hotLoops,
    ...played.flatMap(({ evidence }) => findUnrecorded(evidence)),
    ...findWrongCosts(cases),
    ...played.flatMap(({ evidence }) => findBudgetFaults(evidence)),
  ];
  return {
    holds: violations.length === 0,
    rounds: played.length,
    figures: {
      runs: cases.length,
      succeeded: cases.filter(({ status }) => status === "succeeded").length,
      failedVisibly: cases.filter(({ status }) => status === "failed").length,
      parked: cases.filter(({ status }) => status === "waiting").length,
      requests: cases.flatMap((one) => one.requests).length,
      faultShare: Math.round((faulty / requests.length) * 100) / 100,
      faultKinds: new Set(
        cases.flatMap((one) => one.requests.map(({ bucket, fault }) => `${bucket.split("/")[0]} ${fault}`)),
      ).size,
      requestsPerSuccess,
      insideWaits: insideWaits.length,
      shortestGapMs: shortestGapMs(cases),
      elapsedMs: Math.max(...played.map((round) => round.elapsedMs)),
    },
    violations,
  };
}
