import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "pg";
import { testDatabase, type TestDatabase, testKey } from "../../test/support/database.ts";
import { by, newStep, newIntent, newEvent, succeeded } from "./fixtures/test-store.ts";
import { openStore, type IncomingEvent, type Store, type Workspace } from "./index.ts";

let database: TestDatabase;
let store: Store;
let workspace: Workspace;

beforeAll(async () => {
  database = await testDatabase();
  store = await openStore({ url: database.url, key: testKey, onError: () => {} });
  workspace = store.workspace("default");
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

function event(dedupKey: string, change: Partial<IncomingEvent> = {}): IncomingEvent {
  return { ...newEvent(), dedupKey, ...change };
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

describe("tables that grow with every run", () => {
  it("have one index that begins with the workspace, that of their key: see migration 0004", async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ indexname: string }>(
      `select indexname from pg_indexes where schemaname = 'sluice' and indexdef like '%(workspace_id,%'
       and tablename in ('events', 'runs', 'effects', 'ai_calls') order by indexname`,
    );
    await client.end();
    expect(rows.map(({ indexname }) => indexname)).toEqual([
      "ai_calls_pkey",
      "effects_pkey",
      "events_pkey",
      "runs_pkey",
    ]);
  });
});

describe("accepting events", () => {
  it("begins a run in the same commit for the process that asks, and queues any other", async () => {
    const begin = { executor: "exe_1", flowVersion: "v1" };
    const [begun, queued, copy] = await Promise.all([
      workspace.events.accept(event("begun", { begin })),
      workspace.events.accept(event("not begun")),
      workspace.events.accept(event("begun", { begin: { ...begin, executor: "exe_2" } })),
    ]);
    expect(await workspace.runs.find(begun.runId)).toMatchObject({
      status: "running", executor: "exe_1", flowVersion: "v1", startedAt: expect.any(Date) as unknown,
    }); // oxfmt-ignore
    expect(await workspace.runs.find(queued.runId)).toMatchObject({
      status: "queued",
      executor: null,
      startedAt: null,
    });
    expect(copy).toEqual({ runId: begun.runId, duplicate: true });
    expect(await workspace.steps.save(newStep(begun.runId), 1)).toBe(true);
  });

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
  it("keep their first outcome", async () => {
    const { runId } = await workspace.events.accept(event("outcome"));
    expect(await workspace.runs.finish(runId, succeeded, by(null))).toBe(true);
    expect(await workspace.runs.finish(runId, { ...succeeded, status: "cancelled", output: null }, by(null))).toBe(
      false,
    );
    expect(await workspace.runs.find(runId)).toMatchObject({ status: "succeeded", output: { score: 80 } });
  });

  it("are listed newest first, in pages that neither repeat nor skip", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => workspace.events.accept(event(`listed ${at}`))));
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
  it("are in the order of calls: 9 before 10, and a map before its items", async () => {
    const { runId } = await workspace.events.accept(event("order of steps"));
    const paths = ["10", "9", "2.10", "2.9.1", "2", "2.9"];
    await Promise.all(paths.map((path) => workspace.steps.save(newStep(runId, { path }), 0)));
    const stored = await workspace.steps.ofRun(runId);
    expect(stored.map(({ path }) => path)).toEqual(["2", "2.9", "2.9.1", "2.10", "9", "10"]);
  });

  it("show the last of several states saved at once", async () => {
    const { runId } = await workspace.events.accept(event("steps"));
    await Promise.all([
      workspace.steps.save(newStep(runId), 0),
      workspace.steps.save(newStep(runId, { status: "waiting", wakeAt: new Date(0) }), 0),
      workspace.steps.save(newStep(runId, { status: "succeeded", output: [1, null, "x"] }), 0),
    ]);
    expect(await workspace.steps.ofRun(runId)).toMatchObject([
      { status: "succeeded", output: [1, null, "x"], wakeAt: null },
    ]);
  });
});

