import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findValues, readAllTables } from "../../test/support/stored-text.ts";
import { anything, openTestEngine } from "./fixtures/test-engine.ts";

let test: Awaited<ReturnType<typeof openTestEngine>>;
let client: Client;

beforeAll(async () => {
  test = await openTestEngine();
  client = new Client({ connectionString: test.database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await test.close();
});

/** A parked run of which a step is recorded. */
async function parkedAfterStep(secret: string, calls: string[]): Promise<string> {
  test.behave.parent = async ({ step, waitForSignal }) => {
    const value = await step("look up", async () => {
      calls.push("look up");
      return { secret };
    });
    await waitForSignal("go", anything);
    return value;
  };
  const runId = await test.send();
  await test.parked(runId);
  return runId;
}

const planted = "Zebulon-7f3a";

describe("what the engine beneath records", () => {
  it("[R8] holds nothing of what steps, maps, signals and sub-flows give, and is replayed", async () => {
    const calls: string[] = [];
    test.behave.child = async () => `${planted}-child`;
    test.behave.parent = async ({ step, map, waitForSignal }) => {
      const first = await step("look up", async () => {
        calls.push("look up");
        return { secret: `${planted}-step` };
      });
      const items = await map([1], () => step("inside", async () => `${planted}-item`));
      const below = await test.flows.child.run({ n: 1 });
      const signal = await waitForSignal("go", anything);
      return [first, items, below, signal];
    };
    const runId = await test.send();
    await test.parked(runId);
    await test.engine.signal("default", runId, "go", `${planted}-signal`);
    expect(await test.end(runId)).toMatchObject({
      status: "succeeded",
      output: [{ secret: `${planted}-step` }, [`${planted}-item`], `${planted}-child`, `${planted}-signal`],
    });
    expect(calls).toEqual(["look up"]);
    const tables = await readAllTables(client);
    expect(tables.get("sluice_engine.operation_outputs")).toContain("look up");
    expect(findValues(tables, [planted])).toEqual([]);
  });

  it("is replayed by the next process, which has to open it", async () => {
    const calls: string[] = [];
    const runId = await parkedAfterStep(planted, calls);
    await test.reopen();
    await test.engine.signal("default", runId, "go", null);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded", output: { secret: planted } });
    expect(calls).toEqual(["look up"]);
  });

  it.each([
    ["its records", "update sluice_engine.operation_outputs set output = '\"sluice:1:AAAA\"' where workflow_uuid = "],
    ["its steps", "update sluice.steps set output = '\"sluice:1:AAAA\"' where status = 'succeeded' and run_id = "],
  ])(
    "lets a run fail of which somebody changed %s, once and for all, and does nothing again",
    async (_what, change) => {
      const calls: string[] = [];
      const runId = await parkedAfterStep(planted, calls);
      await test.database.query(`${change} '${runId}'`);
      await test.engine.signal("default", runId, "go", null);
      expect(await test.end(runId)).toMatchObject({ status: "failed", error: { code: "CONTENT_UNREADABLE" } });
      expect(calls).toEqual(["look up"]);
    },
  );
});

describe("a run whose content was erased", () => {
  it("[R8] is gone from the records beneath, cannot be resumed, and fails without a step should it be executed", async () => {
    const calls: string[] = [];
    const runId = await parkedAfterStep(planted, calls);
    await test.engine.cancel("default", runId);
    await test.workspace.content.erase([runId]);
    const { rows } = await client.query("select 1 from sluice_engine.operation_outputs where workflow_uuid = $1", [
      runId,
    ]);
    expect(rows).toEqual([]);
    await expect(test.engine.resume("default", runId)).rejects.toMatchObject({ code: "CONTENT_ERASED" });

    // As somebody does who resumes a group of which it is one.
    await test.workspace.runs.reopen(runId);
    await test.reopen();
    expect(await test.end(runId)).toMatchObject({ status: "failed", error: { code: "CONTENT_ERASED" }, output: null });
    expect(calls).toEqual(["look up"]);
  });

  it("is not one that still waits", async () => {
    const runId = await parkedAfterStep(planted, []);
    await expect(test.workspace.content.erase([runId])).rejects.toMatchObject({ code: "SUBJECT_BUSY" });
    await test.engine.signal("default", runId, "go", null);
    expect(await test.end(runId)).toMatchObject({ status: "succeeded" });
    expect(await test.workspace.content.erase([runId])).toBe(1);
  });
});
