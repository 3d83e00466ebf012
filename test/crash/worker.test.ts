import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareExperiment, type Experiment } from "./experiment.ts";
import { deliverAll, type Hook, makeLeads } from "./leads.ts";
import type { ServiceProcess } from "./service-process.ts";

const seed = 20_260_731;
const leads = 30;

let experiment: Experiment;
let service: ServiceProcess;
let worker: ServiceProcess;
let hook: Hook;

beforeAll(async () => {
  experiment = await prepareExperiment();
  service = await experiment.start();
  worker = await experiment.start({ worker: true });
  // The leads come to the worker, so that it is the one that begins their runs.
  hook = await experiment.hookOf(worker);
});

afterAll(async () => {
  await service.stop();
  await experiment.close();
});

describe("[R1] [R3] of two processes on one database", () => {
  it("the living one adopts the runs of the one that was killed for good, and ends them without a double", async () => {
    // The CRM is slow, so that runs of the worker are certainly under way.
    await experiment.sandbox.setFaults([{ system: "hubspot", kind: "slow", params: { delayMs: 300 } }]);
    const acknowledged = await deliverAll(hook, makeLeads(seed, "worker", leads), {
      connections: 10,
      onAcknowledged() {},
    });
    expect(acknowledged).toHaveLength(leads);
    await worker.kill();
    await experiment.sandbox.setFaults([]);
    const { violations, recovered } = await experiment.verdict(acknowledged);
    expect(violations).toEqual([]);
    expect(recovered).not.toEqual([]);
  });
});
