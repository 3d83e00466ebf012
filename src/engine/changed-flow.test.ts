import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AnyFlow, flow, type FlowContext } from "../core/index.ts";
import { anything, openTestEngine, trigger } from "./fixtures/test-engine.ts";

const changed = (name: string, behaviour: (context: FlowContext) => Promise<unknown>): AnyFlow =>
  flow({ name, trigger, run: (_given, context) => behaviour(context) });

let test: Awaited<ReturnType<typeof openTestEngine>>;

beforeAll(async () => {
  test = await openTestEngine();
});

afterAll(() => test.close());

describe("a flow that was changed while 50 runs wait", () => {
  const runs: string[] = [];
  const calls: string[] = [];
  const original = async ({ step, waitForSignal }: FlowContext): Promise<unknown> => {
    await step("charge", async () => calls.push("charge"));
    return waitForSignal("go", anything);
  };

  it("begins with 50 that are parked", async () => {
    test.behave.parent = original;
    for (let at = 0; at < 50; at += 1) runs.push(await test.send());
    for (const runId of runs) expect(await test.parked(runId)).toMatchObject({ status: "waiting" });
  });

  it("lets those go on whose recorded steps still fit", async () => {
    await test.reopen([
      changed("parent", async ({ step, waitForSignal }) => {
        await step("charge", async () => calls.push("charge again"));
        const value = await waitForSignal("go", anything);
        return step("new step", async () => `with ${value as string}`);
      }),
      test.flows.child,
    ]);
    for (const runId of runs.slice(0, 20)) await test.engine.signal("default", runId, "go", "code");
    for (const runId of runs.slice(0, 20)) {
      expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: "with code" });
    }
    expect(calls).toEqual(Array.from({ length: 50 }, () => "charge"));
  });

  it("[R7] stops the others visibly, with the step that does not fit, and changes nothing outside", async () => {
    calls.length = 0;
    await test.reopen([
      changed("parent", async ({ step, waitForSignal }) => {
        await step("reserve", async () => calls.push("reserve"));
        return waitForSignal("go", anything);
      }),
      test.flows.child,
    ]);
    for (const runId of runs.slice(20, 40)) await test.engine.signal("default", runId, "go", "code");
    for (const runId of runs.slice(20, 40)) {
      const run = await test.end(runId);
      expect(run).toMatchObject({
        status: "failed",
        failedStep: null,
        error: { code: "FLOW_CHANGED", details: { step: "0", recorded: "charge" } },
      });
    }
    expect(calls).toEqual([]);
    const groups = await test.workspace.runs.failures(50);
    expect(groups.find(({ error }) => (error as { code?: string }).code === "FLOW_CHANGED")).toMatchObject({
      count: 20,
      flow: "parent",
    });
  });

  it("shows on demand which of those that still wait do not fit", async () => {
    expect(await test.engine.recheck("default", "parent")).toBe(10);
    for (const runId of runs.slice(40))
      expect(await test.end(runId)).toMatchObject({ error: { code: "FLOW_CHANGED" } });
    await expect(test.engine.recheck("default", "none")).rejects.toMatchObject({ code: "FLOW_UNKNOWN" });
  });

  it("lets them go on under the present code when a person says so, with keys of their own", async () => {
    const [first, second] = runs.slice(20);
    await test.engine.migrate("default", first!);
    expect(await test.end(first!)).toMatchObject({ status: "succeeded", output: "code" });
    expect(calls).toEqual(["reserve"]);
    await expect(test.engine.migrate("default", first!)).rejects.toMatchObject({ code: "RUN_NOT_MIGRATABLE" });
    // With the earlier code back, the run goes on as if nothing had been.
    test.behave.parent = original;
    await test.reopen();
    await test.engine.resume("default", second!);
    expect(await test.end(second!)).toMatchObject({ status: "succeeded", output: "code" });
  });

  it("stops a run whose flow ends before what is recorded", async () => {
    test.behave.parent = async ({ step }) => {
      await step("one", async () => 1);
      await step("two", async () => 2);
      throw new Error("own code");
    };
    const runId = await test.send();
    await test.end(runId);
    test.behave.parent = async ({ step }) => step("one", async () => 1);
    await test.engine.resume("default", runId);
    expect(await test.end(runId)).toMatchObject({
      status: "failed",
      error: { code: "FLOW_CHANGED", details: { step: "1" } },
    });
  });
});
