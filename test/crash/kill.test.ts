import { describe, expect, it } from "vitest";
import { kill } from "../../proof/kill.ts";

/** Repeats the moments and the leads. SLUICE_SEED gives others. */
const seed = Number(process.env["SLUICE_SEED"] ?? 20_260_731);

/** Fewer runs and more time than the experiment has by itself: other tests use the machine as well. */
const extent = { rounds: 2, count: 30 };
const recoveryBarMs = 10_000;
const timeoutMs = 60_000;

describe("[R1] [R3] after kill -9 of the service, then of service and Postgres, in the middle of runs", () => {
  it(
    "nothing acknowledged is lost, no effect is doubled, no recorded step ran again, and new work is done",
    async () => {
      const tell = (what: string): void => void process.stdout.write(`seed ${seed}: ${what}\n`);
      const { violations, figures } = await kill.run({ ...extent, seed, short: true, tell });
      const { recoveryMs = Infinity, acknowledged = 0, recovered = 0 } = figures;
      expect(violations.filter((text) => /^I\d: /.test(text))).toEqual([]);
      expect(acknowledged).toBeGreaterThan(extent.rounds * extent.count);
      // Otherwise nothing was under way at any of the moments.
      expect(recovered).toBeGreaterThan(0);
      expect(recoveryMs).toBeLessThan(recoveryBarMs);
    },
    timeoutMs,
  );
});
