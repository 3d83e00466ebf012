import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { testDatabase, type TestDatabase, testKey } from "../../test/support/database.ts";
import { type Ai, type AnyFlow, flow, type FlowContext, type Json, type Log, SluiceError } from "../core/index.ts";
import { openStore, type RunRecord, type Store, type Workspace } from "../store/index.ts";
import { createEngine, type Engine } from "./index.ts";

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };
const refuse = (): Promise<never> => Promise.reject(new Error("no model here"));
const noModel: Ai = { object: refuse, text: refuse, classify: refuse, embed: refuse, rerank: refuse };
const fast = { maxAttempts: 4, firstDelayMs: 5, maxDelayMs: 20 };

let database: TestDatabase;
let store: Store;
let workspace: Workspace;
let engine: Engine;
/** What a flow does is set by each test; the flows themselves must be known to the engine from the start. */
let behaviour: (context: FlowContext, payload: { n: number }) => Promise<unknown>;

const tested: AnyFlow = flow({
  name: "tested",
  trigger: {
    kind: "webhook",
    path: "tested",
    payload: z.object({ n: z.number() }),
    verify: { allowUnsigned: true },
    samples: {},
  },
  run: (payload, context) => behaviour(context, payload),
});

async function open(): Promise<Engine> {
  return createEngine({ store, databaseUrl: database.url, flows: [tested], ai: noModel, services: [], log: quiet });
}

beforeAll(async () => {
  database = await testDatabase();
  store = await openStore({ url: database.url, key: testKey, onError: () => {} });
  workspace = store.workspace("default");
  engine = await open();
});

afterAll(async () => {
  await engine.close();
  await store.close();
  await database.drop();
});

let deliveries = 0;
async function send(payload: Json = { n: 1 }, flowName = "tested"): Promise<string> {
  deliveries += 1;
  const { runId } = await engine.accept("default", {
    flow: flowName,
    source: "webhook:tested",
    dedupKey: String(deliveries),
    deliveryId: null,
    bodyDigest: "sha256:0",
    payload,
    sample: false,
    receivedAt: new Date(),
  });
  return runId;
}

async function end(runId: string): Promise<RunRecord> {
  const run = await engine.waitForEnd("default", runId, 10_000, new AbortController().signal);
  if (!run) throw new Error(`run ${runId} did not end`);
  return run;
}

describe("a run", () => {
  it("ends with what the flow returned, its steps in the order of their calls", async () => {
    behaviour = async ({ step }, { n }) => {
      const [a, b] = await Promise.all([step("double", async () => n * 2), step("triple", async () => n * 3)]);
      return { sum: a + b };
    };
    const runId = await send({ n: 4 });
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: { sum: 20 }, error: null });
    const steps = await workspace.steps.ofRun(runId);
    expect(steps.map(({ path, name, status, output }) => [path, name, status, output])).toEqual([
      ["0", "double", "succeeded", 8],
      ["1", "triple", "succeeded", 12],
    ]);
  });

  it("[R7] fails visibly, with the step that failed it", async () => {
    behaviour = async ({ step }) => {
      await step("good", async () => 1);
      await step("bad", async () => {
        throw new SluiceError("ACTION_REJECTED", { message: "no such channel", hint: "Create it." });
      });
    };
    const run = await end(await send());
    expect(run).toMatchObject({ status: "failed", failedStep: "1" });
    expect(run.error).toMatchObject({ code: "ACTION_REJECTED", message: "no such channel", hint: "Create it." });
  });

  it("fails with no step when the flow's own code throws", async () => {
    behaviour = async ({ step }) => {
      await step("good", async () => 1);
      throw new Error("own code");
    };
    expect(await end(await send())).toMatchObject({
      status: "failed",
      failedStep: null,
      error: { code: "STEP_FAILED" },
    });
  });

  it("goes on when the flow handles a step's error", async () => {
    behaviour = async ({ step }) => {
      const failed = step("bad", async () => Promise.reject(new SluiceError("ACTION_REJECTED", { message: "no" })));
      return failed.catch((error: SluiceError) => error.code);
    };
    expect(await end(await send())).toMatchObject({ status: "succeeded", output: "ACTION_REJECTED" });
  });

  it("of a flow that is gone is a visible failure", async () => {
    expect(await end(await send({ n: 1 }, "gone"))).toMatchObject({
      status: "failed",
      error: { code: "FLOW_UNKNOWN" },
    });
  });

  it("whose output JSON cannot hold is a visible failure", async () => {
    behaviour = async () => ({ big: 1n });
    expect(await end(await send())).toMatchObject({ status: "failed" });
  });
});

