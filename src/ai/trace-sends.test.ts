import { describe, expect, it } from "vitest";
import { z } from "zod";
import { currentRun, type FlowContext, flow, type Json, type Trigger } from "../core/index.ts";
import { builtInDetectors } from "./mask/index.ts";
import type { ModelSpec, ResolvedModel } from "./model-spec.ts";
import { type Trace, traceSends } from "./trace-sends.ts";

const Lead = z.object({ name: z.string(), email: z.email(), company: z.string(), message: z.string() });
type Lead = z.infer<typeof Lead>;
const lead: Lead = {
  name: "Jane Doe",
  email: "jane.doe@example.com",
  company: "Umbrella",
  message: "Call Jane Doe about the offer, please.",
};
const Score = z.object({ score: z.int().min(1).max(100), route: z.enum(["sales", "support"]) });
const instructions = "Analyse this lead.";

const hosted: ModelSpec = { provider: "openai", model: "gpt-test", region: "eu" };
const named = (name: string, spec: ModelSpec): [string, ResolvedModel] => [
  name,
  { name, spec, fallbacks: [], reason: "configured" },
];

/** Traces a flow of leads. */
function trace(
  run: (payload: Lead, context: FlowContext) => Promise<unknown>,
  change: { payload?: Json; dataClasses?: string[]; trigger?: Trigger<Lead> } = {},
): Promise<Trace> {
  const trigger = { kind: "call", payload: Lead, samples: {} } as const;
  const { payload = lead, ...options } = change;
  return traceSends({
    flow: flow<Lead, unknown>({ name: "leads", trigger, ...options, run }),
    payload: "payload" in change ? change.payload : payload,
    gateway: {
      models: new Map([named("fast", hosted), named("local", { provider: "simulated" })]),
      detectors: builtInDetectors(),
    },
  });
}

const namesOf = ({ calls }: Trace) => calls.map(({ step, fields }) => [step, ...fields.map(({ name }) => name)]);

describe("tracing what a flow sends", () => {
  it("tells fields, their sources, what is masked in them, and the model that is asked first", async () => {
    const { calls, note } = await trace(async ({ company, message }, { ai }) =>
      ai.object("analyse lead", { instructions, send: { company, message, hint: 7 }, schema: Score }),
    );
    expect(note).toBeNull();
    expect(calls).toEqual([
      {
        step: "analyse lead",
        modelName: "fast",
        provider: "openai",
        model: "gpt-test",
        region: "eu",
        lane: "standard",
        fields: [
          expect.objectContaining({ name: "company", sources: ["company"] }),
          { name: "message", sources: ["message"], masked: ["PERSON"] },
          { name: "hint", sources: [], masked: [] },
        ],
      },
    ]);
  });

  it("goes on with made-up answers that fit, through every kind of call, waits and maps", async () => {
    const result = await trace(async (payload, { ai, map, sleep, waitForSignal }) => {
      const { score } = await ai.object("score", { instructions, send: { message: payload.message }, schema: Score });
      if (score < 1 || score > 100) throw new Error("does not fit");
      await ai.text("write", { instructions, send: { score }, model: "local", lane: "batch" });
      const label = await ai.classify("sort", { instructions, send: { a: 1 }, labels: { yes: "Yes", no: "No" } });
      await sleep("a while", "7d");
      const { approved } = await waitForSignal("go-ahead", { schema: z.object({ approved: z.boolean() }) });
      await map([1, 2], (item) => ai.text("each", { instructions, send: { [`item${item}`]: item } }));
      return { label, approved };
    });
    expect(result.note).toBeNull();
    expect(namesOf(result)).toEqual([
      ["score", "message"],
      ["write", "score"],
      ["sort", "a"],
      ["each", "item1", "item2"],
    ]);
    expect(result.calls[1]).toMatchObject({ provider: "simulated", region: null, lane: "batch" });
  });

  it("executes neither the flow's own steps nor actions, and says what is not known because of that", async () => {
    let executed = 0;
    const execute = async () => {
      executed += 1;
      return { contact: "real" };
    };
    const result = await trace(async (_payload, { ai, step }) => {
      const output = z.object({ contact: z.string() });
      const request = { name: "crm.find", kind: "effect" as const, output, execute };
      const found = await currentRun("crm.find").step(request);
      await ai.text("first", { instructions, send: { contact: found.contact } });
      const own = await step("load", execute);
      await ai.text("second", { instructions, send: { contact: own.contact } });
    });
    expect(executed).toBe(0);
    expect(namesOf(result)).toEqual([["first", "contact"]]);
    expect(result.note).toBe(
      'Traced without executing anything; it stopped after "load" with TypeError; not executed, and taken to give nothing: step "load".',
    );
  });

  it("makes an event up from the schema where there is none", async () => {
    const result = await trace(async ({ email }, { ai }) => ai.text("write", { instructions, send: { email } }), {
      payload: undefined as unknown as Json,
    });
    expect(namesOf(result)).toEqual([["write", "email"]]);
    expect(result.calls[0]?.fields[0]?.masked).toEqual(["EMAIL"]);
  });

  it("says why it could not begin or go on, and quotes nothing of the event", async () => {
    const unfit = await trace(async () => null, { payload: { name: "Jane" } });
    expect(unfit).toMatchObject({ calls: [], note: expect.stringContaining("PAYLOAD_INVALID: the sample") as unknown });
    const refused = await trace(async ({ message }, { ai }) => ai.text("write", { instructions, send: { message } }), {
      dataClasses: ["health"],
    });
    expect(refused).toMatchObject({ calls: [], note: expect.stringContaining("MODEL_NOT_ALLOWED") as unknown });
    const broken = await trace(async ({ email }) => {
      throw new Error(email);
    });
    expect(broken.note).toBe("Traced without executing anything; it stopped at its beginning with Error.");
  });

  it("ends with a flow that would not", async () => {
    const { note, calls } = await trace(async (_payload, { ai }) => {
      for (;;) await ai.text("again", { instructions, send: { a: 1 } });
    });
    expect(calls).toHaveLength(1);
    expect(note).toContain("it was stopped after 500 steps");
  });
});
