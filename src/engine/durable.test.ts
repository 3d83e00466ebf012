import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { testDatabase, type TestDatabase } from "../../test/support/database.ts";
import { type Ai, type AnyFlow, flow, type FlowContext, type Json, type Log, SluiceError } from "../core/index.ts";
import { openStore, type RunRecord, type Store, type Workspace } from "../store/index.ts";
import { createEngine, type Engine } from "./index.ts";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const refuse = (): Promise<never> => Promise.reject(new Error("no model here"));
const noModel: Ai = { object: refuse, text: refuse, classify: refuse };

let database: TestDatabase;
let store: Store;
let workspace: Workspace;
let engine: Engine;
/** What the flows do is set by each test. */
let parent: (context: FlowContext, payload: { n: number }) => Promise<unknown>;
let child: (context: FlowContext, payload: { n: number }) => Promise<unknown>;

const payload = z.object({ n: z.number() });
const trigger = { kind: "call", payload, samples: {} } as const;
const childFlow = flow({ name: "child", trigger, run: (given, context) => child(context, given) });
const parentFlow = flow({ name: "parent", trigger, run: (given, context) => parent(context, given) });
const limited = flow({
  name: "limited",
  trigger,
  concurrency: { limit: 2, key: ({ n }) => String(n) },
  run: (given, context) => parent(context, given),
});

async function open(flows: readonly AnyFlow[] = [parentFlow, childFlow, limited]): Promise<Engine> {
  return createEngine({ store, databaseUrl: database.url, flows, ai: noModel, services: [], log: silent });
}

beforeAll(async () => {
  database = await testDatabase();
  store = await openStore({ url: database.url, onError: () => {} });
  workspace = store.workspace("default");
  engine = await open();
});

afterAll(async () => {
  await engine.close();
  await store.close();
  await database.drop();
});

beforeEach(() => {
  child = async (_context, { n }) => n * 10;
});

let deliveries = 0;
async function send(n = 1, name = "parent"): Promise<string> {
  deliveries += 1;
  const about = { flow: name, source: "test", deliveryId: null, bodyDigest: "sha256:0", sample: false };
  const event = { ...about, dedupKey: String(deliveries), payload: { n }, receivedAt: new Date() };
  return (await engine.accept("default", event)).runId;
}

async function end(runId: string): Promise<RunRecord> {
  const run = await engine.waitForEnd("default", runId, 15_000, new AbortController().signal);
  if (!run) throw new Error(`run ${runId} did not end`);
  return run;
}

async function parked(runId: string): Promise<RunRecord> {
  await expect
    .poll(async () => workspace.runs.find(runId), { interval: 20, timeout: 10_000 })
    .toMatchObject({ status: "waiting", executor: null });
  const run = await workspace.runs.find(runId);
  return run!;
}

const anything = { schema: z.unknown() };
const rejected = (message: string): SluiceError => new SluiceError("ACTION_REJECTED", { message });