describe("retries", () => {
  it("try a retryable error again, also beside another step, and record each attempt", async () => {
    behaviour = async ({ step }) => {
      const flaky = (name: string, succeedAt: number): Promise<number> =>
        step(
          name,
          async ({ number }) => {
            if (number < succeedAt) throw new SluiceError("ACTION_UNAVAILABLE", { message: "busy" });
            return number;
          },
          { retry: fast },
        );
      return Promise.all([flaky("a", 3), flaky("b", 2)]);
    };
    const runId = await send();
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: [3, 2] });
    const [a] = await workspace.steps.ofRun(runId);
    expect(a?.attempts.map((attempt) => attempt.error?.code ?? null)).toEqual([
      "ACTION_UNAVAILABLE",
      "ACTION_UNAVAILABLE",
      null,
    ]);
  });

  it("stop at the policy's limit, and never try a final error again", async () => {
    let tries = 0;
    behaviour = async ({ step }) =>
      step(
        "always busy",
        async () => {
          tries += 1;
          throw new SluiceError("ACTION_UNAVAILABLE", { message: "busy" });
        },
        { retry: fast },
      );
    expect(await end(await send())).toMatchObject({ status: "failed", error: { code: "ACTION_UNAVAILABLE" } });
    expect(tries).toBe(4);

    tries = 0;
    behaviour = async ({ step }) =>
      step("wrong", async () => {
        tries += 1;
        throw new SluiceError("ACTION_REJECTED", { message: "wrong" });
      });
    expect(await end(await send())).toMatchObject({ status: "failed" });
    expect(tries).toBe(1);
  });

  it("wait at least as long as the other side asked", async () => {
    const times: number[] = [];
    behaviour = async ({ step }) =>
      step(
        "limited",
        async ({ number }) => {
          times.push(Date.now());
          if (number === 1) throw new SluiceError("ACTION_RATE_LIMITED", { message: "429", retryAfterMs: 300 });
        },
        { retry: fast },
      );
    await end(await send());
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(299);
  });
});

describe("resume", () => {
  it("[R2] [R7] keeps what succeeded, does the failed step again, and goes on", async () => {
    const calls: string[] = [];
    let repaired = false;
    behaviour = async ({ step }) => {
      const first = await step("first", async () => (calls.push("first"), 1));
      const second = await step("second", async () => {
        calls.push("second");
        if (!repaired) throw new SluiceError("ACTION_REJECTED", { message: "broken" });
        return 2;
      });
      return first + second;
    };
    const runId = await send();
    expect(await end(runId)).toMatchObject({ status: "failed", failedStep: "1" });
    repaired = true;
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({
      status: "succeeded",
      output: 3,
      resumes: 1,
      failedStep: null,
      error: null,
    });
    expect(calls).toEqual(["first", "second", "second"]);
    const [, second] = await workspace.steps.ofRun(runId);
    expect(second?.attempts.map((attempt) => attempt.error?.code ?? null)).toEqual(["ACTION_REJECTED", null]);
  });

  it("runs the flow's own code again when that failed, and repeats no step", async () => {
    let steps = 0;
    let repaired = false;
    behaviour = async ({ step }) => {
      await step("only", async () => (steps += 1));
      if (!repaired) throw new Error("own code");
      return "done";
    };
    const runId = await send();
    await end(runId);
    repaired = true;
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "done" });
    expect(steps).toBe(1);
  });

  it("is refused for a run that succeeded or does not exist, and won by one of two callers", async () => {
    behaviour = async () => "ok";
    const runId = await send();
    await end(runId);
    await expect(engine.resume("default", runId)).rejects.toMatchObject({ code: "RUN_NOT_RESUMABLE" });
    await expect(engine.resume("default", "run_none")).rejects.toMatchObject({ code: "RUN_UNKNOWN" });

    behaviour = async () => Promise.reject(new Error("own code"));
    const failed = await send();
    await end(failed);
    behaviour = async () => "ok";
    const both = await Promise.allSettled([engine.resume("default", failed), engine.resume("default", failed)]);
    expect(both.map((result) => result.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await end(failed)).toMatchObject({ status: "succeeded", resumes: 1 });
  });

  it("says so when the flow's steps have changed meanwhile", async () => {
    behaviour = async ({ step }) => {
      await step("old name", async () => 1);
      throw new Error("own code");
    };
    const runId = await send();
    await end(runId);
    behaviour = async ({ step }) => step("new name", async () => 1);
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "failed", error: { code: "FLOW_CHANGED" } });
  });
});

