import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase, testKey } from "../../test/support/database.ts";
import { openStore, type Store, type Workspace } from "./index.ts";
import type { LedgerEntry, NewLedgerEntry } from "./ledger-rows.ts";

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

function newEntry(change: Partial<NewLedgerEntry> = {}): NewLedgerEntry {
  const empty = { runId: null, ref: null, digest: null, data: {} };
  return { at: new Date(), kind: "model.called", ...empty, ...change };
}

/** A ledger of its own with some entries. */
async function workspaceWith(count: number): Promise<Workspace> {
  const workspace = store.workspace(`workspace-${crypto.randomUUID()}`);
  if (count > 0)
    await workspace.ledger.append(Array.from({ length: count }, (_, at) => newEntry({ ref: `call_${at}` })));
  return workspace;
}

/** What somebody does who may remove triggers. */
const tamper = (statement: string) =>
  database.query(`begin; alter table sluice.ledger disable trigger user; alter table sluice.ledger_heads disable trigger user;
    grant update, delete, truncate on sluice.ledger to current_user; ${statement};
    alter table sluice.ledger enable trigger user; alter table sluice.ledger_heads enable trigger user;
    revoke update, delete, truncate on sluice.ledger from current_user; commit`);

async function everything(workspace: Workspace) {
  const lines: unknown[] = [];
  for await (const line of workspace.ledger.exportEntries()) lines.push(line);
  return lines;
}

describe("the ledger", () => {
  it("numbers entries from 1 and gives them back, the newest first, in pages that neither repeat nor skip", async () => {
    const { ledger } = await workspaceWith(0);
    const at = new Date("2026-11-24T09:12:00.123Z");
    const data = { text: 'bell \u0007 quote " back \\', nested: [1.5, null, { __proto__x: "ü" }] };
    expect(await ledger.append([newEntry({ at, runId: "run_1", ref: "call_1", digest: "sha256:1", data })])).toBe(1);
    expect(await ledger.append([newEntry(), newEntry({ kind: "budget.allowed" }), newEntry()])).toBe(4);
    const first = await ledger.page({ limit: 3 });
    expect(first.items.map(({ seq }) => seq)).toEqual([4, 3, 2]);
    const second = await ledger.page({ limit: 3, before: first.next ?? undefined });
    expect(second).toMatchObject({
      next: null,
      items: [{ seq: 1, at, runId: "run_1", ref: "call_1", digest: "sha256:1", data }],
    });
    expect((await ledger.page({ kind: "budget.allowed" })).items.map(({ seq }) => seq)).toEqual([3]);
    expect((await ledger.page({ kind: "model.called", runId: "run_1" })).items.map(({ seq }) => seq)).toEqual([1]);
    expect(await ledger.page({ kind: "circuit.resumed" })).toEqual({ items: [], next: null });
  });

  it("keeps workspaces apart", async () => {
    const [one, other] = [await workspaceWith(2), await workspaceWith(1)];
    expect((await one.ledger.page()).items).toHaveLength(2);
    expect(await other.ledger.verify()).toMatchObject({ ok: true, entries: 1, head: { workspace: other.id, seq: 1 } });
    expect((await store.ledgerHeads()).filter(({ workspace }) => workspace === one.id)).toMatchObject([{ seq: 2 }]);
  });

  it("is one chain without gaps, however many append at once", async () => {
    const { ledger } = await workspaceWith(0);
    await Promise.all(Array.from({ length: 40 }, () => ledger.append([newEntry(), newEntry()])));
    expect(await ledger.verify()).toMatchObject({ ok: true, entries: 80, from: 1, to: 80 });
  });

  it("takes all entries or none", async () => {
    const { ledger } = await workspaceWith(1);
    const bad = newEntry({ kind: null as unknown as "model.called" });
    await expect(ledger.append([newEntry(), bad])).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await ledger.verify()).toMatchObject({ ok: true, entries: 1 });
    expect(await ledger.append([])).toBe(1);
  });

  it("computes the same hashes in Postgres and outside, for any text, number and time", async () => {
    // Postgres cannot hold NUL nor halves of surrogate pairs.
    const text = fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", "").toWellFormed());
    const fact = fc.oneof(text, fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.array(text));
    const entry = fc.record({
      at: fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
      kind: text as fc.Arbitrary<"model.called">,
      runId: fc.option(text),
      ref: fc.option(text),
      digest: fc.option(text),
      data: fc.oneof(fact, fc.dictionary(text, fact)),
    });
    await fc.assert(
      fc.asyncProperty(text, fc.array(entry, { minLength: 1, maxLength: 20 }), async (name, entries) => {
        const workspace = store.workspace(`${name}-${crypto.randomUUID()}`);
        await workspace.ledger.append(entries);
        expect(await workspace.ledger.verify()).toMatchObject({ ok: true, entries: entries.length, problems: [] });
      }),
      { numRuns: 100 },
    );
  });

  it("is exported with its head at the end, and each line holds all that its hash is over", async () => {
    const workspace = await workspaceWith(0);
    await workspace.ledger.append([
      newEntry({ at: new Date("2026-11-24T09:12:00.120Z"), runId: "run_1", data: { cost: 12, words: "a – b" } }),
      newEntry({ at: new Date("2026-11-24T09:12:00Z"), digest: "sha256:2" }),
    ]);
    const lines = (await everything(workspace)).map((line) => JSON.parse(JSON.stringify(line)) as LedgerEntry);
    const entries = lines.slice(0, -1);
    for (const { seq, at, kind, runId, ref, digest, data, previous, hash } of entries) {
      const time = String(at).replace(/\.?0*Z$/, "");
      const parts = [workspace.id, seq, time, kind, runId, ref, digest, data, previous];
      const text = `[${parts.map((part) => JSON.stringify(part)).join(", ")}]`;
      expect(createHash("sha256").update(text).digest("hex")).toBe(hash);
    }
    expect(entries).toHaveLength(2);
    expect(lines.at(-1)).toMatchObject({ head: { workspace: workspace.id, seq: 2, hash: entries[1]?.hash } });
    expect(await everything(await workspaceWith(0))).toEqual([]);
  });

  it("is read to its end in more than one page", async () => {
    const workspace = await workspaceWith(2500);
    expect(await workspace.ledger.verify()).toMatchObject({ ok: true, entries: 2500, to: 2500 });
    expect(await everything(workspace)).toHaveLength(2501);
  });
});