describe("a parked run", () => {
  it("[R2] goes on with a signal, and repeats no step", async () => {
    const calls: string[] = [];
    parent = async ({ step, waitForSignal }) => {
      await step("before", async () => calls.push("before"));
      const value = await waitForSignal("go", anything);
      await step("after", async () => calls.push("after"));
      return value;
    };
    const runId = await send();
    await parked(runId);
    await engine.signal("default", runId, "go", { on: true });
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: { on: true }, recoveries: 0, resumes: 0 });
    expect(calls).toEqual(["before", "after"]);
  });

  it("goes on by itself when its time has come, also under the next process", async () => {
    parent = async ({ sleep }) => {
      await sleep("long", "61s");
      return "woken";
    };
    const runId = await send();
    const { wakeAt } = await parked(runId);
    expect(wakeAt!.getTime() - Date.now()).toBeGreaterThan(50_000);
    await engine.close();
    await database.query(`update sluice.runs set wake_at = now() where id = '${runId}'`);
    await database.query(`update sluice.steps set wake_at = now() where run_id = '${runId}'`);
    engine = await open();
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "woken", recoveries: 0 });
  });

  it("is not parked while another step of it is under way, and waits for all that it waits for", async () => {
    const gate = Promise.withResolvers<void>();
    parent = async ({ step, waitForSignal }) =>
      Promise.all([
        waitForSignal("a", anything),
        waitForSignal("b", anything),
        step("slow", async () => gate.promise.then(() => "slow")),
      ]);
    const runId = await send();
    await expect.poll(async () => (await workspace.steps.ofRun(runId)).length, { interval: 20 }).toBe(3);
    expect(await workspace.runs.find(runId)).toMatchObject({ executor: engine.executor });
    gate.resolve();
    await parked(runId);
    await engine.signal("default", runId, "b", 2);
    await expect.poll(async () => (await workspace.steps.ofRun(runId))[1]?.status, { interval: 20 }).toBe("succeeded");
    await parked(runId);
    await engine.signal("default", runId, "a", 1);
    expect(await end(runId)).toMatchObject({ output: [1, 2, "slow"] });
  });

  it("drops a value that does not fit, and waits on", async () => {
    const runId = await send();
    parent = async ({ waitForSignal }) => waitForSignal(`unseen ${runId}`, { schema: z.object({ ok: z.boolean() }) });
    await parked(runId);
    // As another process would, which never saw the schema.
    await workspace.signals.send(runId, `unseen ${runId}`, "no");
    await expect.poll(async () => (await workspace.signals.find(runId, `unseen ${runId}`)).value, { interval: 20, timeout: 5000 }).toBeNull();
    await parked(runId);
    await engine.signal("default", runId, `unseen ${runId}`, { ok: true });
    expect(await end(runId)).toMatchObject({ output: { ok: true } });
  });

  it("code of the flow never hears of it", async () => {
    const heard: string[] = [];
    parent = async ({ waitForSignal }) => {
      try {
        return await waitForSignal("go", anything);
      } catch (error) {
        heard.push(String(error));
        return "caught";
      } finally {
        heard.push("finally");
      }
    };
    const runId = await send();
    await parked(runId);
    expect(heard).toEqual([]);
    await engine.signal("default", runId, "go", 1);
    expect(await end(runId)).toMatchObject({ output: 1 });
    expect(heard).toEqual(["finally"]);
  });
});

describe("a map", () => {
  it("gives the results in the order of the items, each recorded, a few at a time", async () => {
    let underWay = 0;
    let most = 0;
    parent = async ({ map, step }) =>
      map(
        [5, 3, 8, 1],
        (item) =>
          step("double", async () => {
            most = Math.max(most, (underWay += 1));
            await new Promise((resolve) => setTimeout(resolve, item * 5));
            underWay -= 1;
            return item * 2;
          }),
        { name: "doubles", concurrency: 2 },
      );
    const runId = await send();
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: [10, 6, 16, 2] });
    expect(most).toBe(2);
    const steps = await workspace.steps.ofRun(runId);
    expect(steps.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      "0 map", "0.0 item", "0.0.0 code", "0.1 item", "0.1.0 code", "0.2 item", "0.2.0 code", "0.3 item", "0.3.0 code",
    ]); // oxfmt-ignore
  });

  it("[R7] lets all items end, and on resume does only those again that failed", async () => {
    const calls: string[] = [];
    let repaired = false;
    parent = async ({ map, step }) =>
      map([0, 1, 2, 3], async (item) => {
        await step("first", async () => calls.push(`first ${item}`));
        return step("second", async () => {
          calls.push(`second ${item}`);
          if (item % 2 === 1 && !repaired) throw rejected("odd");
          return item;
        });
      });
    const runId = await send();
    expect(await end(runId)).toMatchObject({ status: "failed", failedStep: "0", error: { code: "ITEMS_FAILED", details: { items: [{ index: 1 }, { index: 3 }] } } });
    calls.length = 0;
    repaired = true;
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: [0, 1, 2, 3] });
    expect(calls.toSorted()).toEqual(["second 1", "second 3"]);
  });

  it("parks when all its items wait, and goes on where each one was", async () => {
    const calls: string[] = [];
    parent = async ({ map, step, waitForSignal }) =>
      map(["a", "b"], async (item) => {
        await step("ask", async () => calls.push(item));
        return waitForSignal(`answer ${item}`, anything);
      });
    const runId = await send();
    await parked(runId);
    await engine.signal("default", runId, "answer b", "B");
    await engine.signal("default", runId, "answer a", "A");
    expect(await end(runId)).toMatchObject({ output: ["A", "B"] });
    expect(calls.toSorted()).toEqual(["a", "b"]);
  });

  it("refuses more items than it can hold", async () => {
    parent = async ({ map }) => map(Array.from({ length: 10_001 }, () => 0), async (item) => item);
    expect(await end(await send())).toMatchObject({ status: "failed", error: { code: "FLOW_INVALID" } });
  });
});