describe("effects", () => {
  it("[R3] leave one receipt for each key, which tells what was known before a repeat", async () => {
    const { runId } = await workspace.events.accept(event("effects"));
    const intent = newIntent(runId, 0);
    expect(await workspace.effects.begin(intent)).toBeNull();
    expect(await workspace.effects.begin(intent)).toMatchObject({ state: "intent", attempts: 1 });
    await workspace.effects.settle(intent.key, { state: "done", response: { ts: "1" } });
    expect(await workspace.effects.begin(intent)).toMatchObject({ state: "done", attempts: 2, response: { ts: "1" } });
    expect(await workspace.effects.find(intent.key)).toMatchObject({ state: "done", attempts: 2 });
    expect(await workspace.effects.ofRun(runId)).toHaveLength(1);
  });
});

describe("an effect's key", () => {
  it("is not given to another action: its receipt stays as it is", async () => {
    const { runId } = await workspace.events.accept(event("another action"));
    const intent = newIntent(runId, 0);
    await workspace.effects.begin(intent);
    const other = { ...intent, connection: "slack", action: "slack.postMessage", request: { text: "hi" } };
    await expect(workspace.effects.begin(other)).rejects.toMatchObject({
      code: "FLOW_CHANGED",
      message: expect.stringContaining("calls slack.postMessage by slack as step 1, where bank.pay by bank") as unknown,
      details: { step: "0", recorded: "bank.pay" },
    });
    expect(await workspace.effects.find(intent.key)).toMatchObject({
      action: "bank.pay",
      attempts: 1,
      request: intent.request,
    });
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

const registration = (executor: string) => ({
  executor,
  role: "all" as const,
  flows: ["lead-routing"],
  onLost: () => {},
  onWake: () => {},
});

const sightOf = async (executor: string) => (await store.processes.look()).find((sight) => sight.executor === executor);

describe("processes", () => {
  it("are seen alive by a lock that Postgres frees with their connection, and by a number that grows", async () => {
    const presence = await store.processes.register(registration("exe_living"));
    expect(await sightOf("exe_living")).toEqual({ executor: "exe_living", beat: 0, lockFree: false });
    expect(await store.processes.beat("exe_living")).toBeInstanceOf(Date);
    expect(await sightOf("exe_living")).toMatchObject({ beat: 1, lockFree: false });
    await presence.release();
    await expect.poll(() => sightOf("exe_living")).toMatchObject({ lockFree: true });
  });

  it("are told when others took them for dead, and live again once they register", async () => {
    const presence = await store.processes.register(registration("exe_frozen"));
    await store.processes.end("exe_frozen");
    expect(await sightOf("exe_frozen")).toBeUndefined();
    expect(await store.processes.beat("exe_frozen")).toBeNull();
    await presence.release();
    const again = await store.processes.register(registration("exe_frozen"));
    expect(await store.processes.beat("exe_frozen")).toBeInstanceOf(Date);
    expect(await sightOf("exe_frozen")).toMatchObject({ beat: 2, lockFree: false });
    await again.release();
    await store.processes.end("exe_frozen");
  });

  it("are told when their connection breaks", async () => {
    let lost = 0;
    await store.processes.register({ ...registration("exe_cut"), onLost: () => void (lost += 1) });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1
      and classid = (((select lock_key from sluice.processes where executor = 'exe_cut') >> 32) & 4294967295)::oid
      and pid <> pg_backend_pid()`);
    await client.end();
    await expect.poll(() => lost).toBe(1);
    expect(await sightOf("exe_cut")).toMatchObject({ lockFree: true });
    await store.processes.end("exe_cut");
  });

  it("hear at once that something was queued, those of their kind only", async () => {
    const stand = await openStore({ url: database.url, key: testKey, sandbox: true, onError: () => {} });
    const heard: string[] = [];
    const listen = (executor: string) => ({ ...registration(executor), onWake: () => void heard.push(executor) });
    const presences = [
      await store.processes.register(listen("exe_real")),
      await stand.processes.register(listen("exe_stand")),
    ];
    await store.processes.wakeAll();
    await expect.poll(() => heard).toEqual(["exe_real"]);
    await store.processes.wakeAll(true);
    await expect.poll(() => heard).toEqual(["exe_real", "exe_stand"]);
    expect((await store.processes.livingKinds()).toSorted()).toEqual(["real", "sandbox"]);
    for (const presence of presences) await presence.release();
    await stand.processes.end("exe_stand");
    await store.processes.end("exe_real");
    await stand.close();
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
