import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareExperiment, type Experiment } from "./experiment.ts";
import { type Acknowledged, deliver, deliverAll, draw, type Hook, makeLeads } from "./leads.ts";
import type { ServiceProcess } from "./service-process.ts";

/** Repeats the moments and the leads. SLUICE_SEED gives others. */
const seed = Number(process.env["SLUICE_SEED"] ?? 20_260_731);

const leadsOfRound = 24;
const connections = 8;

/** What is killed in each round, at a moment that the seed gives. */
const rounds = [
  { name: "service", kills: ["service"] },
  { name: "service-and-database", kills: ["service", "database"] },
  { name: "service-again", kills: ["service"] },
  { name: "database-and-service", kills: ["database", "service"] },
  { name: "service-once-more", kills: ["service"] },
  { name: "database", kills: ["database"] },
] as const;

/** How long it takes from a kill until a new lead is acknowledged and done. The bar is 5 s; more only where the machine is busy. */
const workingAgainWithinMs = 10_000;

let experiment: Experiment;
let service: ServiceProcess;
let hook: Hook;
const acknowledged: Acknowledged[] = [];

beforeAll(async () => {
  experiment = await prepareExperiment();
  service = await experiment.start();
  hook = await experiment.hookOf(service);
});

afterAll(async () => {
  await service.stop();
  await experiment.close();
});

async function kill(what: "service" | "database"): Promise<void> {
  if (what === "service") await service.kill();
  else process.kill(service.postmasterPid, "SIGKILL");
}

async function playRound({ name, kills }: (typeof rounds)[number]): Promise<number> {
  const killAfter = 2 + Math.floor(draw(seed, `${name}/after`) * (leadsOfRound / 2));
  const due = Promise.withResolvers<void>();
  let count = 0;
  const sending = deliverAll(hook, makeLeads(seed, name, leadsOfRound), {
    connections,
    onAcknowledged: () => (count += 1) === killAfter && due.resolve(),
  });
  await due.promise;
  await setTimeout(draw(seed, `${name}/delay`) * 80);
  const killedAt = performance.now();
  for (const what of kills) await kill(what);
  if (kills.some((what) => what === "service")) {
    service = await experiment.start({ publicPort: Number(new URL(hook.url).port) });
  }
  const [probe] = makeLeads(seed, `${name}-probe`, 1);
  acknowledged.push(await deliver(hook, probe!, 10));
  const workingAgainMs = performance.now() - killedAt;
  acknowledged.push(...(await sending));
  return workingAgainMs;
}

describe("[R1] [R3] after kill -9 in the middle of runs", () => {
  it.each(rounds)("of $name, a new lead is acknowledged and done within 10 s", async (round) => {
    const workingAgainMs = await playRound(round);
    const what = `seed ${seed}: kill of ${round.kills.join(" and ")}`;
    process.stdout.write(`${what}: working again after ${Math.round(workingAgainMs)} ms\n`);
    expect(workingAgainMs).toBeLessThan(workingAgainWithinMs);
  });

  it("no acknowledged lead is lost, no effect is doubled, and no recorded step ran again", async () => {
    expect(acknowledged).toHaveLength(rounds.length * (leadsOfRound + 1));
    const { violations, recovered } = await experiment.verdict(acknowledged);
    expect(violations).toEqual([]);
    // Otherwise nothing was under way at any of the moments.
    expect(recovered).not.toEqual([]);
    // Where the service lives on, it goes on with its own runs.
    expect(recovered.filter(({ lead }) => /^msg_database(-probe)?_/.test(lead.deliveryId))).toEqual([]);
  });
});
