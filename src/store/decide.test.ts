import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReceiptState } from "../core/index.ts";
import { by, failed, newIntent, newStep, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";
import {
  cancelRun,
  type ClaimedRun,
  migrateRun,
  previewGroup,
  questionOf,
  receiptsDoneAnew,
  receiptsInForce,
  resumeRun,
  ruleEffect,
  type RunOutcome,
  unfitStepOf,
} from "./index.ts";

let test: TestStore;

beforeAll(async () => {
  test = await openTestStore();
});

afterAll(() => test.close());

const runOf = async (id: string) => (await test.workspace.runs.find(id))!;

/** A run that failed, or came into doubt. */
async function ended(change: Partial<RunOutcome> = {}): Promise<ClaimedRun> {
  const run = await test.begin("exe_1");
  await test.workspace.runs.finish(run.id, failed(change), by(run.epoch));
  return run;
}

async function saveReceipt(run: ClaimedRun, stepPath: string, state: ReceiptState): Promise<string> {
  const key = `${run.id}/${stepPath}`;
  await test.workspace.effects.begin(newIntent(run.id, run.epoch, { key, stepPath }));
  if (state !== "intent") await test.workspace.effects.settle(key, { state, response: null });
  return key;
}

/** A run that is in doubt at its first step, and the key of the effect. */
async function inDoubt(state: ReceiptState = "unknown"): Promise<{ run: ClaimedRun; key: string }> {
  const run = await test.begin("exe_1");
  const key = await saveReceipt(run, "0", state);
  const error = { code: "EFFECT_IN_DOUBT", message: "bank.pay may have happened", retryable: false, details: { key } };
  await test.workspace.runs.finish(run.id, failed({ status: "in_doubt", error }), by(run.epoch));
  return { run, key };
}

describe("resuming", () => {
  it("queues an ended run once", async () => {
    const { id } = await ended();
    const results = await Promise.allSettled([resumeRun(test.workspace, id), resumeRun(test.workspace, id)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await runOf(id)).toMatchObject({ status: "queued", resumes: 1, failedStep: "0" });
  });

  it("refuses a run that goes on, one that went well, and one that is not there", async () => {
    const running = await test.begin("exe_1");
    await expect(resumeRun(test.workspace, running.id)).rejects.toMatchObject({
      code: "RUN_NOT_RESUMABLE",
      hint: "Wait for it to end, or cancel it.",
    });
    await test.workspace.runs.finish(running.id, succeeded, by(running.epoch));
    await expect(resumeRun(test.workspace, running.id)).rejects.toMatchObject({
      hint: "Send the event again to run the flow anew.",
    });
    await expect(resumeRun(test.workspace, "run_none")).rejects.toMatchObject({ code: "RUN_UNKNOWN" });
  });
});

describe("the question about an effect in doubt", () => {
  it("is about the receipt that the error names, in intent or unknown", async () => {
    for (const state of ["intent", "unknown"] as const) {
      const { run, key } = await inDoubt(state);
      const receipts = await test.workspace.effects.ofRun(run.id);
      expect(questionOf(await runOf(run.id), receipts)).toMatchObject({ key, state });
    }
  });

  it("is about the first one in doubt at the failed step where the error names none, as after a map", async () => {
    const run = await test.begin("exe_1");
    await saveReceipt(run, "0", "unknown");
    await saveReceipt(run, "1.0.0", "done");
    await saveReceipt(run, "1.10.0", "unknown");
    const first = await saveReceipt(run, "1.9.0", "intent");
    const error = { code: "EFFECT_IN_DOUBT", message: "an item", retryable: false };
    await test.workspace.runs.finish(run.id, failed({ status: "in_doubt", failedStep: "1", error }), by(run.epoch));
    const receipts = await test.workspace.effects.ofRun(run.id);
    expect(questionOf(await runOf(run.id), receipts)?.key).toBe(first);
  });

  it("is asked of a failed run too when the effect cannot be taken back, at the step that failed it only", async () => {
    for (const [failedStep, asks] of [
      ["0", true],
      ["1", false],
    ] as const) {
      // oxfmt-ignore
      const run = await test.begin("exe_1");
      const key = await saveReceipt(run, "0", "unknown");
      await test.workspace.runs.finish(run.id, failed({ failedStep }), by(run.epoch));
      const question = questionOf(await runOf(run.id), await test.workspace.effects.ofRun(run.id));
      expect(question?.key).toBe(asks ? key : undefined);
    }
  });

  it("is none while the run goes on, after it was cancelled, and for what may be repeated", async () => {
    const run = await test.begin("exe_1");
    await saveReceipt(run, "0", "unknown");
    const receipts = await test.workspace.effects.ofRun(run.id);
    expect(questionOf(await runOf(run.id), receipts)).toBeNull();
    await test.workspace.runs.finish(run.id, failed(), by(run.epoch));
    const record = await runOf(run.id);
    expect(questionOf({ ...record, status: "cancelled" }, receipts)).toBeNull();
    expect(questionOf(record, receipts.map((receipt) => ({ ...receipt, effect: "write" })))).toBeNull(); // oxfmt-ignore
  });
});

describe("ruling on an effect in doubt", () => {
  it.each([
    ["done", "done", { id: 7 }],
    ["not_done", "not_done", null],
    ["try_again", "not_done", null],
  ] as const)("as %s leaves it %s, keeps who said so, and queues the run", async (word, state, response) => {
    const { run, key } = await inDoubt();
    await ruleEffect(test.workspace, run.id, { key, word, by: "usr_priya", output: { id: 7 } });
    expect(await test.workspace.effects.find(key)).toMatchObject({
      state,
      response,
      ruling: { word, by: "usr_priya", at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown },
    });
    expect(await runOf(run.id)).toMatchObject({ status: "queued", resumes: 1 });
  });

  it("counts once, also when two persons decide at the same moment", async () => {
    const { run, key } = await inDoubt();
    const words = ["done", "try_again", "not_done"] as const;
    const results = await Promise.allSettled(
      words.map((word) => ruleEffect(test.workspace, run.id, { key, word, by: word })),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    for (const reason of refused) expect(reason).toMatchObject({ code: "EFFECT_NOT_IN_DOUBT" });
    expect(await runOf(run.id)).toMatchObject({ resumes: 1 });
  });

  it("is refused while the run goes on, for an effect that is settled, and for one of another run", async () => {
    const running = await test.begin("exe_1");
    const open = await saveReceipt(running, "0", "intent");
    const word = { word: "not_done", by: null } as const;
    await expect(ruleEffect(test.workspace, running.id, { key: open, ...word })).rejects.toMatchObject({
      code: "EFFECT_NOT_IN_DOUBT",
    });
    expect(await test.workspace.effects.find(open)).toMatchObject({ state: "intent", ruling: null });
    const settled = await inDoubt("done");
    await expect(ruleEffect(test.workspace, settled.run.id, { key: settled.key, ...word })).rejects.toMatchObject({
      code: "EFFECT_NOT_IN_DOUBT",
    });
    await expect(ruleEffect(test.workspace, settled.run.id, { key: open, ...word })).rejects.toMatchObject({
      code: "EFFECT_UNKNOWN",
    });
    await expect(ruleEffect(test.workspace, "run_none", { key: open, ...word })).rejects.toMatchObject({
      code: "RUN_UNKNOWN",
    });
  });

  it("may be corrected as long as it is what failed the run", async () => {
    const { run, key } = await inDoubt();
    const rule = (word: "done" | "not_done" | "try_again") =>
      ruleEffect(test.workspace, run.id, { key, word, by: null, output: 1 });
    const failAgain = async (failedStep: string) => {
      const [again] = await test.claim("exe_2", [run.flow]);
      await test.workspace.runs.finish(run.id, failed({ failedStep }), by(again!.epoch));
    };
    await rule("done");
    await failAgain("0");
    await rule("not_done");
    expect(await test.workspace.effects.find(key)).toMatchObject({ state: "not_done", ruling: { word: "not_done" } });
    await failAgain("1");
    await expect(rule("done")).rejects.toMatchObject({ code: "EFFECT_NOT_IN_DOUBT" });
  });

  it("cannot undo what was done after a person let it be tried again", async () => {
    const { run, key } = await inDoubt();
    const rule = () => ruleEffect(test.workspace, run.id, { key, word: "try_again", by: null });
    await rule();
    const [again] = await test.claim("exe_2", [run.flow]);
    await test.workspace.effects.begin(newIntent(run.id, again!.epoch));
    await test.workspace.effects.settle(key, { state: "done", response: { id: 1 } });
    await test.workspace.runs.finish(run.id, failed(), by(again!.epoch));
    await expect(rule()).rejects.toMatchObject({ code: "EFFECT_NOT_IN_DOUBT" });
    expect(await test.workspace.effects.find(key)).toMatchObject({ state: "done", response: { id: 1 } });
  });

  it("that it is not to be done stops later attempts, and trying again allows one", async () => {
    const { effects } = test.workspace;
    const { run, key } = await inDoubt();
    await ruleEffect(test.workspace, run.id, { key, word: "not_done", by: null });
    const [again] = await test.claim("exe_2", [run.flow]);
    expect(await effects.begin(newIntent(run.id, again!.epoch))).toMatchObject({
      state: "not_done",
      ruling: { word: "not_done", by: null },
    });
    expect(await effects.find(key)).toMatchObject({ state: "not_done", attempts: 1 });
    const other = await inDoubt();
    await ruleEffect(test.workspace, other.run.id, { key: other.key, word: "try_again", by: null });
    const [anew] = await test.claim("exe_2", [other.run.flow]);
    await effects.begin(newIntent(other.run.id, anew!.epoch));
    expect(await effects.find(other.key)).toMatchObject({ state: "intent", attempts: 2 });
  });
});

const changed = (step: string) => ({
  error: {
    code: "FLOW_CHANGED", message: "was changed", retryable: false,
    details: { step, recorded: "analyse", recordedVersion: "v1", version: "v2" },
  },
}); // oxfmt-ignore

describe("migrating a run whose flow was changed", () => {
  it("keeps what is recorded before the step that does not fit, and forgets the rest", async () => {
    const run = await test.begin("exe_1");
    for (const path of ["0", "1", "1.0", "2", "10"]) {
      await test.workspace.steps.save(newStep(run.id, { path, status: "succeeded" }), run.epoch);
    }
    await saveReceipt(run, "0", "done");
    const again = [await saveReceipt(run, "1.0.0", "done"), await saveReceipt(run, "2", "unknown")];
    await saveReceipt(run, "10", "not_done");
    await test.workspace.runs.finish(run.id, failed({ ...changed("1.0"), failedStep: null }), by(run.epoch));

    const unfit = unfitStepOf(await runOf(run.id))!;
    expect(unfit).toEqual({ path: "1.0", name: "analyse", recordedVersion: "v1" });
    const receipts = await test.workspace.effects.ofRun(run.id);
    expect(receiptsDoneAnew(await runOf(run.id), unfit, receipts).map(({ key }) => key)).toEqual(again);

    await migrateRun(test.workspace, run.id);
    expect((await test.workspace.steps.ofRun(run.id)).map(({ path }) => path)).toEqual(["0"]);
    const [claimed] = await test.claim("exe_2", [run.flow]);
    expect(claimed).toMatchObject({ id: run.id, failedStep: "1", cuts: [1] });
    // What it did before is done once more under other keys, and is no question of a second migration.
    expect(receiptsDoneAnew(await runOf(run.id), unfit, receipts)).toEqual([]);
    expect(receiptsInForce(await runOf(run.id), receipts).map(({ key }) => key)).toEqual([`${run.id}/0`]);
    await expect(migrateRun(test.workspace, run.id)).rejects.toMatchObject({ code: "RUN_NOT_MIGRATABLE" });
  });

  it("is refused for any other failure, and leaves its steps as they are", async () => {
    const run = await test.begin("exe_1");
    await test.workspace.steps.save(newStep(run.id, { status: "failed" }), run.epoch);
    await test.workspace.runs.finish(run.id, failed(), by(run.epoch));
    await expect(migrateRun(test.workspace, run.id)).rejects.toMatchObject({ code: "RUN_NOT_MIGRATABLE" });
    expect(await test.workspace.steps.ofRun(run.id)).toHaveLength(1);
    await expect(migrateRun(test.workspace, "run_none")).rejects.toMatchObject({ code: "RUN_UNKNOWN" });
  });
});

describe("cancelling", () => {
  it("ends a run and the sub-flows that it waits for, but not those that it only started", async () => {
    const parent = await test.begin("exe_1");
    const { steps } = test.workspace;
    await steps.save(newStep(parent.id, { path: "0", kind: "run", status: "succeeded" }), parent.epoch);
    await steps.save(newStep(parent.id, { path: "1", kind: "run", status: "waiting" }), parent.epoch);
    const childOf = (runId: string, path: string) => test.begin("exe_1", { parent: { runId, path, depth: 1 } });
    const [started, awaited] = [await childOf(parent.id, "0"), await childOf(parent.id, "1")];
    await steps.save(newStep(awaited.id, { path: "3", kind: "run", status: "waiting" }), awaited.epoch);
    const grandchild = await childOf(awaited.id, "3");

    const told: string[] = [];
    await cancelRun(test.workspace, parent.id, (id) => void told.push(id));
    expect(told).toEqual([parent.id, awaited.id, grandchild.id]);
    const statuses = await Promise.all(
      [parent, awaited, grandchild, started].map(async ({ id }) => (await runOf(id)).status),
    );
    expect(statuses).toEqual(["cancelled", "cancelled", "cancelled", "running"]);
    await expect(cancelRun(test.workspace, parent.id)).rejects.toMatchObject({
      code: "RUN_NOT_CANCELLABLE",
      message: `run "${parent.id}" is cancelled; it has ended`,
    });
    await expect(cancelRun(test.workspace, "run_none")).rejects.toMatchObject({ code: "RUN_UNKNOWN" });
  });
});

describe("failures of one kind", () => {
  it("are one group, with the name of the step and the latest run", async () => {
    const fingerprint = "00000000000000a1";
    const first = await ended({ fingerprint });
    await ended({ fingerprint: "00000000000000a2", status: "in_doubt" });
    const last = await ended({ fingerprint, failedStep: "4" });
    await test.workspace.runs.finish((await test.begin("exe_1")).id, succeeded, by(null));
    const groups = await test.workspace.runs.failures(100);
    const group = groups.find((one) => one.fingerprint === fingerprint);
    expect(group).toMatchObject({ flow: last.flow, step: null, status: "failed", count: 2, runId: last.id });
    expect(group!.firstAt <= group!.lastAt).toBe(true);
    expect(await test.workspace.runs.failuresOf(fingerprint)).toEqual(group);
    expect(await test.workspace.runs.failuresOf("00000000000000ff")).toBeNull();
    expect(groups.find((one) => one.fingerprint === "00000000000000a2")).toMatchObject({
      status: "in_doubt",
      count: 1,
    });
    expect(groups[0]!.lastAt >= groups.at(-1)!.lastAt).toBe(true);
    const listed = await test.workspace.runs.list({ fingerprint });
    expect(listed.items.map(({ id }) => id)).toEqual([last.id, first.id]);
  });

  it("are previewed: which effects of all of them would be done again", async () => {
    const fingerprint = "00000000000000b1";
    const run = await test.begin("exe_1");
    const { steps, runs } = test.workspace;
    await steps.save(newStep(run.id, { path: "0", status: "succeeded" }), run.epoch);
    await steps.save(newStep(run.id, { path: "1.0.0", status: "succeeded" }), run.epoch);
    await steps.save(newStep(run.id, { path: "1", status: "failed" }), run.epoch);
    for (const path of ["0", "1.0.0"]) await saveReceipt(run, path, "done");
    const again = [await saveReceipt(run, "1.1.0", "unknown"), await saveReceipt(run, "2", "done")];
    await runs.finish(run.id, failed({ fingerprint, failedStep: "1" }), by(run.epoch));
    await ended({ fingerprint });
    const preview = await previewGroup(test.workspace, fingerprint);
    expect(preview?.group.count).toBe(2);
    expect(preview?.runs).toHaveLength(2);
    expect(preview?.receipts.map(({ key }) => key)).toEqual(again);
    expect(await previewGroup(test.workspace, "00000000000000ff")).toBeNull();
  });

  it("are resumed together, by several callers at once, each run once", async () => {
    const fingerprint = "00000000000000c1";
    const ids = [];
    for (let count = 0; count < 12; count += 1) ids.push((await ended({ fingerprint })).id);
    const { runs } = test.workspace;
    const counts = await Promise.all([1, 2, 3].map(() => runs.reopenGroup(fingerprint, null, 10_000)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(12);
    for (const id of ids) expect(await runOf(id)).toMatchObject({ status: "queued", resumes: 1, fingerprint: null });
    expect(await runs.failuresOf(fingerprint)).toBeNull();
  });

  it("are resumed as far as asked: the newest first, or only some, and none of another group", async () => {
    const fingerprint = "00000000000000d1";
    const other = await ended({ fingerprint: "00000000000000d2" });
    const [a, b, c] = [await ended({ fingerprint }), await ended({ fingerprint }), await ended({ fingerprint })];
    const { runs } = test.workspace;
    expect(await runs.reopenGroup(fingerprint, null, 1)).toBe(1);
    expect((await runOf(c.id)).status).toBe("queued");
    expect(await runs.reopenGroup(fingerprint, [a.id, other.id, c.id, "run_none"], 10)).toBe(1);
    const statuses = await Promise.all([a, b, other].map(async ({ id }) => (await runOf(id)).status));
    expect(statuses).toEqual(["queued", "failed", "failed"]);
  });

  it("wake a process at once when they are resumed", async () => {
    let wakes = 0;
    const presence = await test.store.processes.register({
      executor: "exe_waiting", role: "worker", flows: [], onLost: () => {}, onWake: () => void (wakes += 1),
    }); // oxfmt-ignore
    const fingerprint = "00000000000000e1";
    await ended({ fingerprint });
    await test.workspace.runs.reopenGroup(fingerprint, null, 10);
    await expect.poll(() => wakes).toBe(1);
    await presence.release();
  });
});