describe("a sub-flow", () => {
  it("is a run of its own, whose output the waiting run gets, once", async () => {
    parent = async (_context, { n }) => (await childFlow.run({ n })) as number;
    const runId = await send(4);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: 40 });
    const { items } = await workspace.runs.list({ parent: runId });
    expect(items).toMatchObject([{ flow: "child", status: "succeeded", parentRunId: runId, parentPath: "0" }]);
  });

  it("that was only started is not waited for, and is there once", async () => {
    parent = async () => childFlow.start({ n: 7 });
    const run = await end(await send());
    const { runId } = run.output as { runId: string };
    expect(await end(runId)).toMatchObject({ flow: "child", output: 70 });
  });

  it("hands its failure up, and is resumed with the run that waits for it", async () => {
    let repaired = false;
    child = async ({ step }) => {
      await step("works", async () => 1);
      return step("breaks", async () => {
        if (!repaired) throw rejected("broken");
        return "mended";
      });
    };
    parent = async () => childFlow.run({ n: 1 });
    const runId = await send();
    const failed = await end(runId);
    expect(failed).toMatchObject({ status: "failed", failedStep: "0", error: { code: "SUBFLOW_FAILED", details: { code: "ACTION_REJECTED" } } });
    repaired = true;
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "mended" });
    const { items } = await workspace.runs.list({ parent: runId });
    expect(items).toMatchObject([{ status: "succeeded", resumes: 1 }]);
  });

  it("ends with the run that waits for it, when that is cancelled", async () => {
    child = async ({ waitForSignal }) => waitForSignal("never", anything);
    parent = async () => childFlow.run({ n: 1 });
    const runId = await send();
    await parked(runId);
    await expect.poll(async () => (await workspace.runs.list({ parent: runId })).items[0]?.status, { interval: 20 }).toBe("waiting");
    await engine.cancel("default", runId);
    const { items } = await workspace.runs.list({ parent: runId });
    expect(items).toMatchObject([{ status: "cancelled" }]);
    expect(await end(runId)).toMatchObject({ status: "cancelled" });
  });

  it("fails visibly when flows start themselves without end, or take no such payload", async () => {
    parent = async () => parentFlow.run({ n: 1 });
    expect(await end(await send())).toMatchObject({ status: "failed", error: { code: "SUBFLOW_FAILED" } });
    parent = async () => childFlow.run({ n: "one" } as never);
    expect(await end(await send())).toMatchObject({ status: "failed", error: { code: "PAYLOAD_INVALID" } });
  });

  it("may be started by many items of a map at once", async () => {
    parent = async ({ map }) => map([1, 2, 3, 4, 5], async (n) => childFlow.run({ n }), { concurrency: 5 });
    expect(await end(await send())).toMatchObject({ output: [10, 20, 30, 40, 50] });
  });
});

