import type { Keyring } from "../src/store/content-keys.ts";
import type { Database } from "./database.ts";

/** What somebody does to a ledger who is master of the database. */
export interface Attack {
  readonly name: string;
  /** True: the database is left without a contradiction, and only heads that were kept elsewhere tell. */
  readonly isPerfect?: boolean;
  readonly strike: (place: Place) => Promise<unknown>;
}

/** What an attack works on. */
export interface Place {
  readonly database: Database;
  /** How many entries there are. */
  readonly entries: number;
  /** For somebody who has the key as well. */
  readonly keyring: Keyring;
  /** Draws a whole number from 0 to below another one. */
  readonly draw: (what: string, below: number) => number;
}

const columns = ["workspace_id", "seq", "at", "kind", "run_id", "ref", "digest", "data", "previous", "hash"] as const;
type Column = (typeof columns)[number];

const ends = ["first", "middle", "last"] as const;
type End = (typeof ends)[number];

const numberOf = (end: End, { entries }: Place): number =>
  ({ first: 1, middle: Math.ceil(entries / 2), last: entries })[end];

/** All attacks on entries and on the note of the end, each done to a ledger that is as it should be. */
export const ledgerAttacks: readonly Attack[] = [
  ...columns.flatMap((column) =>
    ends.map((end) => ({ name: `a byte of ${column} in the ${end} entry flipped`, strike: flip(column, end) })),
  ),
  ...(["run_id", "ref", "digest"] as const).map((column) => ({
    name: `${column} of an entry taken out`,
    strike: ({ database, draw, entries }: Place) =>
      database.query(
        `update sluice.ledger set ${column} = null where seq = (select min(seq) from sluice.ledger where seq >= $1 and ${column} is not null)`,
        [1 + draw(column, entries / 2)],
      ),
  })),
  {
    name: "white space put into the facts of an entry",
    strike: ({ database, draw, entries }) =>
      database.query(`update sluice.ledger set data = (data::text || ' ')::json where seq = $1`, [
        1 + draw("space", entries),
      ]),
  },
  ...ends.map((end) => ({
    name: `the ${end} entry deleted`,
    strike: (place: Place) => place.database.query("delete from sluice.ledger where seq = $1", [numberOf(end, place)]),
  })),
  {
    name: "an entry deleted, and those behind it numbered and hashed anew",
    isPerfect: true,
    strike: async (place) => {
      const seq = 1 + place.draw("deleted", place.entries - 1);
      await place.database.query("delete from sluice.ledger where seq = $1", [seq]);
      await place.database.query("update sluice.ledger set seq = -seq where seq > $1", [seq]);
      await place.database.query("update sluice.ledger set seq = -seq - 1 where seq < 0");
      await hashAnew(place.database, seq);
    },
  },
  { name: "two entries swapped", strike: swap },
  {
    name: "two entries swapped, each with a hash that fits it",
    strike: async (place) => {
      await swap(place);
      await place.database.query(`update sluice.ledger set hash = ${fittingHash}`);
    },
  },
  { name: "an entry put in behind the last one", strike: ({ database, entries }) => putIn(database, entries + 1) },
  {
    name: "an entry put in before the first one",
    strike: ({ database }) => putIn(database, 0),
  },
  {
    name: "an entry put in, with a hash that fits it, and those behind it numbered anew",
    strike: (place) => putBetween(place),
  },
  {
    name: "an entry put in, and those behind it numbered and hashed anew",
    isPerfect: true,
    strike: async (place) => hashAnew(place.database, await putBetween(place)),
  },
  ...[1, 10].map((count) => ({
    name: `the last ${count} cut off`,
    strike: ({ database, entries }: Place) =>
      database.query("delete from sluice.ledger where seq > $1", [entries - count]),
  })),
  ...[1, 10].map((count) => ({
    name: `the last ${count} cut off, and the note of the end mended`,
    isPerfect: true,
    strike: async ({ database, entries }: Place) => {
      await database.query("delete from sluice.ledger where seq > $1", [entries - count]);
      await mendHead(database);
    },
  })),
  { name: "all entries removed", strike: ({ database }) => database.query("truncate sluice.ledger") },
  { name: "the note of the end removed", strike: ({ database }) => database.query("delete from sluice.ledger_heads") },
  {
    name: "all entries and the note of the end removed",
    isPerfect: true,
    strike: ({ database }) => database.query("truncate sluice.ledger, sluice.ledger_heads"),
  },
  {
    name: "the facts of an entry changed, and all behind it hashed anew",
    isPerfect: true,
    strike: async ({ database, draw, entries }) => {
      const seq = 1 + draw("facts", entries);
      await database.query(`update sluice.ledger set data = '{}' where seq = $1`, [seq]);
      await hashAnew(database, seq);
    },
  },
  {
    name: "the note of the end changed",
    strike: ({ database }) => database.query("update sluice.ledger_heads set hash = repeat('a', 64)"),
  },
];

