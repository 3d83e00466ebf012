/** What the service of the leak experiment serves: flows that use all that a flow has, with somebody's data in their hands. */
import { call, defineConfig, flow, type ModelsConfig, mustAppearIn, secret, signatures, webhook, z } from "sluice";
import { hubspotConnection } from "sluice/hubspot";
import { slackConnection } from "sluice/slack";
import { bearerHookKey, breakages, keyNames, mirrorKey, mirrorModes, type MirrorMode, variables } from "./leak-plan.ts";

const sandbox = process.env[variables.sandbox] ?? "http://127.0.0.1:1";
const mirror = process.env[variables.mirror] ?? "http://127.0.0.1:1";

const model = (vendor: keyof typeof keyNames, id: string) =>
  ({
    provider: vendor,
    model: id,
    baseUrl: `${sandbox}/${vendor}/${vendor === "cohere" ? "v2" : "v1"}`,
    apiKey: secret(keyNames[vendor]),
  }) as const;

const reflecting = (mode: MirrorMode) =>
  ({ provider: "openai-compatible", model: mode, baseUrl: `${mirror}/v1`, apiKey: secret(mirrorKey(mode)) }) as const;

const models: ModelsConfig = {
  fast: model("openai", "sandbox-chat"),
  streamed: { ...model("openai", "sandbox-stream"), stream: true },
  responses: { ...model("openai", "sandbox-responses"), api: "responses" },
  claude: model("anthropic", "sandbox-claude"),
  embed: { ...model("openai", "text-embedding-3-small"), kind: "embedding" },
  "embed-cohere": { ...model("cohere", "embed-v4.0"), kind: "embedding" },
  rerank: { ...model("cohere", "rerank-v3.5"), kind: "rerank" },
  ...Object.fromEntries([...mirrorModes, "echo-object" as const].map((mode) => [mode, reflecting(mode)])),
};

const slack = slackConnection({ name: "slack", token: secret("SLACK_BOT_TOKEN") });
const crm = hubspotConnection({ name: "crm", token: secret("HUBSPOT_TOKEN") });

const Lead = z.strictObject({
  name: z.string(),
  email: z.email(),
  phone: z.string(),
  company: z.string(),
  message: z.string().max(100_000),
  contact: z.object({ street: z.string(), postcode: z.string(), birthDate: z.string() }),
  answers: z.record(z.string(), z.string()),
});
const instructions = "Say in one sentence what this is about.";

/** By a signed hook; the concurrency key is an address. */
const leads = flow({
  name: "leads",
  trigger: webhook({ path: "leads", payload: Lead, verify: signatures.standardWebhooks(secret("LEADS_FORM_SECRET")) }),
  concurrency: { limit: 5, key: ({ email }) => email },
  async run(lead, { ai }) {
    const { intent } = await ai.object("analyse", {
      instructions,
      send: { company: lead.company, message: lead.message, who: lead },
      schema: z.object({ intent: z.string() }),
    });
    const label = await ai.classify("sort", {
      instructions,
      send: { message: lead.message },
      labels: { sales: "wants to buy", support: "needs help" },
      model: "claude",
    });
    await slack.postMessage({ channel: "#leads", text: `${lead.name} <${lead.email}>: ${intent}\n${lead.message}` });
    const { name, email, company, message } = lead;
    return crm.createLead({ name, email, company, message, score: 50, tags: [label] });
  },
});

/** Every kind of call of a model. */
const study = flow({
  name: "study",
  trigger: webhook({ path: "study", payload: Lead, verify: signatures.bearer(secret(bearerHookKey)) }),
  async run(lead, { ai }) {
    const { message } = lead;
    let heard = "";
    const onText = (text: string) => void (heard += text);
    const file = { mediaType: "text/plain", data: Buffer.from(message).toString("base64"), name: `${lead.name}.txt` };
    return {
      streamed: await ai.text("stream", { instructions, send: { message }, model: "streamed", onText }),
      responses: await ai.text("respond", { instructions, send: { lead }, model: "responses" }),
      read: await ai.text("read a file", { instructions, send: {}, files: [file] }),
      later: await ai.text("in a batch", { instructions, send: { message }, lane: "batch" }),
      vectors: (await ai.embed("embed", { texts: message.split("\n") })).length,
      others: (await ai.embed("embed elsewhere", { texts: [message], model: "embed-cohere" })).length,
      order: await ai.rerank("rank", { query: `What does ${lead.name} want?`, documents: message.split("\n") }),
    };
  },
});

