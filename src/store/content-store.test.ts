import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testKey } from "../../test/support/database.ts";
import { findValues, readAllTables } from "../../test/support/stored-text.ts";
import { recordCall } from "./fixtures/ai-call.ts";
import { by, failed, newIntent, newStep, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";
import { openStore, resumeRun } from "./index.ts";

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

const make = (what: string): string => `${what}-${randomBytes(9).toString("hex")}`;

/** What a person's run holds, each value in a column of its own. */
function newPerson() {
  return {
    payload: `${make("jane")}@company.com`,
    input: make("input"),
    output: make("output"),
    result: make("result"),
    request: make("request"),
    response: make("response"),
    signal: make("signal"),
    prompt: make("prompt"),
    answer: make("answer"),
    queued: make("queued"),
    key: `${make("key")}@company.com`,
  };
}

type Person = ReturnType<typeof newPerson>;

/** A run with something in every column that holds content; not ended. */
async function record(person: Person) {
  const { workspace } = test;
  const payload = { email: person.payload };
  const run = await test.begin("exe_1", { payload, concurrencyKey: person.key });
  const { id, epoch } = run;
  const step = newStep(id, { status: "succeeded", input: { text: person.input }, output: [person.output] });
  await workspace.steps.save(step, epoch);
  const intent = newIntent(id, epoch);
  await workspace.effects.begin({ ...intent, request: { text: person.request } });
  await workspace.effects.settle(intent.key, { state: "done", response: person.response, epoch });
  await workspace.signals.send(id, "go", { word: person.signal });
  await recordCall(workspace, run, { request: [{ role: "user", content: person.prompt }], response: person.answer });
  const names = { callId: `call_${id}`, ticket: `${id}/0`, provider: "openai", model: "m", modelName: "fast" };
  await workspace.batches.add({ ...names, runId: id, body: { input: person.queued } });
  return run;
}

const end = ({ id, epoch }: { readonly id: string; readonly epoch: number }, person: Person): Promise<boolean> =>
  test.workspace.runs.finish(id, { ...succeeded, output: person.result }, by(epoch));

/** All that the store gives of a run. */
async function readRun(runId: string) {
  const { events, runs, steps, effects, signals, aiCalls } = test.workspace;
  return {
    event: await events.ofRun(runId),
    run: await runs.find(runId),
    steps: await steps.ofRun(runId),
    effects: await effects.ofRun(runId),
    signal: (await signals.find(runId, "go")).value,
    aiCalls: await aiCalls.ofRun(runId),
  };
}

const whole = (person: Person) => ({
  event: { payload: { email: person.payload }, erased: false },
  run: { output: person.result },
  steps: [{ input: { text: person.input }, output: [person.output] }],
  effects: [{ request: { text: person.request }, response: person.response }],
  signal: { of: { word: person.signal } },
  aiCalls: [{ request: [{ role: "user", content: person.prompt }], response: person.answer }],
});

describe("content at rest", () => {
  it("[R8] stands in no table in any form, and is given back as it was", async () => {
    const person = newPerson();
    const run = await record(person);
    await end(run, person);
    await test.workspace.samples.save(run.flow, "one", { email: person.payload });
    expect(findValues(await readAllTables(client), Object.values(person))).toEqual([]);
    expect(await readRun(run.id)).toMatchObject(whole(person));
    expect(await test.workspace.samples.ofFlow(run.flow)).toMatchObject([{ payload: { email: person.payload } }]);
  });

  it("is found by this test where it is not sealed", async () => {
    const person = newPerson();
    const run = await record(person);
    const json = JSON.stringify({ text: Buffer.from(`x${person.input}`).toString("base64") });
    await client.query("update sluice.steps set input = $1 where run_id = $2", [json, run.id]);
    expect(findValues(await readAllTables(client), Object.values(person))).toEqual([`${person.input} in sluice.steps`]);
    await client.query("update sluice.steps set input = null where run_id = $1", [run.id]);
  });

  it("is read by another process with the same key", async () => {
    const person = newPerson();
    const run = await record(person);
    const other = await openStore({ url: test.url, key: Buffer.from(testKey), onError: () => {} });
    const workspace = other.workspace("default");
    expect(await workspace.steps.ofRun(run.id)).toMatchObject(whole(person).steps);
    await workspace.runs.finish(run.id, { ...succeeded, output: person.result }, by(run.epoch));
    await other.close();
    expect(await readRun(run.id)).toMatchObject(whole(person));
  });

  it("is not opened with another key: the process is refused, and told the fingerprints", async () => {
    const opening = openStore({ url: test.url, key: randomBytes(32), onError: () => {} });
    const { fingerprint } = test.store.keyring;
    const fits = { code: "KEY_MISMATCH", message: expect.stringContaining(fingerprint), hint: /SLUICE_KEY/ };
    await expect(opening).rejects.toMatchObject({ ...fits, hint: expect.stringMatching(fits.hint) });
  });

  it("that looks like sealed content is content all the same", async () => {
    const payload = "sluice:1:AAAA";
    const run = await test.begin("exe_1", { payload });
    expect(run.payload).toBe(payload);
    expect(await test.workspace.events.ofRun(run.id)).toMatchObject({ payload });
  });

  it("that was changed or moved is refused, and hides no other run", async () => {
    const flow = `flow-${crypto.randomUUID()}`;
    const [one, two] = [newPerson(), newPerson()];
    const first = await test.begin("exe_1", { flow, payload: one.payload });
    const second = await test.begin("exe_1", { flow, payload: two.payload });
    await end(first, one);
    await end(second, two);
    const moved = `update sluice.runs set output = (select output from sluice.runs where id = $1) where id = $2`;
    await client.query(moved, [second.id, first.id]);
    await expect(test.workspace.runs.find(first.id)).rejects.toMatchObject({ code: "CONTENT_UNREADABLE" });
    const { items } = await test.workspace.runs.list({ flow });
    expect(items).toMatchObject([
      { id: second.id, output: two.result },
      { id: first.id, output: null },
    ]);
  });

  it("that was changed lets its run fail, and is claimed with the others", async () => {
    const flow = `flow-${crypto.randomUUID()}`;
    const [damaged, sound] = [await test.queue({ flow }), await test.queue({ flow })];
    await client.query(`update sluice.events set payload = '"sluice:1:AAAA"' where run_id = $1`, [damaged]);
    const claimed = new Map((await test.claim("exe_1", [flow])).map((run) => [run.id, run]));
    expect(claimed.get(damaged)).toMatchObject({ payload: null, lost: { code: "CONTENT_UNREADABLE" } });
    expect(claimed.get(sound)).toMatchObject({ payload: { message: "hello" }, lost: null });
  });
});

describe("a run of before content was sealed", () => {
  it("is read and executed as it is, and what comes after is sealed", async () => {
    const flow = `flow-${crypto.randomUUID()}`;
    const person = newPerson();
    const runId = await test.queue({ flow });
    await client.query("update sluice.events set payload = $1, content_key = null where run_id = $2", [
      JSON.stringify({ email: "plain" }),
      runId,
    ]);
    // A process that has not just accepted it.
    const other = await openStore({ url: test.url, key: testKey, onError: () => {} });
    const { steps, events, runs } = other.workspace("default");
    expect(await events.ofRun(runId)).toMatchObject({ payload: { email: "plain" }, erased: false });
    const claim = { executor: "exe_1", flows: [{ flow, inFlight: 0 }], versions: {}, limit: 1, suspects: false };
    const [run] = await other.dispatch.claim(claim);
    expect(run).toMatchObject({ payload: { email: "plain" }, contentKey: expect.any(String), lost: null });
    await steps.save(newStep(runId, { output: person.output }), 1);
    await runs.finish(runId, { ...succeeded, output: person.result }, by(1));
    expect(findValues(await readAllTables(client), Object.values(person))).toEqual([]);
    expect(await steps.ofRun(runId)).toMatchObject([{ output: person.output }]);
    expect(await runs.find(runId)).toMatchObject({ output: person.result });
    await other.close();
  });
});

const erase = (ids: readonly string[]): Promise<number> => test.workspace.content.erase(ids);

describe("erasing", () => {
  it("[R8] leaves nothing of a run's content, not even sealed, and the other runs as they were", async () => {
    const [person, neighbour] = [newPerson(), newPerson()];
    const [run, other] = [await record(person), await record(neighbour)];
    await end(run, person);
    await end(other, neighbour);
    const sealedBefore = sealedOf(await readAllTables(client), run.id);
    expect(sealedBefore.length).toBeGreaterThan(7);
    expect(await erase([run.id])).toBe(1);
    const tables = await readAllTables(client);
    expect(sealedOf(tables, run.id)).toEqual([]);
    expect(findValues(tables, sealedBefore)).toEqual([]);
    expect(await readRun(run.id)).toMatchObject({
      event: { payload: null, erased: true },
      run: { status: "succeeded", output: null },
      steps: [{ status: "succeeded", input: null, output: null }],
      effects: [{ state: "done", request: null, response: null }],
      signal: { of: null },
      aiCalls: [{ status: "succeeded", request: null, response: null, inputTokens: 20 }],
    });
    expect(await test.workspace.batches.find(`${run.id}/0`)).toBeNull();
    expect(await readRun(other.id)).toMatchObject(whole(neighbour));
    expect(await erase([run.id])).toBe(1);
  });

  it("removes what errors say, and keeps their codes", async () => {
    const run = await test.begin("exe_1");
    const error = { code: "STEP_FAILED", message: "no jane@company.com", retryable: false } as const;
    const attempts = [{ number: 1, startedAt: "2026-11-24T09:12:00Z", finishedAt: null, error }];
    await test.workspace.steps.save(newStep(run.id, { status: "failed", error, attempts }), run.epoch);
    await test.workspace.runs.finish(run.id, failed({ error }), by(run.epoch));
    await erase([run.id]);
    const { run: erased, steps } = await readRun(run.id);
    for (const kept of [erased?.error, steps[0]?.error, steps[0]?.attempts[0]?.error]) {
      expect(kept).toMatchObject({ code: "STEP_FAILED", retryable: false });
    }
    expect(JSON.stringify([erased, steps])).not.toContain("jane");
  });

  it("is refused for all when one has not ended, and says how many", async () => {
    const [ended, queued] = [await test.begin("exe_1"), await test.queue()];
    await test.workspace.runs.finish(ended.id, succeeded, by(ended.epoch));
    const refused = { code: "SUBJECT_BUSY", details: { unfinished: 1 } };
    await expect(erase([ended.id, queued])).rejects.toMatchObject(refused);
    expect(await readRun(ended.id)).toMatchObject({ event: { erased: false }, run: { output: succeeded.output } });
  });

  it("passes over runs that there are not", async () => {
    expect(await erase(["run_0"])).toBe(0);
  });

  it("leaves a run that nobody can resume, and of which late writes keep nothing", async () => {
    const run = await test.begin("exe_1");
    const intent = newIntent(run.id, run.epoch);
    await test.workspace.effects.begin(intent);
    await test.workspace.runs.finish(run.id, failed(), by(run.epoch));
    await erase([run.id]);
    await expect(resumeRun(test.workspace, run.id)).rejects.toMatchObject({ code: "CONTENT_ERASED" });

    // What an execution that lost the run still brings is true, but not kept.
    await test.workspace.effects.settle(intent.key, { state: "done", response: "late" });
    expect(await test.workspace.effects.find(intent.key)).toMatchObject({ state: "done", response: null });

    await test.workspace.runs.reopen(run.id);
    const [claimed] = await test.claim("exe_2", [run.flow]);
    expect(claimed).toMatchObject({ payload: null, contentKey: null, lost: { code: "CONTENT_ERASED" } });
  });
});

/** What is sealed in the rows of a run. */
function sealedOf(tables: ReadonlyMap<string, string>, runId: string): string[] {
  const rows = [...tables.values()].flatMap((text) => text.split("\n")).filter((row) => row.includes(runId));
  return rows.flatMap((row) => row.match(/sluice:1:[\w+/=]+/g) ?? []);
}
