/** What the services of the overspend experiment serve: many runs on the budget of a day, and runs with a budget each. */
import { defineConfig, flow, type FlowContext, secret, webhook, z } from "sluice";
import { callsOfRun, keyName, maxOutputTokens, modelId, timeoutMs, toPrice, variables } from "./overspend-plan.ts";

const told = (name: keyof typeof variables): string => process.env[variables[name]] ?? "";

const payload = z.object({ case: z.string() });
const verify = { allowUnsigned: true } as const;

const ask = ({ ai }: FlowContext, name: string, step: string): Promise<string> =>
  ai.text(step, { instructions: "Write a text.", send: { case: name, step }, maxOutputTokens });

const ofDay = flow({
  name: "of-day",
  trigger: webhook({ path: "of-day", payload, verify }),
  budget: { perDayUsd: Number(told("dayBudget")) },
  run: async ({ case: name }, context) => (await ask(context, name, "write")).length,
});

/** Its calls are side by side, so that they find the same money. */
const ofRun = flow({
  name: "of-run",
  trigger: webhook({ path: "of-run", payload, verify }),
  budget: { perRunUsd: Number(told("runBudget")) },
  async run({ case: name }, context) {
    const calls = Array.from({ length: callsOfRun }, (_item, at) => ask(context, name, `write ${at}`));
    const ended = await Promise.allSettled(calls);
    return { answered: ended.filter(({ status }) => status === "fulfilled").length };
  },
});

export default defineConfig({
  flows: [ofDay, ofRun],
  models: {
    fast: {
      provider: "openai",
      model: modelId,
      baseUrl: `${told("origin")}/openai/v1`,
      apiKey: secret(keyName),
      price: toPrice(Number(told("price"))),
      timeoutMs,
    },
  },
});
