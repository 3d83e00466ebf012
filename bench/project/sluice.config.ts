import { defineConfig, flow, secret, signatures, webhook, z } from "sluice";

const Lead = z.object({ name: z.string(), email: z.email(), company: z.string(), message: z.string() });

/** A lead that a model reads: with everything of a flow but a connection, which would need a system outside. */
const leads = flow({
  name: "leads",
  trigger: webhook({ path: "leads", payload: Lead, verify: signatures.standardWebhooks(secret("BENCH_SECRET")) }),
  async run(lead, { ai, step }) {
    const { urgency } = await ai.object("analyse", {
      instructions: "Analyse this sales lead.",
      send: { company: lead.company, message: lead.message },
      schema: z.object({ urgency: z.enum(["low", "medium", "high"]), score: z.int().min(1).max(100) }),
    });
    await step("file", async () => ({ filed: true }));
    return { urgency };
  },
});

/** Three steps that do nothing: what the engine itself costs. */
const threeSteps = flow({
  name: "three-steps",
  trigger: webhook({ path: "steps", payload: Lead, verify: signatures.standardWebhooks(secret("BENCH_SECRET")) }),
  async run(lead, { step }) {
    const first = await step("first", async () => ({ company: lead.company }));
    const second = await step("second", async () => ({ ...first, second: true }));
    return step("third", async () => ({ ...second, third: true }));
  },
});

/** A step, a wait for a person's word, a step. */
const approval = flow({
  name: "approval",
  trigger: webhook({ path: "approvals", payload: Lead, verify: signatures.standardWebhooks(secret("BENCH_SECRET")) }),
  async run(lead, { step, waitForSignal }) {
    const asked = await step("ask", async () => ({ company: lead.company }));
    const { approved } = await waitForSignal("go", { schema: z.object({ approved: z.boolean() }), timeout: "30d" });
    return step("act", async () => ({ ...asked, approved }));
  },
});

export default defineConfig({
  flows: [leads, threeSteps, approval],
  models: { fast: { provider: "simulated" } },
  concurrency: Number(process.env["BENCH_CONCURRENCY"] ?? 100),
});
