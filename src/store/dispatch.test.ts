import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testKey } from "../../test/support/database.ts";
import { by, newEvent, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";
import { openStore } from "./index.ts";

let test: TestStore;
let client: Client;

beforeAll(async () => {
  test = await openTestStore();
  client = new Client({ connectionString: test.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await test.close();
});

const times = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

describe("claiming", () => {
  it("gives no run to two processes", async () => {
    await Promise.all(times(20, () => test.queue({ flow: "shared" })));
    const claims = await Promise.all(["a", "b", "c"].map((executor) => test.claim(executor, ["shared"])));
    const ids = claims.flat().map((run) => run.id);
    expect(ids).toHaveLength(20);
    expect(new Set(ids).size).toBe(20);
  });

  it("gives all that an execution needs", async () => {
    const runId = await test.queue({ flow: "complete", payload: { lone: "\ud800" } });
    const claim = { executor: "a", flows: [{ flow: "complete", inFlight: 0 }], limit: 5, suspects: false };
    expect(await test.store.dispatch.claim({ ...claim, versions: { complete: "v1" } })).toEqual([
      {
        workspaceId: "default", id: runId, flow: "complete", flowVersion: null, epoch: 1, begun: false, suspicion: 0, blames: 0, resumes: 0,
        failedStep: null, signals: 0, cuts: [], depth: 0, parentRunId: null, payload: { lone: "\ud800" },
        contentKey: expect.any(String), lost: null,
      }, // oxfmt-ignore
    ]);
    expect(await test.workspace.runs.find(runId)).toMatchObject({
      status: "running",
      executor: "a",
      flowVersion: "v1",
    });
  });

  it("takes only runs of the flows that the process knows", async () => {
    const runId = await test.queue({ flow: "elsewhere" });
    expect(await test.claim("a", ["here"])).toEqual([]);
    expect(await test.next("elsewhere")).toBe(runId);
  });

  it("is fair: a flow with a hundred queued runs does not starve another one", async () => {
    await Promise.all(times(100, () => test.queue({ flow: "flood" })));
    const lone = await test.queue({ flow: "trickle" });
    const claimed = await test.claim("a", ["flood", "trickle"], { limit: 4 });
    expect(claimed.map(({ id }) => id)).toContain(lone);
    expect(claimed).toHaveLength(4);
    await test.claim("a", ["flood"]);
  });

  it("counts what a process has under way as turns that a flow has had", async () => {
    await Promise.all(times(10, (at) => test.queue({ flow: at % 2 === 0 ? "busy" : "idle" })));
    const flows = [
      { flow: "busy", inFlight: 2 },
      { flow: "idle", inFlight: 0 },
    ];
    const claimed = await test.store.dispatch.claim({
      executor: "a",
      flows,
      versions: {},
      limit: 4,
      suspects: false,
    });
    expect(claimed.map(({ flow }) => flow).toSorted()).toEqual(["busy", "idle", "idle", "idle"]);
  });

  it("goes by priority first, then by age", async () => {
    const old = await test.queue({ flow: "ranked", priority: 1, receivedAt: new Date(Date.now() - 60_000) });
    const [batch, young, interactive] = [
      await test.queue({ flow: "ranked", priority: 2, receivedAt: new Date(0) }),
      await test.queue({ flow: "ranked", priority: 1 }),
      await test.queue({ flow: "ranked", priority: 0 }),
    ];
    const order = [];
    for (let count = 0; count < 4; count += 1) order.push(await test.next("ranked"));
    expect(order).toEqual([interactive, old, young, batch]);
  });

  it("puts an interactive run of one flow before standard ones of all others", async () => {
    await Promise.all(times(5, () => test.queue({ flow: "standard" })));
    const first = await test.queue({ flow: "urgent", priority: 0 });
    const claimed = await test.claim("a", ["standard", "urgent"], { limit: 1 });
    expect(claimed.map(({ id }) => id)).toEqual([first]);
  });

  it("leaves runs of the sandbox to processes with stand-ins, and real ones to real processes", async () => {
    const stand = await openStore({ url: test.url, key: testKey, sandbox: true, onError: () => {} });
    try {
      const { runId } = await stand.workspace("default").events.accept({
        ...newEvent(),
        flow: "both",
      });
      const real = await test.queue({ flow: "both" });
      const claim = { flows: [{ flow: "both", inFlight: 0 }], versions: {}, limit: 9, suspects: false };
      const taken = await stand.dispatch.claim({ ...claim, executor: "s" });
      expect(taken.map((run) => run.id)).toEqual([runId]);
      expect(await test.next("both")).toBe(real);
    } finally {
      await stand.close();
    }
  });
});

function limited(flow: string, limits: { concurrency?: number; rate?: { limit: number; perMs: number } }) {
  return (executor: string, limit = 100) =>
    test.store.dispatch.claimLimited(
      { executor, limit, flows: [{ flow, inFlight: 0 }], versions: {}, suspects: false },
      { flow, concurrency: limits.concurrency ?? null, rate: limits.rate ?? null },
    );
}

describe("a flow with limits", () => {
  it("has no more runs of a key under way than its limit says, over all processes", async () => {
    const claim = limited("keyed", { concurrency: 2 });
    const customers = ["ada", "ada", "ada", "ada", "bob"];
    for (const concurrencyKey of customers) await test.queue({ flow: "keyed", concurrencyKey });
    const claims = (await Promise.all(["a", "b", "c"].map((executor) => claim(executor)))).flat();
    const { rows } = await client.query<{ id: string; key: string }>(
      "select id, concurrency_key as key from sluice.runs where id = any($1) order by key",
      [claims.map(({ id }) => id)],
    );
    const byKey = [...Map.groupBy(rows, ({ key }) => key)].toSorted(([, a], [, b]) => b.length - a.length);
    expect(byKey.map(([, runs]) => runs.length)).toEqual([2, 1]);
    // Keys may be addresses of people.
    expect(byKey.map(([key]) => key).join()).not.toMatch(/ada|bob/);
    expect(await claim("a")).toEqual([]);
    await test.workspace.runs.finish(byKey[0]![1][0]!.id, succeeded, by(1));
    expect(await claim("b")).toHaveLength(1);
  });

  it("does not count runs that are parked", async () => {
    const claim = limited("parking", { concurrency: 1 });
    for (let count = 0; count < 2; count += 1) await test.queue({ flow: "parking", concurrencyKey: "" });
    const [first] = await claim("a");
    expect(await claim("a")).toEqual([]);
    await test.workspace.runs.park(first!.id, { wakeAt: null, signals: 0 }, first!.epoch);
    expect(await claim("a")).toHaveLength(1);
  });

  it("does not let a key with a long queue stand before others", async () => {
    const claim = limited("long", { concurrency: 1 });
    await Promise.all(times(50, () => test.queue({ flow: "long", concurrencyKey: "hoarder" })));
    const other = await test.queue({ flow: "long", concurrencyKey: "other" });
    expect((await claim("a", 2)).map(({ id }) => id)).toContain(other);
  });

  it("begins no more runs in a window than its rate says, over all processes", async () => {
    const claim = limited("paced", { rate: { limit: 3, perMs: 60_000 } });
    await Promise.all(times(8, () => test.queue({ flow: "paced", concurrencyKey: "" })));
    const claims = await Promise.all(["a", "b"].map((executor) => claim(executor)));
    expect(claims.flat()).toHaveLength(3);
    expect(await claim("a")).toEqual([]);
    await client.query("update sluice.flow_starts set started_at = now() - interval '61 s' where flow = 'paced'");
    expect(await claim("a")).toHaveLength(3);
  });

  it("counts a run in its rate once, however often it goes on", async () => {
    const claim = limited("resumed", { rate: { limit: 1, perMs: 60_000 } });
    await test.queue({ flow: "resumed", concurrencyKey: "" });
    const [run] = await claim("a");
    await test.workspace.runs.park(run!.id, { wakeAt: null, signals: 0 }, run!.epoch);
    await client.query("update sluice.flow_starts set started_at = now() - interval '61 s' where flow = 'resumed'");
    await test.workspace.signals.send(run!.id, "go", 1);
    expect(await claim("a")).toHaveLength(1);
    const { rows } = await client.query("select 1 from sluice.flow_starts where flow = 'resumed'");
    expect(rows).toEqual([]);
  });

  it("takes runs in that were queued before it had limits", async () => {
    const claim = limited("newly-limited", { concurrency: 5 });
    const runId = await test.queue({ flow: "newly-limited" });
    expect(await claim("a")).toEqual([]);
    await test.store.dispatch.adoptLimit("newly-limited");
    expect((await claim("a")).map(({ id }) => id)).toEqual([runId]);
  });
});

describe("giving back", () => {
  it("queues what a dead process had under way, counts the death, and leaves parked and ended runs alone", async () => {
    const [running, parked, ended] = [await test.begin("dead"), await test.begin("dead"), await test.begin("dead")];
    const { runs } = test.workspace;
    await runs.park(parked.id, { wakeAt: null, signals: 0 }, parked.epoch);
    await runs.finish(ended.id, succeeded, by(ended.epoch));
    expect(await test.store.dispatch.adopt("dead")).toBe(1);
    expect(await test.store.dispatch.adopt("dead")).toBe(0);
    expect(await runs.find(running.id)).toMatchObject({ status: "queued", executor: null, recoveries: 1 });
    expect(await runs.find(parked.id)).toMatchObject({ status: "waiting", recoveries: 0 });
    expect(await runs.find(ended.id)).toMatchObject({ status: "succeeded", recoveries: 0 });
  });

  it("by a process that ends in good order counts no death", async () => {
    const { id } = await test.begin("leaving");
    expect(await test.store.dispatch.release("leaving")).toBe(1);
    expect(await test.workspace.runs.find(id)).toMatchObject({ status: "queued", executor: null, recoveries: 0 });
  });

  it("queues runs that a process holds without knowing, once a claim can no longer be on its way", async () => {
    const [known, lost, fresh] = [await test.begin("deaf"), await test.begin("deaf"), await test.begin("deaf")];
    const { dispatch } = test.store;
    expect(await dispatch.releaseLost("deaf", [known.id])).toBe(0);
    await client.query("update sluice.runs set claimed_at = now() - interval '11 s' where id = any($1)", [
      [known.id, lost.id],
    ]);
    expect(await dispatch.releaseLost("deaf", [known.id])).toBe(1);
    const statuses = await Promise.all(
      [known, lost, fresh].map(async ({ id }) => (await test.workspace.runs.find(id))?.status),
    );
    expect(statuses).toEqual(["running", "queued", "running"]);
  });

  it("keeps a run apart whose process died twice under it", async () => {
    const flow = "deadly";
    const suspect = await test.begin("victim 1", { flow });
    await test.store.dispatch.adopt("victim 1");
    await test.claim("victim 2", [flow]);
    await test.store.dispatch.adopt("victim 2");
    const neighbour = await test.queue({ flow });
    expect((await test.claim("a", [flow])).map(({ id }) => id)).toEqual([neighbour]);
    const apart = await test.claim("a", [flow], { suspects: true });
    expect(apart).toMatchObject([{ id: suspect.id, suspicion: 2, blames: 0 }]);
  });

  it("blames a run only when it was the only one under suspicion as its process died", async () => {
    const flow = "blamed";
    const dieUnder = async (executor: string) => {
      await test.claim(executor, [flow], { suspects: true });
      await test.store.dispatch.adopt(executor);
    };
    const suspicionOf = async () =>
      (await client.query("select suspicion, blames from sluice.runs where flow = $1 order by id", [flow])).rows;
    const now = Date.now();
    for (const ageMs of [2000, 1000]) await test.queue({ flow, receivedAt: new Date(now - ageMs) });
    for (const executor of ["victim 1", "victim 2"]) {
      await test.claim(executor, [flow]);
      await test.store.dispatch.adopt(executor);
    }
    await dieUnder("victim 3");
    expect(await suspicionOf()).toEqual([
      { suspicion: 3, blames: 0 },
      { suspicion: 3, blames: 0 },
    ]);
    const [one] = await test.claim("judge", [flow], { suspects: true, limit: 1 });
    await test.store.dispatch.adopt("judge");
    expect(await suspicionOf()).toContainEqual({ suspicion: 4, blames: 1 });

    const [again] = await test.claim("judge", [flow], { suspects: true, limit: 1 });
    expect(again!.id).toBe(one!.id);
    await test.store.dispatch.acquit({ ...again!, epoch: again!.epoch - 1 });
    expect(await suspicionOf()).toContainEqual({ suspicion: 4, blames: 1 });
    await test.store.dispatch.acquit(again!);
    expect(await suspicionOf()).toContainEqual({ suspicion: 0, blames: 0 });
  });

  it("tells a process which of its executions are not its own any more", async () => {
    const [own, cancelled, taken] = [await test.begin("exe_1"), await test.begin("exe_1"), await test.begin("gone")];
    await test.workspace.runs.finish(cancelled.id, { ...succeeded, status: "cancelled" }, by(null));
    await test.store.dispatch.adopt("gone");
    const executions = [own, cancelled, taken].map(({ id, epoch }) => ({ id, epoch }));
    const notOwned = await test.store.dispatch.notOwned(executions);
    expect(new Map(notOwned.map((one) => [one.id, one.cancelled]))).toEqual(
      new Map([
        [cancelled.id, true],
        [taken.id, false],
      ]),
    );
  });
});

describe("the queue", () => {
  it("is counted no further than asked", async () => {
    await Promise.all(times(5, () => test.queue({ flow: "counted" })));
    expect(await test.store.dispatch.queued(3)).toBe(3);
    expect(await test.store.dispatch.queued(100_000)).toBeGreaterThanOrEqual(5);
    await test.claim("a", ["counted"]);
  });

  it("shows flows that no living process knows", async () => {
    await test.queue({ flow: "removed" });
    await test.queue({ flow: "present" });
    const presence = await test.store.processes.register({
      executor: "exe_knowing", role: "all", flows: ["present"], onLost: () => {}, onWake: () => {},
    }); // oxfmt-ignore
    const orphans = await test.store.dispatch.orphans();
    expect(orphans).toContain("removed");
    expect(orphans).not.toContain("present");
    await presence.release();
    await test.store.processes.end("exe_knowing");
    expect(await test.store.dispatch.orphans()).toContain("present");
  });

  it("is shown by flow, with the processes that execute", async () => {
    const flow = "shown";
    const [running, parked] = [await test.begin("exe_shown", { flow }), await test.begin("exe_shown", { flow })];
    const waiting = await test.begin("exe_shown", { flow });
    const receivedAt = new Date(Date.now() - 5000);
    await test.queue({ flow, receivedAt });
    const { runs, queue } = test.workspace;
    await runs.park(parked.id, { wakeAt: null, signals: 0 }, parked.epoch);
    await runs.setStatus(waiting.id, "waiting", waiting.epoch);
    const presence = await test.store.processes.register({
      executor: "exe_shown", role: "worker", flows: [flow], onLost: () => {}, onWake: () => {},
    }); // oxfmt-ignore
    expect(await queue.byFlow()).toContainEqual({
      flow, queued: 1, running: 1, waiting: 1, parked: 1, oldestQueuedAt: receivedAt,
    }); // oxfmt-ignore
    expect(await queue.processes()).toContainEqual({
      executor: "exe_shown", role: "worker", startedAt: expect.any(Date) as unknown, alive: true, running: 2,
    }); // oxfmt-ignore
    await presence.release();
    await expect.poll(async () => (await queue.processes())[0]).toMatchObject({ executor: "exe_shown", alive: false });
    await test.store.processes.end("exe_shown");
    expect(await queue.processes()).toEqual([]);
    expect((await runs.find(running.id))?.status).toBe("running");
  });
});
