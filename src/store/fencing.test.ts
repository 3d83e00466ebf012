import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordCall } from "./fixtures/ai-call.ts";
import { by, failed, newIntent, newStep, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";

let test: TestStore;

beforeAll(async () => {
  test = await openTestStore();
});

afterAll(() => test.close());

/** A run that one process began, and another one took over while the first was away. */
async function takenOver() {
  const stale = await test.begin("exe_frozen");
  await test.store.dispatch.adopt("exe_frozen");
  const [own] = await test.claim("exe_living", [stale.flow]);
  return { stale, own: own! };
}

describe("an execution whose run was taken over", () => {
  it("writes no step, alone or in one flush with the run's own execution", async () => {
    const { stale, own } = await takenOver();
    expect(own.epoch).toBeGreaterThan(stale.epoch);
    const { steps } = test.workspace;
    expect(await steps.save(newStep(stale.id, { output: "stale" }), stale.epoch)).toBe(false);
    expect(await steps.ofRun(stale.id)).toEqual([]);
    const together = [own, stale, own, stale].map(({ epoch }, at) =>
      steps.save(newStep(stale.id, { output: `${epoch} at ${at}` }), epoch),
    );
    expect(await Promise.all(together)).toEqual([true, false, true, false]);
    expect(await steps.ofRun(stale.id)).toMatchObject([{ output: `${own.epoch} at 2` }]);
  });

  it("changes nothing of the run, alone or in one flush with the run's own execution", async () => {
    const { stale, own } = await takenOver();
    const { runs } = test.workspace;
    expect(await runs.setStatus(stale.id, "waiting", stale.epoch)).toBe(false);
    expect(await runs.park(stale.id, { wakeAt: null, signals: 0 }, stale.epoch)).toBe(false);
    expect(await runs.finish(stale.id, succeeded, by(stale.epoch))).toBe(false);
    expect(await runs.find(stale.id)).toMatchObject({ status: "running", executor: "exe_living", finishedAt: null });
    const together = [
      runs.setStatus(stale.id, "waiting", own.epoch),
      runs.setStatus(stale.id, "running", own.epoch),
      runs.finish(stale.id, failed(), by(stale.epoch)),
      runs.finish(stale.id, succeeded, by(own.epoch)),
      runs.setStatus(stale.id, "running", stale.epoch),
    ];
    expect(await Promise.all(together)).toEqual([true, true, false, true, false]);
    expect(await runs.find(stale.id)).toMatchObject({ status: "succeeded", output: succeeded.output });
  });

  it("wakes no parent by an end that does not count", async () => {
    const parent = await test.begin("exe_parent");
    const child = await test.begin("exe_frozen", { parent: { runId: parent.id, path: "0", depth: 1 } });
    await test.store.dispatch.adopt("exe_frozen");
    await test.workspace.runs.finish(child.id, succeeded, by(child.epoch, parent.id));
    expect(await test.workspace.signals.count(parent.id)).toBe(0);
  });

  it("[R4] begins no effect: nothing may be done outside", async () => {
    const { stale, own } = await takenOver();
    const { effects } = test.workspace;
    await expect(effects.begin(newIntent(stale.id, stale.epoch))).rejects.toMatchObject({ code: "RUN_TAKEN_OVER" });
    expect(await effects.ofRun(stale.id)).toEqual([]);
    expect(await effects.begin(newIntent(stale.id, own.epoch))).toBeNull();
    await expect(effects.begin(newIntent(stale.id, stale.epoch))).rejects.toMatchObject({ code: "RUN_TAKEN_OVER" });
    expect(await effects.ofRun(stale.id)).toMatchObject([{ state: "intent", attempts: 1 }]);
  });

  it("sends nothing to a model", async () => {
    const { stale, own } = await takenOver();
    const { aiCalls } = test.workspace;
    await expect(recordCall(test.workspace, stale)).rejects.toMatchObject({ code: "RUN_TAKEN_OVER" });
    expect(await aiCalls.ofRun(stale.id)).toEqual([]);
    const id = await recordCall(test.workspace, own);
    expect(await aiCalls.ofRun(stale.id)).toMatchObject([{ id, status: "succeeded" }]);
  });

  it("[R4] settles an effect only as done: it does not know what was tried since", async () => {
    const { effects } = test.workspace;
    const stale = await test.begin("exe_frozen");
    await effects.begin(newIntent(stale.id, stale.epoch));
    await test.store.dispatch.adopt("exe_frozen");
    const [own] = await test.claim("exe_living", [stale.flow]);
    await effects.begin(newIntent(stale.id, own!.epoch));
    const key = `${stale.id}/0`;
    for (const state of ["not_done", "unknown"] as const) {
      await effects.settle(key, { state, response: null, epoch: stale.epoch });
      expect(await effects.find(key)).toMatchObject({ state: "intent", attempts: 2 });
    }
    await effects.settle(key, { state: "done", response: { id: 1 }, epoch: stale.epoch });
    expect(await effects.find(key)).toMatchObject({ state: "done", response: { id: 1 } });
    await effects.settle(key, { state: "unknown", response: null, epoch: own!.epoch });
    expect(await effects.find(key)).toMatchObject({ state: "done" });
  });

  it("[R4] begins no effect either while it is being taken over", async () => {
    for (let round = 0; round < 20; round += 1) {
      const { id, epoch } = await test.begin("exe_frozen");
      const [begun] = await Promise.allSettled([
        test.workspace.effects.begin(newIntent(id, epoch)),
        test.store.dispatch.adopt("exe_frozen"),
      ]);
      // Whoever takes it over afterwards sees the intent, or there is none.
      expect(await test.workspace.effects.ofRun(id)).toHaveLength(begun.status === "fulfilled" ? 1 : 0);
    }
  });
});

describe("a person's decision", () => {
  it("to cancel stands over what the run's execution writes in the same flush", async () => {
    const run = await test.begin("exe_1");
    const { runs } = test.workspace;
    const cancelled = { ...succeeded, status: "cancelled", output: null } as const;
    const written = await Promise.all([
      runs.finish(run.id, cancelled, by(null)),
      runs.setStatus(run.id, "waiting", run.epoch),
      runs.park(run.id, { wakeAt: null, signals: 0 }, run.epoch),
      runs.finish(run.id, succeeded, by(run.epoch)),
    ]);
    expect(written).toEqual([true, false, false, false]);
    expect(await runs.find(run.id)).toMatchObject({ status: "cancelled" });
  });

  it("to cancel reports false when the run ended first in the same flush", async () => {
    const run = await test.begin("exe_1");
    const { runs } = test.workspace;
    const cancelled = { ...succeeded, status: "cancelled", output: null } as const;
    const written = [runs.finish(run.id, succeeded, by(run.epoch)), runs.finish(run.id, cancelled, by(null))];
    expect(await Promise.all(written)).toEqual([true, false]);
    expect(await runs.find(run.id)).toMatchObject({ status: "succeeded" });
  });

  it("to resume fences off the execution of before", async () => {
    const run = await test.begin("exe_1");
    const { runs, steps } = test.workspace;
    await runs.finish(run.id, failed(), by(run.epoch));
    expect(await runs.reopen(run.id)).toBe(true);
    expect(await runs.reopen(run.id)).toBe(false);
    expect(await steps.save(newStep(run.id), run.epoch)).toBe(false);
    expect(await runs.find(run.id)).toMatchObject({ status: "queued", resumes: 1, failedStep: "0", error: null });
  });
});