describe("waits", () => {
  it("sleep for at least the given time, and show the run as waiting", async () => {
    behaviour = async ({ sleep }) => sleep("nap", "1500ms");
    const began = Date.now();
    const runId = await send();
    await expect.poll(async () => (await workspace.runs.find(runId))?.status, { interval: 20 }).toBe("waiting");
    await end(runId);
    expect(Date.now() - began).toBeGreaterThanOrEqual(1500);
  });

  it("go on with the signal that was sent, refuse one that does not fit, and take only the first", async () => {
    behaviour = async ({ waitForSignal }) => waitForSignal("decision", { schema: z.object({ ok: z.boolean() }) });
    const runId = await send();
    await expect.poll(async () => (await workspace.runs.find(runId))?.status, { interval: 20 }).toBe("waiting");
    await expect(engine.signal("default", runId, "decision", { ok: "maybe" })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
    expect(await engine.signal("default", runId, "decision", { ok: true })).toBe(true);
    expect(await engine.signal("default", runId, "decision", { ok: false })).toBe(false);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: { ok: true } });
  });

  it("hold a value against what its own run waits for, not against another's of the same name", async () => {
    behaviour = async ({ run, waitForSignal }) => waitForSignal("own id", { schema: z.literal(run.id) });
    const runIds = [await send(), await send()];
    for (const runId of runIds) {
      await expect.poll(async () => (await workspace.runs.find(runId))?.status, { interval: 20 }).toBe("waiting");
    }
    for (const runId of runIds) {
      await expect(engine.signal("default", runId, "own id", "none")).rejects.toMatchObject({
        code: "REQUEST_INVALID",
      });
      await engine.signal("default", runId, "own id", runId);
      expect(await end(runId)).toMatchObject({ status: "succeeded", output: runId });
    }
  });

  it("take a signal that came before the run waited for it", async () => {
    behaviour = async ({ sleep, waitForSignal }) => {
      await sleep("nap", 100);
      return waitForSignal("early", { schema: z.string() });
    };
    const runId = await send();
    await engine.signal("default", runId, "early", "here");
    expect(await end(runId)).toMatchObject({ output: "here" });
  });

  it("time out with a code", async () => {
    behaviour = async ({ waitForSignal }) => waitForSignal("never", { schema: z.string(), timeout: 50 });
    expect(await end(await send())).toMatchObject({ status: "failed", error: { code: "SIGNAL_TIMEOUT" } });
  });
});

describe("cancel", () => {
  it("stops a waiting run, which can be resumed", async () => {
    behaviour = async ({ waitForSignal }) => waitForSignal("go", { schema: z.literal("go") });
    const runId = await send();
    await expect.poll(async () => (await workspace.runs.find(runId))?.status, { interval: 20 }).toBe("waiting");
    await engine.cancel("default", runId);
    expect(await end(runId)).toMatchObject({ status: "cancelled" });
    await expect(engine.cancel("default", runId)).rejects.toMatchObject({ code: "RUN_NOT_CANCELLABLE" });
    await engine.resume("default", runId);
    await engine.signal("default", runId, "go", "go");
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "go" });
  });

  it("keeps a queued run from starting", async () => {
    let started = false;
    behaviour = async () => {
      started = true;
    };
    const { runId } = await workspace.events.accept({
      flow: "tested", source: "webhook:tested", dedupKey: "cancelled while queued", deliveryId: null, bodyDigest: "",
      payload: { n: 1 }, sample: false, receivedAt: new Date(),
    }); // oxfmt-ignore
    await engine.cancel("default", runId);
    expect(await end(runId)).toMatchObject({ status: "cancelled" });
    expect(started).toBe(false);
  });
});

describe("one process after another", () => {
  it("[R1] [R2] goes on with the runs that the closed one left, from their last recorded step", async () => {
    const calls: string[] = [];
    behaviour = async ({ step, waitForSignal }) => {
      await step("before", async () => calls.push("before"));
      return waitForSignal("go", { schema: z.string() });
    };
    const runId = await send();
    await expect.poll(async () => (await workspace.runs.find(runId))?.status, { interval: 20 }).toBe("waiting");
    await engine.close();
    engine = await open();
    await engine.signal("default", runId, "go", "on");
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "on", recoveries: 0 });
    expect(calls).toEqual(["before"]);
  });

  it("[R3] gives what a step recorded, when the earlier process died before the engine beneath knew of it", async () => {
    behaviour = async () => Promise.reject(new Error("died"));
    const runId = await send();
    await end(runId);
    const times = { startedAt: new Date(), finishedAt: new Date(), wakeAt: null, waitReason: null };
    const step = { runId, path: "0", name: "once", kind: "code", status: "succeeded", attempts: [] } as const;
    const row = { ...step, ...times, input: null, output: "recorded", error: null };
    expect(await workspace.steps.save(row, 1)).toBe(true);
    let calls = 0;
    behaviour = async ({ step }) => step("once", async () => (calls += 1));
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "recorded" });
    expect(calls).toBe(0);
  });

  it("refuses a second engine in one process", async () => {
    await expect(open()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