describe("an irreversible step", () => {
  const pay = { effect: "irreversible" } as const;

  it("[R4] that failed without showing that nothing happened stops the run and asks", async () => {
    let calls = 0;
    parent = async ({ step }) =>
      step("pay", async () => {
        calls += 1;
        throw new SluiceError("ACTION_UNAVAILABLE", { message: "cut off" });
      }, pay);
    const runId = await send();
    expect(await end(runId)).toMatchObject({ status: "in_doubt", failedStep: "0", error: { code: "EFFECT_IN_DOUBT" } });
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "in_doubt" });
    expect(calls).toBe(1);
    await engine.rule("default", runId, { key: `${runId}/0`, word: "done", by: null, output: { paid: true } });
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: { paid: true } });
    expect(calls).toBe(1);
    await expect(engine.rule("default", runId, { key: `${runId}/0`, word: "done", by: null })).rejects.toMatchObject({ code: "EFFECT_NOT_IN_DOUBT" });
  });

  it("is done once more when a person says so, and not at all when they say that", async () => {
    let calls = 0;
    parent = async ({ step }) => {
      const paid = await step("pay", async () => {
        calls += 1;
        if (calls === 1) throw new Error("cut off");
        return calls;
      }, pay).catch((error: SluiceError) => {
        if (error.code === "EFFECT_NOT_DONE") return error.code;
        throw error;
      });
      return paid;
    };
    const again = await send();
    await end(again);
    await engine.rule("default", again, { key: `${again}/0`, word: "try_again", by: "usr_1" });
    expect(await end(again)).toMatchObject({ status: "succeeded", output: 2 });
    calls = 0;
    const never = await send();
    await end(never);
    await engine.rule("default", never, { key: `${never}/0`, word: "not_done", by: "usr_1" });
    expect(await end(never)).toMatchObject({ status: "succeeded", output: "EFFECT_NOT_DONE" });
    expect(calls).toBe(1);
    expect(await workspace.effects.find(`${never}/0`)).toMatchObject({ state: "not_done", ruling: { word: "not_done", by: "usr_1" } });
  });

  it("that shows that nothing happened fails as any other one", async () => {
    const unsent = new SluiceError("EGRESS_FAILED", { message: "refused", retryable: false, details: { sent: "no" } });
    parent = async ({ step }) => step("pay", async () => Promise.reject(unsent), pay);
    expect(await end(await send())).toMatchObject({ status: "failed", error: { code: "EGRESS_FAILED" } });
  });
});

describe("a flow that was changed while 50 runs wait", () => {
  const runs: string[] = [];
  const calls: string[] = [];
  const changed = (name: string, behaviour: (context: FlowContext) => Promise<unknown>): AnyFlow =>
    flow({ name, trigger, run: (_given, context) => behaviour(context) });

  const original = async ({ step, waitForSignal }: FlowContext): Promise<unknown> => {
    await step("charge", async () => calls.push("charge"));
    return waitForSignal("go", anything);
  };

  it("begins with 50 that are parked", async () => {
    parent = original;
    for (let at = 0; at < 50; at += 1) runs.push(await send());
    for (const runId of runs) await parked(runId);
    await engine.close();
  });

  it("lets those go on whose recorded steps still fit", async () => {
    engine = await open([
      changed("parent", async ({ step, waitForSignal }) => {
        await step("charge", async () => calls.push("charge again"));
        const value = await waitForSignal("go", anything);
        return step("new step", async () => `with ${value as string}`);
      }),
      childFlow,
    ]);
    for (const runId of runs.slice(0, 20)) await engine.signal("default", runId, "go", "code");
    for (const runId of runs.slice(0, 20)) {
      expect(await end(runId)).toMatchObject({ status: "succeeded", output: "with code" });
    }
    expect(calls).toEqual(Array.from({ length: 50 }, () => "charge"));
    await engine.close();
  });

  it("[R7] stops the others visibly, with the step that does not fit, and changes nothing outside", async () => {
    calls.length = 0;
    engine = await open([
      changed("parent", async ({ step, waitForSignal }) => {
        await step("reserve", async () => calls.push("reserve"));
        return waitForSignal("go", anything);
      }),
      childFlow,
    ]);
    for (const runId of runs.slice(20, 40)) await engine.signal("default", runId, "go", "code");
    for (const runId of runs.slice(20, 40)) {
      const run = await end(runId);
      expect(run).toMatchObject({ status: "failed", failedStep: null, error: { code: "FLOW_CHANGED", details: { step: "0", recorded: "charge" } } });
    }
    expect(calls).toEqual([]);
    const groups = await workspace.runs.failures(50);
    expect(groups.find(({ error }) => (error as { code?: string }).code === "FLOW_CHANGED")).toMatchObject({ count: 20, flow: "parent" });
  });

  it("shows on demand which of those that still wait do not fit", async () => {
    expect(await engine.recheck("default", "parent")).toBe(10);
    for (const runId of runs.slice(40)) expect(await end(runId)).toMatchObject({ error: { code: "FLOW_CHANGED" } });
    await expect(engine.recheck("default", "none")).rejects.toMatchObject({ code: "FLOW_UNKNOWN" });
  });

  it("lets them go on under the present code when a person says so, with keys of their own", async () => {
    const [first, second] = runs.slice(20);
    await engine.migrate("default", first!);
    expect(await end(first!)).toMatchObject({ status: "succeeded", output: "code" });
    expect(calls).toEqual(["reserve"]);
    await expect(engine.migrate("default", first!)).rejects.toMatchObject({ code: "RUN_NOT_MIGRATABLE" });
    await engine.close();
    // With the earlier code back, the run goes on as if nothing had been.
    parent = original;
    engine = await open();
    await engine.resume("default", second!);
    expect(await end(second!)).toMatchObject({ status: "succeeded", output: "code" });
  });

  it("stops a run whose flow ends before what is recorded", async () => {
    parent = async ({ step }) => {
      await step("one", async () => 1);
      await step("two", async () => 2);
      throw new Error("own code");
    };
    const runId = await send();
    await end(runId);
    parent = async ({ step }) => step("one", async () => 1);
    await engine.resume("default", runId);
    expect(await end(runId)).toMatchObject({ status: "failed", error: { code: "FLOW_CHANGED", details: { step: "1" } } });
  });
});

