import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { anything, openTestEngine, rejected } from "./fixtures/test-engine.ts";

let test: Awaited<ReturnType<typeof openTestEngine>>;

beforeAll(async () => {
  test = await openTestEngine();
});

beforeEach(() => {
  test.behave.child = async (_context, { n }) => n * 10;
});

afterAll(() => test.close());

describe("a map", () => {
  it("gives the results in the order of the items, each recorded, a few at a time", async () => {
    let underWay = 0;
    let most = 0;
    test.behave.parent = async ({ map, step }) =>
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
    const runId = await test.send();
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: [10, 6, 16, 2] });
    expect(most).toBe(2);
    const steps = await test.workspace.steps.ofRun(runId);
    expect(steps.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      "0 map", "0.0 item", "0.0.0 code", "0.1 item", "0.1.0 code", "0.2 item", "0.2.0 code", "0.3 item", "0.3.0 code",
    ]); // oxfmt-ignore
  });

  it("[R7] lets all items end, and on resume does only those again that failed", async () => {
    const calls: string[] = [];
    let repaired = false;
    test.behave.parent = async ({ map, step }) =>
      map([0, 1, 2, 3], async (item) => {
        await step("first", async () => calls.push(`first ${item}`));
        return step("second", async () => {
          calls.push(`second ${item}`);
          if (item % 2 === 1 && !repaired) throw rejected("odd");
          return item;
        });
      });
    const runId = await test.send();
    expect(await test.end(runId)).toMatchObject({
      status: "failed",
      failedStep: "0",
      error: { code: "ITEMS_FAILED", details: { items: [{ index: 1 }, { index: 3 }] } },
    });
    calls.length = 0;
    repaired = true;
    await test.engine.resume("default", runId);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: [0, 1, 2, 3] });
    expect(calls.toSorted()).toEqual(["second 1", "second 3"]);
  });

  it("parks when all its items wait, and goes on where each one was", async () => {
    const calls: string[] = [];
    test.behave.parent = async ({ map, step, waitForSignal }) =>
      map(["a", "b"], async (item) => {
        await step("ask", async () => calls.push(item));
        return waitForSignal(`answer ${item}`, anything);
      });
    const runId = await test.send();
    await test.parked(runId);
    await test.engine.signal("default", runId, "answer b", "B");
    await test.engine.signal("default", runId, "answer a", "A");
    expect(await test.end(runId)).toMatchObject({ output: ["A", "B"] });
    expect(calls.toSorted()).toEqual(["a", "b"]);
  });

  it("refuses more items than it can hold", async () => {
    test.behave.parent = async ({ map }) =>
      map(
        Array.from({ length: 10_001 }, () => 0),
        async (item) => item,
      );
    expect(await test.end(await test.send())).toMatchObject({ status: "failed", error: { code: "FLOW_INVALID" } });
  });
});

describe("a sub-flow", () => {
  it("is a run of its own, whose output the waiting run gets, once", async () => {
    test.behave.parent = async (_context, { n }) => test.flows.child.run({ n });
    const runId = await test.send(4);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: 40 });
    const { items } = await test.workspace.runs.list({ parent: runId });
    expect(items).toMatchObject([{ flow: "child", status: "succeeded", parentRunId: runId, parentPath: "0" }]);
  });

  it("that was only started is not waited for, and is there once", async () => {
    test.behave.parent = async () => test.flows.child.start({ n: 7 });
    const run = await test.end(await test.send());
    const { runId } = run.output as { runId: string };
    expect(await test.end(runId)).toMatchObject({ flow: "child", output: 70 });
  });

  it("hands its failure up, and is resumed with the run that waits for it", async () => {
    let repaired = false;
    test.behave.child = async ({ step }) => {
      await step("works", async () => 1);
      return step("breaks", async () => {
        if (!repaired) throw rejected("broken");
        return "mended";
      });
    };
    test.behave.parent = async () => test.flows.child.run({ n: 1 });
    const runId = await test.send();
    const failed = await test.end(runId);
    expect(failed).toMatchObject({
      status: "failed",
      failedStep: "0",
      error: { code: "SUBFLOW_FAILED", details: { code: "ACTION_REJECTED" } },
    });
    repaired = true;
    await test.engine.resume("default", runId);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: "mended" });
    const { items } = await test.workspace.runs.list({ parent: runId });
    expect(items).toMatchObject([{ status: "succeeded", resumes: 1 }]);
  });

  it("ends with the run that waits for it, when that is cancelled", async () => {
    test.behave.child = async ({ waitForSignal }) => waitForSignal("never", anything);
    test.behave.parent = async () => test.flows.child.run({ n: 1 });
    const runId = await test.send();
    await test.parked(runId);
    await expect.poll(async () => (await test.workspace.runs.list({ parent: runId })).items[0]?.status).toBe("waiting");
    await test.engine.cancel("default", runId);
    const { items } = await test.workspace.runs.list({ parent: runId });
    expect(items).toMatchObject([{ status: "cancelled" }]);
    expect(await test.end(runId)).toMatchObject({ status: "cancelled" });
  });

  it("fails visibly when flows start themselves without end, or take no such payload", async () => {
    test.behave.parent = async () => test.flows.parent.run({ n: 1 });
    expect(await test.end(await test.send())).toMatchObject({ status: "failed", error: { code: "SUBFLOW_FAILED" } });
    test.behave.parent = async () => test.flows.child.run({ n: "one" } as never);
    expect(await test.end(await test.send())).toMatchObject({ status: "failed", error: { code: "PAYLOAD_INVALID" } });
  });

  it("may be started by many items of a map at once", async () => {
    test.behave.parent = async ({ map }) =>
      map([1, 2, 3, 4, 5], async (n) => test.flows.child.run({ n }), { concurrency: 5 });
    expect(await test.end(await test.send())).toMatchObject({ output: [10, 20, 30, 40, 50] });
  });
});
