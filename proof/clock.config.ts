/** What the services of the clock experiment serve: flows that sleep, try again and wait their turn, and note each step that they do. */
import { appendFileSync } from "node:fs";
import { defineConfig, flow, type FlowContext, SluiceError, webhook, z } from "sluice";
import { leadsForm } from "../examples/connections.ts";

/**
 * Names the file with a line `RUN STEP NUMBER TIME` for each time that a step was done: NUMBER counts its tries, TIME is the
 * system's monotonic clock in milliseconds, which all processes share and no jump touches.
 */
export const notesVariable = "PROOF_NOTES";

/** How long a `nap` sleeps in memory between its two steps. */
export const napMs = 2000;

/** Longest wait between the three tries of `retry`. */
export const retryMs = 700;

const Lead = z.object({ name: z.string(), email: z.email(), company: z.string(), message: z.string() });

function note(run: FlowContext["run"], step: string, number: number): true {
  appendFileSync(
    process.env[notesVariable] ?? "",
    `${run.id} ${step} ${number} ${process.hrtime.bigint() / 1_000_000n}\n`,
  );
  return true;
}

const hook = (path: string) => webhook({ path, payload: Lead, verify: leadsForm });

const nap = flow({
  name: "nap",
  trigger: hook("nap"),
  async run(_lead, { run, step, sleep }) {
    await step("before", async ({ number }) => note(run, "before", number));
    await sleep("nap", `${napMs / 1000}s`);
    await step("after", async ({ number }) => note(run, "after", number));
  },
});

const retries = flow({
  name: "retry",
  trigger: hook("retry"),
  run: (_lead, { run, step }) =>
    step(
      "try",
      async ({ number }) => {
        note(run, "try", number);
        if (number < 3) throw new SluiceError("STEP_FAILED", { message: "not yet", retryable: true });
      },
      { retry: { maxAttempts: 3, firstDelayMs: retryMs, maxDelayMs: retryMs } },
    ),
});

/** Takes a while, so that others stand in the queue. */
const queue = flow({
  name: "queue",
  trigger: hook("queue"),
  run: (_lead, { run, step }) =>
    step("work", async ({ number }) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return note(run, "work", number);
    }),
});

/** Sleeps for so long that nothing of it stays in memory. */
const park = flow({
  name: "park",
  trigger: hook("park"),
  run: (_lead, { sleep }) => sleep("long", "30m"),
});

export default defineConfig({ flows: [nap, retries, queue, park], models: { fast: { provider: "simulated" } } });
