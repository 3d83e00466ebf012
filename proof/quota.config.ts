/** What the service of the quota experiment serves: a question to models whose accounts are used up. */
import { defineConfig, flow, type ModelsConfig, secret, webhook, z } from "sluice";
import { accounts, originVariable, spareAccount, spareKey } from "./quota-plan.ts";

const origin = process.env[originVariable] ?? "";

/** A key that names no other model is a credential of its own. */
const alone: ModelsConfig = Object.fromEntries(
  accounts.map(({ name, vendor, key }) => [
    name,
    { provider: vendor, model: `sandbox-${name}`, baseUrl: `${origin}/${vendor}/v1`, apiKey: secret(key) },
  ]),
);

const { name, vendor, key } = spareAccount;

const ask = flow({
  name: "ask",
  trigger: webhook({
    path: "ask",
    payload: z.object({ case: z.string(), model: z.string() }),
    verify: { allowUnsigned: true },
  }),
  run: ({ case: name, model }, { ai }) =>
    ai.text("answer", { instructions: "Answer in one sentence.", send: { case: name }, model }),
});

export default defineConfig({
  flows: [ask],
  models: {
    fast: { provider: "simulated" },
    ...alone,
    [name]: [
      { provider: vendor, model: `sandbox-${name}`, baseUrl: `${origin}/${vendor}/v1`, apiKey: secret(key) },
      { provider: "anthropic", model: "sandbox-spare", baseUrl: `${origin}/anthropic/v1`, apiKey: secret(spareKey) },
    ],
  },
});