describe("limits", () => {
  it("let only so many runs of a key be under way, and all of them end", async () => {
    const underWay = new Map<number, number>();
    let most = 0;
    parent = async ({ step }, { n }) =>
      step("work", async () => {
        const now = (underWay.get(n) ?? 0) + 1;
        underWay.set(n, now);
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 20));
        underWay.set(n, (underWay.get(n) ?? 0) - 1);
        return n;
      });
    const ids = await Promise.all(Array.from({ length: 20 }, (_item, at) => send(at % 3, "limited")));
    for (const id of ids) expect(await end(id)).toMatchObject({ status: "succeeded" });
    expect(most).toBe(2);
  });
});

describe("a flood of one flow", () => {
  it("does not starve another flow, and an interactive one goes before both", async () => {
    const ended: string[] = [];
    const work = async ({ step, run }: FlowContext): Promise<void> => {
      await step("work", async () => new Promise((resolve) => setTimeout(resolve, 5)));
      ended.push(run.flow);
    };
    parent = work;
    child = work;
    const urgent = flow({ name: "urgent", trigger, priority: "interactive", run: async (_given, context) => work(context) });
    await engine.close();
    const { accept } = store.workspace("default").events;
    const about = { source: "flood", deliveryId: null, bodyDigest: "", payload: { n: 1 }, sample: false };
    const queue = (flowName: string, at: number, priority = 1): Promise<{ runId: string }> =>
      accept({ ...about, flow: flowName, dedupKey: `${flowName} ${at}`, priority, receivedAt: new Date() });
    for (let at = 0; at < 300; at += 1) await queue("parent", at);
    const quiet = await Promise.all([0, 1, 2].map((at) => queue("child", at)));
    const fast = await queue("urgent", 0, 0);
    engine = await createEngine({
      store, databaseUrl: database.url, flows: [parentFlow, childFlow, urgent], ai: noModel, services: [], log: silent,
      concurrency: 10,
    }); // oxfmt-ignore
    for (const { runId } of [fast, ...quiet]) expect(await end(runId)).toMatchObject({ status: "succeeded" });
    expect(ended.indexOf("urgent")).toBeLessThan(10);
    // In turn: three of the quiet flow are among the first that its neighbour's flood lets through.
    expect(ended.lastIndexOf("child")).toBeLessThan(30);
    await expect.poll(() => ended.length, { interval: 50, timeout: 15_000 }).toBe(304);
  });
});

describe("a run that this process lost sight of", () => {
  it("[R1] is given back and executed", async () => {
    parent = async () => "done";
    const { runId } = await workspace.events.accept({
      flow: "parent", source: "test", dedupKey: "lost", deliveryId: null, bodyDigest: "", payload: { n: 1 } as Json,
      sample: false, receivedAt: new Date(), begin: { executor: engine.executor, flowVersion: "x" },
    }); // oxfmt-ignore
    await database.query(`update sluice.runs set claimed_at = now() - interval '1 minute' where id = '${runId}'`);
    expect(await end(runId)).toMatchObject({ status: "succeeded", output: "done" });
  });
});
