/** What the service of the burst experiment serves: a flow that takes little, so that the burst itself is what costs. */
import { defineConfig, flow, webhook, z } from "sluice";
import { leadsForm } from "../examples/connections.ts";

const Lead = z.object({ name: z.string(), email: z.email(), company: z.string(), message: z.string() });

const take = flow({
  name: "take",
  trigger: webhook({ path: "burst", payload: Lead, verify: leadsForm }),
  run: (lead, { step }) => step("take", async () => ({ company: lead.company })),
});

export default defineConfig({ flows: [take], models: { fast: { provider: "simulated" } } });