const part = flow({
  name: "part",
  trigger: call({ payload: Lead }),
  run: (lead, { ai }) => ai.text("look", { instructions, send: { who: lead.answers }, model: "echo" }),
});

/** Map, sub-flow, own steps, a signal, and an effect in doubt. */
const spread = flow({
  name: "spread",
  trigger: call({ payload: Lead }),
  async run(lead, { ai, map, step, sleep, waitForSignal }) {
    const lines = await map(lead.message.split("\n"), (line) =>
      ai.text("look at a line", { instructions, send: { line }, model: "echo" }),
    );
    await step("keep", async () => ({ lines, lead }));
    await sleep("a moment", 50);
    const whole = await part.run(lead);
    const { comment } = await waitForSignal("comment", { schema: z.object({ comment: z.string() }) });
    const letter = await step<{ letter: string }>("post a letter", () => Promise.reject(new Error("no answer")), {
      effect: "irreversible",
    });
    return { whole, comment, letter };
  },
});

/** Asks a model that quotes all it is given. */
const mirrored = flow({
  name: "mirrored",
  trigger: call({ payload: z.object({ lead: Lead, model: z.string() }) }),
  run: ({ lead, model: name }, { ai }) =>
    ai.text("ask the mirror", { instructions, send: { message: lead.message, lead }, model: name }),
});

/** What the model quotes never stands in the source: it is told so, and then a person is asked. */
const quotes = flow({
  name: "quotes",
  trigger: call({ payload: z.object({ lead: Lead, onInvalid: z.enum(["fail", "review"]) }) }),
  run: ({ lead, onInvalid }, { ai }) =>
    ai.object("quote", {
      instructions,
      send: { message: lead.message },
      schema: z.object({ quotes: z.array(z.string()) }),
      check: mustAppearIn(lead.message, ({ quotes: found }: { quotes: string[] }) => found),
      model: "echo-object",
      onInvalid,
    }),
});

/** Fails with the lead in its hands. */
const broken = flow({
  name: "broken",
  trigger: call({ payload: z.object({ lead: Lead, how: z.enum(breakages) }) }),
  async run({ lead, how }, { ai, step, waitForSignal }) {
    await ai.text("look", { instructions, send: { message: lead.message } });
    if (how === "subflow") await part.run({ ...lead, answers: { [lead.email]: 5 } } as never);
    if (how === "action") await crm.createLead({ ...lead, email: lead.message, score: 1, tags: [lead.message] });
    if (how === "signal") await waitForSignal("number", { schema: z.record(z.string(), z.number()) });
    if (how === "not-json") await step("big", async () => ({ [lead.email]: BigInt(lead.message.length) }));
    if (how === "cause") {
      const failure = new Error("the other system refused", { cause: new Error(lead.message) });
      await step("tell", () => Promise.reject(Object.assign(failure, { body: lead, details: lead })));
    }
    return (lead as unknown as { missing: { deep: string } }).missing.deep;
  },
});

/** A word that only the stand-in of Presidio knows. */
const marked = flow({
  name: "marked",
  trigger: call({ payload: z.object({ word: z.string() }) }),
  run: ({ word }, { ai }) => ai.text("pass on", { instructions, send: { note: `the word ${word} was heard` } }),
});

export default defineConfig({
  flows: [leads, study, spread, part, mirrored, quotes, broken, marked],
  connections: [slack, crm],
  models,
  batchLane: { submitEveryMs: 200, pollEveryMs: 200 },
});
