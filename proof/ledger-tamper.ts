import { randomBytes } from "node:crypto";
import { createKeyring } from "../src/store/content-keys.ts";
import { beginRun, recordCall } from "../src/store/fixtures/ai-call.ts";
import { openStore, type Workspace } from "../src/store/index.ts";
import type { LedgerHead } from "../src/store/ledger-chain.ts";
import { contentAttacks } from "./content-attacks.ts";
import { type Database, withDatabase } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { prepareLab } from "./lab.ts";
import { draw } from "./leads.ts";
import { type Attack, ledgerAttacks } from "./ledger-attacks.ts";

/** Changes the ledger in every way that somebody can who is master of the database, and has it verified. */
export const ledgerTamper: Experiment = {
  name: "ledger-tamper",
  number: 19,
  asks: "entries flipped, deleted, swapped, put in, cut off and written anew, stored content changed, with triggers off",
  holdsWhen: "each of these is found, the ledger as it was verifies, and the service itself may change nothing",
  counts: "AI calls, of two entries each",
  usual: { rounds: 1, count: 100 },
  brief: { rounds: 1, count: 25 },
  async run(play) {
    const lab = await prepareLab({ seed: play.seed });
    try {
      const postgres = await lab.startPostgres();
      const rounds: Played[] = [];
      for (let round = 1; round <= play.rounds; round += 1) {
        const played = await playRound(await postgres.createDatabase(`ledger_${round}`), play, round);
        play.tell(`round ${round}: ${played.found} of ${played.struck} tamperings found`);
        rounds.push(played);
      }
      return toOutcome(rounds);
    } finally {
      await lab.close();
    }
  },
};

/** What came of a round. */
interface Played {
  readonly entries: number;
  readonly refused: number;
  readonly struck: number;
  readonly found: number;
  readonly violations: readonly string[];
}

function toOutcome(rounds: readonly Played[]): Outcome {
  const sum = (name: Exclude<keyof Played, "violations">) => rounds.reduce((total, played) => total + played[name], 0);
  const violations = rounds.flatMap((played) => played.violations);
  return {
    holds: violations.length === 0,
    rounds: rounds.length,
    figures: {
      entries: sum("entries"),
      changesRefused: sum("refused"),
      tamperings: sum("struck"),
      found: sum("found"),
      missed: sum("struck") - sum("found"),
    },
    violations,
  };
}

const attacks: readonly Attack[] = [...ledgerAttacks, ...contentAttacks];

interface Stage {
  readonly database: Database;
  readonly ledger: Workspace["ledger"];
  /** Where the ledger ended at half its length, and where it ends. */
  readonly heads: readonly LedgerHead[];
}

async function playRound(url: string, { seed, count }: Play, round: number): Promise<Played> {
  const key = randomBytes(32);
  const store = await openStore({ url, key, onError: () => {} });
  try {
    const workspace = store.workspace("default");
    const heads = [await record(workspace, Math.ceil(count / 2)), await record(workspace, Math.floor(count / 2))];
    return await withDatabase({ databaseUrl: url }, async (database) => {
      const stage = { database, ledger: workspace.ledger, heads };
      const permitted = await tryToChange(database);
      const violations = [...permitted, ...(await expectWhole(stage, "although nobody touched it"))];
      await openTables(database);
      let found = 0;
      for (const attack of attacks) {
        const drawBelow = (what: string, below: number) =>
          Math.floor(draw(seed, `${round}/${attack.name}/${what}`) * below);
        await attack.strike({ database, entries: 2 * count, keyring: createKeyring(key), draw: drawBelow });
        const missed = await findMissed(stage, attack);
        if (missed.length === 0) found += 1;
        await restoreTables(database);
        violations.push(...missed, ...(await expectWhole(stage, `after the end of: ${attack.name}`)));
      }
      const refused = changes.length - permitted.length;
      return { entries: 2 * count, refused, struck: attacks.length, found, violations };
    });
  } finally {
    await store.close();
  }
}

/** Begins two runs and records calls of them as the gateway does, every fifth of them failed. Gives the head that they lead to. */
async function record(workspace: Workspace, calls: number): Promise<LedgerHead> {
  const runs = [await beginRun(workspace), await beginRun(workspace)];
  for (let at = 0; at < calls; at += 1) {
    const run = runs[at % 2];
    if (run)
      await recordCall(workspace, run, { request: `asks ${at}`, response: at % 5 === 4 ? null : { answer: at } });
  }
  const head = await workspace.ledger.head();
  if (head === null) throw new Error("there is no ledger");
  return head;
}

/** What the service, which owns the tables, must not be able to do to them as they are. */
const changes = [
  "update sluice.ledger set kind = 'x'",
  "delete from sluice.ledger",
  "truncate sluice.ledger",
  "update sluice.ledger_heads set hash = 'x'",
  "update sluice.ledger_heads set seq = seq - 1",
  "delete from sluice.ledger_heads",
  "truncate sluice.ledger_heads",
];

/** `restrict_violation`, by which triggers refuse. */
const refusedState = "23001";

/** Tries each with all rights that the owner of a table can have. */
async function tryToChange({ query }: Database): Promise<string[]> {
  await query("grant update, delete, truncate on sluice.ledger to current_user");
  const permitted: string[] = [];
  for (const change of changes) {
    const state = await query(change).then(
      () => "none",
      (thrown: unknown) => (thrown as { readonly code?: string }).code,
    );
    if (state !== refusedState) permitted.push(`I4: the service may do this (SQLSTATE ${state}): ${change}`);
  }
  return permitted;
}

/** Lets tables be changed, and keeps a copy of them. */
async function openTables({ query }: Database): Promise<void> {
  await query("alter table sluice.ledger disable trigger user");
  await query("alter table sluice.ledger_heads disable trigger user");
  for (const table of ["ledger", "ledger_heads", "ai_calls"]) {
    await query(`create table sluice.${table}_copy as table sluice.${table}`);
  }
}

async function restoreTables({ query }: Database): Promise<void> {
  for (const table of ["ledger", "ledger_heads", "ai_calls"]) {
    await query(`truncate sluice.${table}`);
    await query(`insert into sluice.${table} table sluice.${table}_copy`);
  }
}

async function expectWhole({ ledger, heads }: Stage, when: string): Promise<string[]> {
  const { ok, problems } = await ledger.verify({ heads, content: true });
  return ok ? [] : [`I4: the ledger does not verify ${when}: entry ${problems[0]?.seq}, ${problems[0]?.what}`];
}

/** Tells of an attack that is not found, and of one that is weaker than meant: that would show nothing about kept heads. */
async function findMissed({ ledger, heads }: Stage, { name, isPerfect = false }: Attack): Promise<string[]> {
  const alone = await ledger.verify({ content: true });
  if (!isPerfect) return alone.ok ? [`I4: not found: ${name}`] : [];
  if (!alone.ok) return [`${name}: meant to leave no contradiction, but left one`];
  return (await ledger.verify({ heads })).ok ? [`I4: not found by kept heads: ${name}`] : [];
}
