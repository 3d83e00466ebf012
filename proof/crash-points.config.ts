import { defineConfig, flow, webhook, z } from "sluice";
import { type ActionContext, defineAction, defineConnection, readJson } from "../src/connect/index.ts";

/** The outside system of the experiment. */
const origin = process.env["PROOF_OUTSIDE"] ?? "http://127.0.0.1:1";

const Input = z.object({ id: z.string() });
const Output = z.object({ number: z.int() });

function post(kind: string) {
  return async (context: ActionContext, body: z.infer<typeof Input>): Promise<unknown> => {
    const headers = { "content-type": "application/json", "idempotency-key": context.idempotencyKey };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    return readJson(context.what, await context.fetch(`${context.baseUrl}effects/${kind}`, request));
  };
}

const common = { input: Input, output: Output };

/** One action of each kind that has to be kept from happening twice. */
const outside = defineConnection({
  name: "outside",
  connector: "outside",
  baseUrl: origin,
  secrets: {},
  actions: {
    keyed: defineAction({
      ...common,
      description: "Writes; the system drops repeats of a key.",
      effect: "write",
      idempotency: "key",
      perform: post("keyed"),
    }),
    found: defineAction({
      ...common,
      description: "Writes; what was written is looked for before a repeat.",
      effect: "write",
      idempotency: "lookup",
      perform: post("found"),
      async lookup(context) {
        const url = `${context.baseUrl}effects/found?key=${encodeURIComponent(context.idempotencyKey)}`;
        const { number } = (await readJson(context.what, await context.fetch(url))) as { number: number | null };
        return number === null ? undefined : { number };
      },
    }),
    charge: defineAction({
      ...common,
      description: "Does what cannot be taken back.",
      effect: "irreversible",
      idempotency: "none",
      perform: post("charge"),
    }),
  },
});

/** Everything that a flow can await, once. */
const everything = flow({
  name: "everything",
  trigger: webhook({ path: "everything", payload: Input, verify: { allowUnsigned: true } }),
  async run({ id }, { ai, step, sleep, map, waitForSignal }) {
    const thought = await ai.text("think", { instructions: "Say something.", send: { id } });
    await outside.keyed({ id });
    await outside.found({ id });
    await sleep("rest", "20ms");
    await map(["a", "b"], (item) => step(`look at ${item}`, async () => item));
    await outside.charge({ id });
    await step("wire", (attempt) => wire(id, attempt.key), { effect: "irreversible" });
    const { word } = await waitForSignal("go", { schema: z.object({ word: z.string() }) });
    return { thought, word };
  },
});

/** Own code of the flow that cannot be taken back. */
async function wire(id: string, key: string): Promise<unknown> {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  const response = await fetch(`${origin}/effects/wire`, { method: "POST", headers, body: JSON.stringify({ id }) });
  return response.json();
}

export default defineConfig({ flows: [everything], connections: [outside], allowedOrigins: [origin] });
