import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openStore, type IncomingEvent, type Store, type Workspace } from "./index.ts";

let database: TestDatabase;
let store: Store;
let workspace: Workspace;

beforeAll(async () => {
  database = await testDatabase();
  store = await openStore({ url: database.url, onError: () => {} });
  workspace = store.workspace("default");
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

function event(dedupKey: string, change: Partial<IncomingEvent> = {}): IncomingEvent {
  return {
    flow: "lead-routing",
    source: "webhook:leads",
    dedupKey,
    deliveryId: null,
    bodyDigest: "sha256:0",
    payload: { message: "hello" },
    sample: false,
    receivedAt: new Date(),
    ...change,
  };
}

describe("the store", () => {
  it("gives out rows through a workspace only: a query without one does not compile", () => {
    // @ts-expect-error there are no runs but those of a workspace
    expect(store.runs).toBeUndefined();
    // @ts-expect-error there is no way to the tables
    expect(store.db).toBeUndefined();
    // @ts-expect-error a workspace has a name
    expect(() => store.workspace()).not.toThrow();
  });
});

describe("accepting events", () => {
  it("[R1] gives a hundred copies sent at once one run, and counts the other ninety-nine", async () => {
    const copies = await Promise.all(Array.from({ length: 100 }, () => workspace.events.accept(event("copies"))));
    expect(new Set(copies.map((copy) => copy.runId)).size).toBe(1);
    expect(copies.filter((copy) => !copy.duplicate)).toHaveLength(1);
    const stored = await workspace.events.ofRun(copies[0]!.runId);
    expect(stored?.duplicates).toBe(99);
  });

  it("keeps equal keys of different sources apart", async () => {
    const first = await workspace.events.accept(event("same"));
    const other = await workspace.events.accept(event("same", { source: "webhook:tickets" }));
    expect(other).toMatchObject({ duplicate: false });
    expect(other.runId).not.toBe(first.runId);
  });

  it("keeps text that jsonb would refuse, to the letter", async () => {
    const payload = { message: 'nul \u0000 lone \ud800 quote " back \\', nested: [{ __proto__x: 1 }] };
    const { runId } = await workspace.events.accept(event("odd text", { payload }));
    expect((await workspace.events.ofRun(runId))?.payload).toEqual(payload);
  });

  it("accepts the neighbours of an event that cannot be stored", async () => {
    const bad = event("bad", { flow: "nul \u0000 is not text" });
    const results = await Promise.allSettled([
      workspace.events.accept(event("neighbour 1")),
      workspace.events.accept(bad),
      workspace.events.accept(event("neighbour 2")),
    ]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });
});

describe("runs", () => {
  it("are claimed by one process only", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => workspace.events.accept(event(`claim ${at}`))));
    const claims = await Promise.all(["a", "b", "c"].map((executor) => store.dispatch.claim(executor, 100)));
    const ids = claims.flat().map((run) => run.id);
    expect(ids.length).toBeGreaterThanOrEqual(20);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("of the sandbox are left to processes with stand-ins, and real ones to real processes", async () => {
    const stand = await openStore({ url: database.url, sandbox: true, onError: () => {} });
    try {
      const { runId } = await stand.workspace("default").events.accept(event("in the sandbox"));
      const real = await workspace.events.accept(event("for real"));
      expect((await stand.dispatch.claim("s", 100)).map((run) => run.id)).toEqual([runId]);
      expect((await store.dispatch.claim("r", 100)).map((run) => run.id)).toContain(real.runId);
      const presence = await stand.processes.register("exe_stand", () => {});
      await presence.release();
      await expect.poll(() => stand.processes.listDead()).toContainEqual({ executor: "exe_stand" });
      expect(await store.processes.listDead()).not.toContainEqual({ executor: "exe_stand" });
    } finally {
      await stand.close();
    }
  });

  it("keep their first outcome", async () => {
    const { runId } = await workspace.events.accept(event("outcome"));
    const outcome = { status: "succeeded", output: { score: 80 }, error: null, failedStep: null } as const;
    expect(await workspace.runs.finish(runId, outcome)).toBe(true);
    expect(await workspace.runs.finish(runId, { ...outcome, status: "cancelled", output: null })).toBe(false);
    expect(await workspace.runs.find(runId)).toMatchObject({ status: "succeeded", output: { score: 80 } });
  });

  it("are listed newest first, in pages that neither repeat nor skip", async () => {
    const seen: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await workspace.runs.list({ before, limit: 7 });
      seen.push(...page.items.map((run) => run.id));
      if (page.next === null) break;
      before = page.next;
    }
    expect(seen).toEqual([...new Set(seen)].toSorted().toReversed());
    expect(seen.length).toBeGreaterThan(20);
  });

  it("filter by flow and state", async () => {
    const { runId } = await workspace.events.accept(event("filter", { flow: "daily-report" }));
    expect(
      (await workspace.runs.list({ flow: "daily-report", status: ["queued"] })).items.map((run) => run.id),
    ).toEqual([runId]);
    expect((await workspace.runs.list({ flow: "daily-report", status: ["failed"] })).items).toEqual([]);
  });
});

describe("steps", () => {
  it("show the last of several states saved at once", async () => {
    const { runId } = await workspace.events.accept(event("steps"));
    const step = {
      runId, path: 0, name: "analyse", kind: "ai", status: "running", attempts: [], wakeAt: null, input: null,
      output: null, error: null, startedAt: new Date(), finishedAt: null,
    } as const; // oxfmt-ignore
    await Promise.all([
      workspace.steps.save(step),
      workspace.steps.save({ ...step, status: "waiting", wakeAt: new Date(0) }),
      workspace.steps.save({ ...step, status: "succeeded", output: [1, null, "x"] }),
    ]);
    expect(await workspace.steps.ofRun(runId)).toMatchObject([
      { status: "succeeded", output: [1, null, "x"], wakeAt: null },
    ]);
  });
});

describe("effects", () => {
  it("[R3] leave one receipt for each key, which tells what was known before a repeat", async () => {
    const { runId } = await workspace.events.accept(event("effects"));
    const intent = {
      key: `${runId}/1`, runId, stepPath: 1, connection: "slack", action: "slack.postMessage", effect: "write",
      requestDigest: "sha256:1", request: { text: "hi" },
    } as const; // oxfmt-ignore
    expect(await workspace.effects.begin(intent)).toBeNull();
    expect(await workspace.effects.begin(intent)).toMatchObject({ state: "intent", attempts: 1 });
    await workspace.effects.settle(intent.key, { state: "done", response: { ts: "1" } });
    expect(await workspace.effects.begin(intent)).toMatchObject({ state: "done", attempts: 2, response: { ts: "1" } });
    expect(await workspace.effects.ofRun(runId)).toHaveLength(1);
  });
});

describe("changes", () => {
  it("are read in order, each once, also while others are being written", async () => {
    let cursor = await workspace.changes.end();
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      const page = await workspace.changes.after(cursor);
      seen.push(...page.changes.map((change) => change.cursor));
      cursor = page.cursor;
    };
    const writes = Array.from({ length: 200 }, (_, at) => workspace.events.accept(event(`change ${at}`)));
    for (let round = 0; round < 20; round += 1) await read();
    await Promise.all(writes);
    await expect.poll(async () => (await read(), seen.length)).toBeGreaterThanOrEqual(200);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe("processes", () => {
  it("are seen as dead only when nobody holds their lock", async () => {
    const presence = await store.processes.register("exe_living", () => {});
    expect(await store.processes.listDead()).not.toContainEqual({ executor: "exe_living" });
    await presence.release();
    await expect.poll(() => store.processes.listDead()).toContainEqual({ executor: "exe_living" });
  });

  it("adopt one at a time", async () => {
    const order: string[] = [];
    const slow = store.processes.exclusively("adoption", async () => {
      order.push("first");
      await expect.poll(() => order.includes("refused")).toBe(true);
    });
    await expect.poll(() => order.includes("first")).toBe(true);
    expect(await store.processes.exclusively("adoption", async () => void order.push("second"))).toBe(false);
    order.push("refused");
    expect(await slow).toBe(true);
    expect(order).toEqual(["first", "refused"]);
  });
});

describe("the first user", () => {
  it("needs a live setup token, which works once", async () => {
    const soon = new Date(Date.now() + 60_000);
    const user = { id: "usr_1", email: "Ada@Example.com", name: "Ada", role: "admin", passwordHash: "x" } as const;
    await workspace.people.createSetupToken("digest", soon);
    await workspace.people.createSetupToken("late", new Date(Date.now() - 1));
    expect(await workspace.people.createFirstUser("late", user)).toBe(false);
    expect(await workspace.people.isSetupTokenLive("digest")).toBe(true);
    expect(await workspace.people.createFirstUser("digest", user)).toBe(true);
    expect(await workspace.people.createFirstUser("digest", { ...user, id: "usr_2" })).toBe(false);
    expect(await workspace.people.findUserByEmail("ADA@example.com")).toMatchObject({ id: "usr_1" });
  });
});
