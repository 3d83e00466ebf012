import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { by, failed, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";

let test: TestStore;

beforeAll(async () => {
  test = await openTestStore();
});

afterAll(() => test.close());

const statusOf = async (id: string) => (await test.workspace.runs.find(id))?.status;
const past = () => new Date(Date.now() - 1000);

describe("a parked run", () => {
  it("belongs to no process and waits until a signal comes, which queues it at once", async () => {
    const { id, epoch, flow } = await test.begin("exe_1");
    const { runs, signals } = test.workspace;
    expect(await runs.park(id, { wakeAt: null, signals: 0 }, epoch)).toBe(true);
    expect(await runs.find(id)).toMatchObject({ status: "waiting", executor: null, wakeAt: null });
    expect(await test.next(flow)).toBeUndefined();
    expect(await signals.send(id, "approved", { by: "Priya" })).toBe(true);
    expect(await statusOf(id)).toBe("queued");
    expect(await signals.find(id, "approved")).toEqual({ value: { of: { by: "Priya" } }, count: 1 });
    const [again] = await test.claim("exe_2", [flow]);
    expect(again).toMatchObject({ id, begun: true, signals: 1 });
    expect(again!.epoch).toBeGreaterThan(epoch);
  });

  it("is queued at once when a signal came that its execution has not seen", async () => {
    const { id, epoch } = await test.begin("exe_1");
    await test.workspace.signals.send(id, "approved", 1);
    expect(await statusOf(id)).toBe("running");
    await test.workspace.runs.park(id, { wakeAt: new Date(Date.now() + 60_000), signals: 0 }, epoch);
    expect(await test.workspace.runs.find(id)).toMatchObject({ status: "queued", executor: null, wakeAt: null });
  });

  it("misses no signal that comes while it is being parked", async () => {
    for (let round = 0; round < 30; round += 1) {
      const { id, epoch } = await test.begin("exe_1");
      await Promise.all([
        test.workspace.runs.park(id, { wakeAt: null, signals: 0 }, epoch),
        test.workspace.signals.send(id, "approved", round),
      ]);
      expect(await statusOf(id)).toBe("queued");
    }
  });

  it("fences off the execution that parked it", async () => {
    const { id, epoch } = await test.begin("exe_1");
    await test.workspace.runs.park(id, { wakeAt: null, signals: 0 }, epoch);
    expect(await test.workspace.runs.finish(id, succeeded, by(epoch))).toBe(false);
    expect(await statusOf(id)).toBe("waiting");
  });

  it("keeps the first signal of a name, and is not woken by a second", async () => {
    const { id, epoch, flow } = await test.begin("exe_1");
    const { runs, signals } = test.workspace;
    expect(await signals.send(id, "approved", 1)).toBe(true);
    expect(await signals.send(id, "approved", 2)).toBe(false);
    expect(await signals.find(id, "approved")).toEqual({ value: { of: 1 }, count: 1 });
    expect(await signals.find(id, "other")).toEqual({ value: null, count: 1 });
    await runs.park(id, { wakeAt: null, signals: 1 }, epoch);
    expect(await signals.send(id, "approved", 3)).toBe(false);
    expect(await test.next(flow)).toBeUndefined();
  });

  it("is woken when its time has come, and no sooner", async () => {
    const [due, later] = [await test.begin("exe_1"), await test.begin("exe_1")];
    const { runs } = test.workspace;
    await runs.park(due.id, { wakeAt: past(), signals: 0 }, due.epoch);
    const tomorrow = new Date(Date.now() + 86_400_000);
    await runs.park(later.id, { wakeAt: tomorrow, signals: 0 }, later.epoch);
    expect(await test.store.dispatch.wakeDue()).toBe(1);
    expect(await runs.find(due.id)).toMatchObject({ status: "queued", wakeAt: null });
    expect(await runs.find(later.id)).toMatchObject({ status: "waiting", wakeAt: tomorrow });
    expect(await test.store.dispatch.wakeDue()).toBe(0);
  });

  it("is cancelled by a person as any other", async () => {
    const { id, epoch } = await test.begin("exe_1");
    const { runs, signals } = test.workspace;
    await runs.park(id, { wakeAt: past(), signals: 0 }, epoch);
    await runs.finish(id, { ...succeeded, status: "cancelled" }, by(null));
    expect(await test.store.dispatch.wakeDue()).toBe(0);
    await signals.send(id, "approved", 1);
    expect(await statusOf(id)).toBe("cancelled");
  });

  it("goes on when its flow's code is another one than it began with, if that is asked for", async () => {
    const { id, epoch, flow } = await test.begin("exe_1");
    const { dispatch } = test.store;
    await dispatch.release("exe_1");
    const claim = { executor: "exe_1", flows: [{ flow, inFlight: 0 }], limit: 1, suspects: false };
    const [run] = await dispatch.claim({ ...claim, versions: { [flow]: "v1" } });
    expect(run).toMatchObject({ id, flowVersion: null });
    expect(run!.epoch).toBeGreaterThan(epoch);
    await test.workspace.runs.park(id, { wakeAt: null, signals: 0 }, run!.epoch);
    expect(await test.workspace.runs.recheck(flow, "v1")).toBe(0);
    expect(await test.workspace.runs.recheck(flow, "v2")).toBe(1);
    const [again] = await dispatch.claim({ ...claim, versions: { [flow]: "v2" } });
    expect(again).toMatchObject({ id, flowVersion: "v1" });
  });
});

const subflowOf = (parent: { id: string }, path = "0") =>
  test.begin("exe_child", { parent: { runId: parent.id, path, depth: 1 } });

describe("the end of a sub-flow", () => {
  it("queues the parked run that waits for it", async () => {
    const parent = await test.begin("exe_1");
    const child = await subflowOf(parent);
    expect(child).toMatchObject({ parentRunId: parent.id, depth: 1 });
    const { runs } = test.workspace;
    expect(await runs.ofStep(parent.id, "0")).toMatchObject({ id: child.id });
    await runs.park(parent.id, { wakeAt: null, signals: 0 }, parent.epoch);
    await runs.finish(child.id, failed(), by(child.epoch, parent.id));
    expect(await statusOf(parent.id)).toBe("queued");
    expect(await test.workspace.signals.count(parent.id)).toBe(1);
  });

  it("is not missed when both change in one flush, whichever comes first", async () => {
    for (const order of ["parent first", "child first"]) {
      const parent = await test.begin("exe_1");
      const child = await subflowOf(parent);
      const { runs } = test.workspace;
      const park = () => runs.park(parent.id, { wakeAt: null, signals: 0 }, parent.epoch);
      const end = () => runs.finish(child.id, succeeded, by(child.epoch, parent.id));
      const both = order === "parent first" ? [park(), end()] : [end(), park()];
      expect(await Promise.all(both)).toEqual([true, true]);
      expect(await statusOf(parent.id)).toBe("queued");
    }
  });

  it("of many sub-flows at once queues their parent once", async () => {
    const parent = await test.begin("exe_1");
    const children = [];
    for (const path of ["0", "1", "2"]) children.push(await subflowOf(parent, path));
    const { runs } = test.workspace;
    await runs.park(parent.id, { wakeAt: null, signals: 0 }, parent.epoch);
    await Promise.all(children.map(({ id, epoch }) => runs.finish(id, succeeded, by(epoch, parent.id))));
    const [again, ...others] = await test.claim("exe_2", [parent.flow]);
    expect([again?.id, others]).toEqual([parent.id, []]);
  });

  it("leaves a parent alone that has ended", async () => {
    const parent = await test.begin("exe_1");
    const child = await subflowOf(parent);
    const { runs } = test.workspace;
    await runs.finish(parent.id, succeeded, by(parent.epoch));
    await runs.finish(child.id, succeeded, by(child.epoch, parent.id));
    expect(await statusOf(parent.id)).toBe("succeeded");
  });
});
