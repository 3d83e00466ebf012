import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { currentRun, flow, type FlowContext, Postponed, SluiceError } from "../core/index.ts";
import { anything, openTestEngine, trigger } from "./fixtures/test-engine.ts";

let test: Awaited<ReturnType<typeof openTestEngine>>;

beforeAll(async () => {
  test = await openTestEngine();
});

afterAll(() => test.close());

describe("a parked run", () => {
  it("[R2] goes on with a signal, and repeats no step", async () => {
    const calls: string[] = [];
    test.behave.parent = async ({ step, waitForSignal }) => {
      await step("before", async () => calls.push("before"));
      const value = await waitForSignal("go", anything);
      await step("after", async () => calls.push("after"));
      return value;
    };
    const runId = await test.send();
    await test.parked(runId);
    await test.engine.signal("default", runId, "go", { on: true });
    expect(await test.end(runId)).toMatchObject({
      status: "succeeded",
      output: { on: true },
      recoveries: 0,
      resumes: 0,
    });
    expect(calls).toEqual(["before", "after"]);
  });

  it("goes on by itself when its time has come, also under the next process", async () => {
    test.behave.parent = async ({ sleep }) => {
      await sleep("long", "61s");
      return "woken";
    };
    const runId = await test.send();
    const { wakeAt } = await test.parked(runId);
    expect(wakeAt!.getTime() - Date.now()).toBeGreaterThan(50_000);
    await test.reopen(undefined, undefined, async () => {
      await test.database.query(`update sluice.runs set wake_at = now() where id = '${runId}'`);
      await test.database.query(`update sluice.steps set wake_at = now() where run_id = '${runId}'`);
    });
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: "woken", recoveries: 0 });
  });

  it("is not parked while another step of it is under way, and waits for all that it waits for", async () => {
    const gate = Promise.withResolvers<void>();
    test.behave.parent = async ({ step, waitForSignal }) =>
      Promise.all([
        waitForSignal("a", anything),
        waitForSignal("b", anything),
        step("slow", async () => gate.promise.then(() => "slow")),
      ]);
    const runId = await test.send();
    await expect.poll(async () => (await test.workspace.steps.ofRun(runId)).length).toBe(3);
    expect(await test.workspace.runs.find(runId)).toMatchObject({ executor: test.engine.executor });
    gate.resolve();
    await test.parked(runId);
    await test.engine.signal("default", runId, "b", 2);
    await expect.poll(async () => (await test.workspace.steps.ofRun(runId))[1]?.status).toBe("succeeded");
    await test.parked(runId);
    await test.engine.signal("default", runId, "a", 1);
    expect(await test.end(runId)).toMatchObject({ output: [1, 2, "slow"] });
  });

  it("drops a value that does not fit, and waits on", async () => {
    const runId = await test.send();
    test.behave.parent = async ({ waitForSignal }) =>
      waitForSignal(`unseen ${runId}`, { schema: z.object({ ok: z.boolean() }) });
    await test.parked(runId);
    // As another process would, which never saw the schema.
    await test.workspace.signals.send(runId, `unseen ${runId}`, "no");
    await expect.poll(async () => (await test.workspace.signals.find(runId, `unseen ${runId}`)).value).toBeNull();
    await test.parked(runId);
    // People are shown what waits for them, and this does again.
    expect((await test.workspace.steps.ofRun(runId))[0]).toMatchObject({ kind: "signal", status: "waiting" });
    await test.engine.signal("default", runId, `unseen ${runId}`, { ok: true });
    expect(await test.end(runId)).toMatchObject({ output: { ok: true } });
  });

  it("that waits for a circuit goes on when a person closes it, long before its time", async () => {
    let isOpen = true;
    test.behave.parent = async () =>
      currentRun("a call").step({
        name: "call",
        kind: "ai",
        execute: async () => {
          if (isOpen) throw new Postponed(new Date(Date.now() + 50_000), "circuit");
          return "answer";
        },
      });
    const runId = await test.send();
    await test.parked(runId);
    expect((await test.workspace.steps.ofRun(runId))[0]).toMatchObject({ status: "waiting", waitReason: "circuit" });
    await test.database.query(
      "insert into sluice.model_credentials (credential, circuit, opened_at, probe_at) values ('KEY', 'quota', now(), now())",
    );
    isOpen = false;
    expect(await test.store.limits.resume("KEY")).toBe(true);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: "answer" });
    // A try that was put off is none.
    expect((await test.workspace.steps.ofRun(runId))[0]?.attempts).toHaveLength(1);
  });

  it("code of the flow never hears of it", async () => {
    const heard: string[] = [];
    test.behave.parent = async ({ waitForSignal }) => {
      try {
        return await waitForSignal("go", anything);
      } catch (error) {
        heard.push(String(error));
        return "caught";
      } finally {
        heard.push("finally");
      }
    };
    const runId = await test.send();
    await test.parked(runId);
    expect(heard).toEqual([]);
    await test.engine.signal("default", runId, "go", 1);
    expect(await test.end(runId)).toMatchObject({ output: 1 });
    expect(heard).toEqual(["finally"]);
  });
});