describe("a ledger that somebody wants to change", () => {
  it.each(["update sluice.ledger set kind = 'x'", "delete from sluice.ledger", "truncate sluice.ledger"])(
    "refuses: %s",
    async (statement) => {
      await expect(database.query(statement)).rejects.toMatchObject({ code: "42501" });
      const granted = `begin; grant update, delete, truncate on sluice.ledger to current_user; ${statement}; commit`;
      await expect(database.query(granted)).rejects.toMatchObject({
      code: "23001", message: expect.stringMatching(/^sluice\.ledger only grows: \w+ is refused$/) as unknown,
    }); // oxfmt-ignore
    },
  );

  it.each([
    "update sluice.ledger_heads set hash = 'x'",
    "update sluice.ledger_heads set seq = seq - 1",
    "update sluice.ledger_heads set workspace_id = workspace_id || 'x', seq = seq + 1",
    "delete from sluice.ledger_heads",
    "truncate sluice.ledger_heads",
  ])("refuses: %s", async (statement) => {
    await workspaceWith(1);
    await expect(database.query(statement)).rejects.toMatchObject({ code: "23001" });
  });

  it("shows a changed entry, a missing end, and an end that was written anew", async () => {
    const workspace = await workspaceWith(5);
    const { id, ledger } = workspace;
    const exported = await ledger.head();
    await tamper(`update sluice.ledger set data = '{"a":1}' where workspace_id = '${id}' and seq = 2`);
    expect((await ledger.verify()).problems).toEqual([{ seq: 2, what: "its hash does not fit what it holds" }]);
    await tamper(`update sluice.ledger set data = '{}' where workspace_id = '${id}' and seq = 2;
      delete from sluice.ledger where workspace_id = '${id}' and seq = 5`);
    expect((await ledger.verify()).problems).toMatchObject([{ seq: 5 }]);
    await tamper(`update sluice.ledger_heads set seq = 4, hash = (
      select hash from sluice.ledger where workspace_id = '${id}' and seq = 4) where workspace_id = '${id}'`);
    expect(await ledger.verify()).toMatchObject({ ok: true, entries: 4 });
    await ledger.append([newEntry()]);
    expect(await ledger.verify()).toMatchObject({ ok: true, entries: 5 });
    const heads = exported ? [exported, { ...exported, workspace: "another", hash: "x" }] : [];
    expect((await ledger.verify({ heads })).problems).toEqual([
      { seq: 5, what: `it had another hash when it was the last entry, at ${exported?.at}` },
    ]);
  });
});
