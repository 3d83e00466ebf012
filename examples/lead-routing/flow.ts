import { flow, webhook, z } from "sluice";
import { crm, leadsForm, slack } from "../connections.ts";
import { samples } from "./samples.ts";

const Lead = z.object({ name: z.string(), email: z.email(), company: z.string(), message: z.string() });

const Analysis = z.object({
  intent: z.string(),
  urgency: z.enum(["low", "medium", "high"]),
  deal_size: z.enum(["small", "medium", "large"]),
  route_to: z.enum(["sales", "support", "technical"]),
  score: z.int().min(1).max(100),
});

/** A lead comes in by webhook, a model analyses it, Slack hears of the hot ones, and the CRM gets them all. */
export const leadRouting = flow({
  name: "lead-routing",
  description: "Analyses leads from the contact form, tells Slack of the hot ones, and files all of them in the CRM.",
  trigger: webhook({ path: "leads", payload: Lead, verify: leadsForm, samples }),
  budget: { perRunUsd: 0.05, perDayUsd: 20 },
  masking: { COMPANY: "allow" }, // people are placeholders; a company's name says much about a lead
  minutesSaved: 10,
  async run(lead, { ai }) {
    const analysis = await ai.object("analyse lead", {
      instructions: "Analyse this sales lead. Score how soon and how much they are likely to buy.",
      send: { company: lead.company, message: lead.message }, // only these fields leave the company
      schema: Analysis,
    });
    if (analysis.score > 70) {
      await slack.postMessage({ channel: "#high-priority-leads", text: `${lead.company}: ${analysis.intent}` });
    }
    await crm.createLead({ ...lead, score: analysis.score, tags: [analysis.route_to, analysis.urgency] });
    return analysis;
  },
});