describe("an irreversible step", () => {
  const pay = { effect: "irreversible" } as const;

  it("[R4] that failed without showing that nothing happened stops the run and asks", async () => {
    let calls = 0;
    test.behave.parent = async ({ step }) =>
      step(
        "pay",
        async () => {
          calls += 1;
          throw new SluiceError("ACTION_UNAVAILABLE", { message: "cut off" });
        },
        pay,
      );
    const runId = await test.send();
    expect(await test.end(runId)).toMatchObject({
      status: "in_doubt",
      failedStep: "0",
      error: { code: "EFFECT_IN_DOUBT" },
    });
    await test.engine.resume("default", runId);
    expect(await test.end(runId)).toMatchObject({ status: "in_doubt" });
    expect(calls).toBe(1);
    await test.engine.rule("default", runId, { key: `${runId}/0`, word: "done", by: null, output: { paid: true } });
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: { paid: true } });
    expect(calls).toBe(1);
    await expect(
      test.engine.rule("default", runId, { key: `${runId}/0`, word: "done", by: null }),
    ).rejects.toMatchObject({ code: "EFFECT_NOT_IN_DOUBT" });
  });

  it("is done once more when a person says so, and not at all when they say that", async () => {
    let calls = 0;
    test.behave.parent = async ({ step }) => {
      const paid = await step(
        "pay",
        async () => {
          calls += 1;
          if (calls === 1) throw new Error("cut off");
          return calls;
        },
        pay,
      ).catch((error: SluiceError) => {
        if (error.code === "EFFECT_NOT_DONE") return error.code;
        throw error;
      });
      return paid;
    };
    const again = await test.send();
    await test.end(again);
    await test.engine.rule("default", again, { key: `${again}/0`, word: "try_again", by: "usr_1" });
    expect(await test.end(again)).toMatchObject({ status: "succeeded", output: 2 });
    calls = 0;
    const never = await test.send();
    await test.end(never);
    await test.engine.rule("default", never, { key: `${never}/0`, word: "not_done", by: "usr_1" });
    expect(await test.end(never)).toMatchObject({ status: "succeeded", output: "EFFECT_NOT_DONE" });
    expect(calls).toBe(1);
    expect(await test.workspace.effects.find(`${never}/0`)).toMatchObject({
      state: "not_done",
      ruling: { word: "not_done", by: "usr_1" },
    });
  });

  it("that shows that nothing happened fails as any other one", async () => {
    const unsent = new SluiceError("EGRESS_FAILED", { message: "refused", retryable: false, details: { sent: "no" } });
    test.behave.parent = async ({ step }) => step("pay", async () => Promise.reject(unsent), pay);
    expect(await test.end(await test.send())).toMatchObject({ status: "failed", error: { code: "EGRESS_FAILED" } });
  });
});

describe("limits", () => {
  it("let only so many runs of a key be under way, and all of them end", async () => {
    const underWay = new Map<number, number>();
    let most = 0;
    test.behave.parent = async ({ step }, { n }) =>
      step("work", async () => {
        const now = (underWay.get(n) ?? 0) + 1;
        underWay.set(n, now);
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 20));
        underWay.set(n, (underWay.get(n) ?? 0) - 1);
        return n;
      });
    const ids = await Promise.all(Array.from({ length: 20 }, (_item, at) => test.send(at % 3, "limited")));
    for (const id of ids) expect(await test.end(id)).toMatchObject({ status: "succeeded" });
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
    test.behave.parent = work;
    test.behave.child = work;
    const urgent = flow({
      name: "urgent",
      trigger,
      priority: "interactive",
      run: async (_given, context) => work(context),
    });
    const { accept } = test.workspace.events;
    const about = { source: "flood", deliveryId: null, bodyDigest: "", payload: { n: 1 }, sample: false };
    const queue = (flowName: string, at: number, priority = 1): Promise<{ runId: string }> =>
      accept({ ...about, flow: flowName, dedupKey: `${flowName} ${at}`, priority, receivedAt: new Date() });
    let first: { runId: string }[] = [];
    await test.reopen([test.flows.parent, test.flows.child, urgent], 10, async () => {
      for (let at = 0; at < 300; at += 1) await queue("parent", at);
      first = await Promise.all([queue("urgent", 0, 0), ...[0, 1, 2].map((at) => queue("child", at))]);
    });
    for (const { runId } of first) expect(await test.end(runId)).toMatchObject({ status: "succeeded" });
    expect(ended.indexOf("urgent")).toBeLessThan(10);
    // In turn: three of the quiet flow are among the first that its neighbour's flood lets through.
    expect(ended.lastIndexOf("child")).toBeLessThan(30);
    await expect.poll(() => ended.length).toBe(304);
  });
});

describe("a run that this process lost sight of", () => {
  it("[R1] is given back and executed", async () => {
    test.behave.parent = async () => "done";
    const { runId } = await test.workspace.events.accept({
      flow: "parent", source: "test", dedupKey: "lost", deliveryId: null, bodyDigest: "", payload: { n: 1 },
      sample: false, receivedAt: new Date(), begin: { executor: test.engine.executor, flowVersion: "x" },
    }); // oxfmt-ignore
    await test.database.query(`update sluice.runs set claimed_at = now() - interval '1 minute' where id = '${runId}'`);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: "done" });
  });
});
