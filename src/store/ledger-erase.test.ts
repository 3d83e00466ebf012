import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase, testKey } from "../../test/support/database.ts";
import { beginRun, type CallingRun, recordCall } from "./fixtures/ai-call.ts";
import { by, succeeded } from "./fixtures/test-store.ts";
import { openStore, type Store, type Workspace } from "./index.ts";
import { subjectIndexes } from "./ledger-subjects.ts";

let database: TestDatabase;
let store: Store;

beforeAll(async () => {
  database = await testDatabase();
  store = await openStore({ url: database.url, key: testKey, onError: () => {} });
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

const newWorkspace = (): Workspace => store.workspace(`workspace-${crypto.randomUUID()}`);

/** Blind indexes of people, each with an e-mail address, a phone number and a name. */
const indexesOf = (...names: string[]): string[] =>
  subjectIndexes(
    store.keyring,
    names.flatMap((name) => [
      { kind: "EMAIL", value: `${name}@company.com` },
      { kind: "PERSON", value: `${name} Doe` },
    ]),
  );

/** A run about people, with one call. */
async function runAbout(
  workspace: Workspace,
  people: readonly string[],
  parentRunId: string | null = null,
): Promise<CallingRun> {
  const parent = parentRunId === null ? null : { runId: parentRunId, path: "0", depth: 1 };
  const run = await beginRun(workspace, { parent });
  if (people.length > 0) {
    const content = { request: `about ${people.join()}`, response: `answer about ${people.join()}` };
    await recordCall(workspace, run, { subjects: indexesOf(...people), ...content });
  }
  return run;
}

const end = (workspace: Workspace, run: CallingRun) => workspace.runs.finish(run.id, succeeded, by(null));

const isErased = async (workspace: Workspace, run: CallingRun) => (await workspace.events.ofRun(run.id))?.erased;

describe("what was sent about a person", () => {
  it("is found by address, name or number however it is written, with the content of each call", async () => {
    const workspace = newWorkspace();
    const run = await runAbout(workspace, ["jane"]);
    await runAbout(workspace, ["john"]);
    const id = await recordCall(workspace, run, { request: "asks again", response: null, subjects: indexesOf("jane") });
    for (const subject of ["Jane@Company.com", "Doe, Jane", " jane doe "]) {
      const { items, next } = await workspace.ledger.subjectReport(subject);
      expect(next).toBeNull();
      expect(items).toMatchObject([
        { id, runId: run.id, request: "asks again", response: null, content: "readable" },
        {
          flow: "lead-routing", runId: run.id, stepPath: "0", provider: "openai", model: "gpt-5-mini", region: "eu",
          fields: [{ name: "message", sources: ["message"], masked: ["PERSON"] }], masked: { PERSON: 1 },
          request: "about jane", response: "answer about jane", content: "readable",
        },
      ]); // oxfmt-ignore
      const entries = await workspace.ledger.page({ subject });
      expect(entries.items.map(({ kind, runId }) => [kind, runId])).toEqual([
        ["model.called", run.id],
        ["model.intended", run.id],
        ["model.called", run.id],
        ["model.intended", run.id],
      ]);
    }
    expect((await workspace.ledger.subjectReport("jane@company.co")).items).toEqual([]);
    expect((await workspace.ledger.page({ subject: "jane@company.co" })).items).toEqual([]);
  });

  it("is given in pages that neither repeat nor skip", async () => {
    const workspace = newWorkspace();
    const runs = [
      await runAbout(workspace, ["jane"]),
      await runAbout(workspace, ["jane"]),
      await runAbout(workspace, ["jane"]),
    ];
    const first = await workspace.ledger.subjectReport("jane@company.com", { limit: 2 });
    const second = await workspace.ledger.subjectReport("jane@company.com", {
      limit: 2,
      before: first.next ?? undefined,
    });
    expect([...first.items, ...second.items].map(({ runId }) => runId)).toEqual(runs.map(({ id }) => id).toReversed());
    expect(second.next).toBeNull();
  });

  it("is told as changed where somebody changed it, and the ledger does not verify", async () => {
    const workspace = newWorkspace();
    const run = await runAbout(workspace, ["jane"]);
    expect(await workspace.ledger.verify({ content: true })).toMatchObject({
      ok: true,
      content: { checked: 2, gone: 0 },
    });
    await database.query(`update sluice.ai_calls set response = '"sluice:1:AAAA"' where run_id = '${run.id}'`);
    const { items } = await workspace.ledger.subjectReport("jane@company.com");
    expect(items).toMatchObject([{ request: "about jane", response: null, content: "changed" }]);
    expect(await workspace.ledger.verify()).toMatchObject({ ok: true, content: null });
    expect((await workspace.ledger.verify({ content: true })).problems).toEqual([
      { seq: 2, what: `the stored response of call "${items[0]?.id}" was changed` },
    ]);
    await database.query(`update sluice.ai_calls set request = '"another"' where run_id = '${run.id}'`);
    expect((await workspace.ledger.verify({ content: true })).problems[0]).toEqual({
      seq: 1, what: `the stored request of call "${items[0]?.id}" is another than was recorded`,
    }); // oxfmt-ignore
  });
});

describe("erasing a person", () => {
  it("makes the content of their runs unreadable, leaves others alone, and the ledger verifies", async () => {
    const workspace = newWorkspace();
    const [jane, both, john] = [
      await runAbout(workspace, ["jane"]),
      await runAbout(workspace, ["jane", "john"]),
      await runAbout(workspace, ["john"]),
    ];
    for (const run of [jane, both, john]) await end(workspace, run);
    expect(await workspace.ledger.erase("JANE@company.com", "usr_1")).toEqual({ runs: 2, calls: 2, entry: 7 });
    expect(await Promise.all([jane, both, john].map((run) => isErased(workspace, run)))).toEqual([true, true, false]);
    expect(await workspace.aiCalls.ofRun(jane.id)).toMatchObject([
      { request: null, response: null, masked: { PERSON: 1 } },
    ]);
    expect(await workspace.aiCalls.ofRun(john.id)).toMatchObject([
      { request: "about john", response: "answer about john" },
    ]);
    expect(await workspace.ledger.verify({ content: true })).toMatchObject({
      ok: true,
      entries: 7,
      content: { checked: 2, gone: 4 },
    });
    expect((await workspace.ledger.subjectReport("jane doe")).items).toEqual([]);
    expect((await workspace.ledger.subjectReport("john doe")).items).toHaveLength(1);
  });

  it("is recorded without the person, and found by who knows them", async () => {
    const workspace = newWorkspace();
    await end(workspace, await runAbout(workspace, ["jane"]));
    await workspace.ledger.erase("jane@company.com", "usr_1");
    const { items } = await workspace.ledger.page({ subject: "Jane@Company.com" });
    expect(items).toMatchObject([
      { seq: 3, kind: "subject.erased", runId: null, ref: null, data: { runs: 1, calls: 1, by: "usr_1" } },
    ]);
    const indexes = indexesOf("jane");
    expect(indexes.some((index) => JSON.stringify(items).includes(index))).toBe(false);
    expect((await workspace.ledger.page({ subject: "john@company.com" })).items).toEqual([]);
  });

  it("done twice erases nothing more, and says so as well", async () => {
    const workspace = newWorkspace();
    await end(workspace, await runAbout(workspace, ["jane"]));
    await workspace.ledger.erase("jane@company.com", "usr_1");
    expect(await workspace.ledger.erase("jane@company.com", "usr_1")).toEqual({ runs: 0, calls: 0, entry: 4 });
  });

  it("done again after a failure between content and entry, counts what was erased by then", async () => {
    const workspace = newWorkspace();
    const run = await runAbout(workspace, ["jane"]);
    await end(workspace, run);
    await workspace.content.erase([run.id]);
    expect(await workspace.ledger.erase("jane@company.com", "usr_1")).toEqual({ runs: 1, calls: 1, entry: 3 });
  });

  it("is refused while a run of theirs has not ended, and then erases nothing", async () => {
    const workspace = newWorkspace();
    const [ended, underWay] = [await runAbout(workspace, ["jane"]), await runAbout(workspace, ["jane"])];
    await end(workspace, ended);
    await expect(workspace.ledger.erase("jane@company.com", "usr_1")).rejects.toMatchObject({
      code: "SUBJECT_BUSY", message: `1 of the 2 runs with this subject have not ended, such as "${underWay.id}"`,
    }); // oxfmt-ignore
    expect(await isErased(workspace, ended)).toBe(false);
    expect((await workspace.ledger.page({ kind: "subject.erased" })).items).toEqual([]);
  });

  it("reaches the runs that started theirs and those that they started, and not what was started beside them", async () => {
    const workspace = newWorkspace();
    const top = await runAbout(workspace, []);
    const middle = await runAbout(workspace, ["jane"], top.id);
    const below = await runAbout(workspace, [], middle.id);
    const beside = await runAbout(workspace, ["john"], top.id);
    for (const run of [below, beside, middle, top]) await end(workspace, run);
    expect(await workspace.ledger.erase("jane@company.com", "usr_1")).toMatchObject({ runs: 3, calls: 1 });
    const runs = [top, middle, below, beside];
    expect(await Promise.all(runs.map((run) => isErased(workspace, run)))).toEqual([true, true, true, false]);
  });

  it("erases hundreds of runs", async () => {
    const workspace = newWorkspace();
    const runs = await Promise.all(Array.from({ length: 450 }, () => runAbout(workspace, ["jane"])));
    await Promise.all(runs.map((run) => end(workspace, run)));
    expect(await workspace.ledger.erase("jane@company.com", "usr_1")).toEqual({ runs: 450, calls: 450, entry: 903 });
    expect(await workspace.ledger.verify()).toMatchObject({ ok: true });
  });
});
