import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, prepareLab } from "../../proof/lab.ts";
import { deliverAll, makeLeads } from "../../proof/leads.ts";

const seed = 20_260_731;
const leads = 30;

/** Other tests use the machine as well. */
const timeoutMs = 60_000;

let lab: Lab;

beforeAll(async () => {
  lab = await prepareLab({ seed });
});

afterAll(() => lab.close());

describe("[R1] [R3] of two processes on one database", () => {
  it(
    "the living one adopts the runs of the one that was killed for good, and ends them without a double",
    async () => {
      await lab.start();
      const worker = await lab.start({ worker: true });
      // The CRM is slow, so that runs of the worker are certainly under way.
      await lab.sandbox.setFaults([{ system: "hubspot", kind: "slow", params: { delayMs: 300 } }]);
      // The leads come to the worker, so that it is the one that begins their runs.
      const acknowledged = await deliverAll(lab.hookOf(worker), makeLeads(seed, "worker", leads), { connections: 10 });
      expect(acknowledged).toHaveLength(leads);
      await worker.kill();
      await lab.sandbox.setFaults([]);
      const { violations, recovered } = await lab.verdict(acknowledged);
      expect(violations).toEqual([]);
      expect(recovered).not.toEqual([]);
    },
    timeoutMs,
  );
});