/** Changes one character of a column to the next one, or a number or time by the least that there is. */
function flip(column: Column, end: End): Attack["strike"] {
  return async (place) => {
    const { database, draw } = place;
    const seq = numberOf(end, place);
    if (column === "seq") return database.query("update sluice.ledger set seq = seq + 1000000 where seq = $1", [seq]);
    if (column === "at")
      return database.query("update sluice.ledger set at = at + interval '1 microsecond' where seq = $1", [seq]);
    const [row] = await database.query<{ text: string | null }>(
      `select ${column}::text as text from sluice.ledger where seq = $1`,
      [seq],
    );
    const text = row?.text ?? null;
    const changed = text === null ? "x" : flipCharacter(text, draw(`${column} ${end}`, text.length), column === "data");
    const type = column === "data" ? "json" : "text";
    return database.query(`update sluice.ledger set ${column} = $2::${type} where seq = $1`, [seq, changed]);
  };
}

/** Flips the lowest bit of the character at a place, or of the next one by which the text stays what the column takes. */
export function flipCharacter(text: string, from: number, isJson: boolean): string {
  for (let step = 0; step < text.length; step += 1) {
    const at = (from + step) % text.length;
    const flipped = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
    if (!isJson || isParsable(flipped)) return flipped;
  }
  throw new Error(`nothing in ${text} can be flipped`);
}

function isParsable(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The hash that an entry should have, by the database's own function. */
const fittingHash = `encode(sha256(convert_to(sluice.ledger_text(workspace_id, seq, at, kind, run_id, ref, digest, data,
  previous), 'UTF8')), 'hex')`;

/** Links and hashes entries anew from a number on, and mends the note of the end. */
async function hashAnew(database: Database, from: number): Promise<void> {
  const rows = await database.query<{ seq: string }>("select seq from sluice.ledger where seq >= $1 order by seq", [
    from,
  ]);
  for (const { seq } of rows) {
    await database.query(
      `update sluice.ledger set previous = coalesce((select hash from sluice.ledger where seq = $1::bigint - 1), repeat('0', 64))
        where seq = $1`,
      [seq],
    );
    await database.query(`update sluice.ledger set hash = ${fittingHash} where seq = $1`, [seq]);
  }
  await mendHead(database);
}

function mendHead(database: Database): Promise<unknown> {
  return database.query(`update sluice.ledger_heads set (seq, hash) = (
    select seq, hash from sluice.ledger order by seq desc limit 1)`);
}

/** Lets two entries change places; what they hold else, links and hashes as well, goes with them. */
async function swap({ database, draw, entries }: Place): Promise<void> {
  const one = 1 + draw("one", entries - 1);
  const other = one + 1 + draw("other", entries - one);
  await database.query("update sluice.ledger set seq = -seq where seq in ($1, $2)", [one, other]);
  await database.query(
    "update sluice.ledger set seq = case seq when -$1::bigint then $2::bigint else $1::bigint end where seq < 0",
    [one, other],
  );
}

/** Puts a copy of an entry in at a number that is free, linked to the one before it, with a hash that fits. */
async function putIn(database: Database, seq: number): Promise<void> {
  await database.query(
    `insert into sluice.ledger select workspace_id, $1::bigint, at, kind, run_id, 'call_forged', digest, data,
      coalesce((select hash from sluice.ledger where seq = $1::bigint - 1), repeat('0', 64)), 'x'
      from sluice.ledger where seq = 1`,
    [seq],
  );
  await database.query(`update sluice.ledger set hash = ${fittingHash} where seq = $1`, [seq]);
}

/** Puts an entry in between two others, and gives its number. */
async function putBetween({ database, draw, entries }: Place): Promise<number> {
  const seq = 2 + draw("between", entries - 2);
  await database.query("update sluice.ledger set seq = -seq where seq >= $1", [seq]);
  await database.query("update sluice.ledger set seq = -seq + 1 where seq < 0");
  await database.query("update sluice.ledger_heads set seq = seq + 1");
  await putIn(database, seq);
  return seq;
}
