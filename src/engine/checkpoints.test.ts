import { SystemDatabase } from "@dbos-inc/dbos-sdk/internal/system_database";
import { globalParams } from "@dbos-inc/dbos-sdk/internal/utils";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Pool } from "../store/index.ts";
import { groupCheckpoints } from "./checkpoints.ts";
import { scenarios } from "./fixtures/checkpoint-scenarios.ts";
import { gate, log, type LoneDbos, never, openLoneDbos, schema, step, World } from "./fixtures/lone-dbos.ts";

let dbos: LoneDbos;
let pool: Pool;
let system: SystemDatabase;

beforeAll(async () => {
  dbos = await openLoneDbos();
  ({ pool, system } = dbos);
});

afterAll(() => dbos.close());

async function threeSteps(): Promise<number> {
  await step("first", () => 1);
  await step("second", () => 2);
  return step("third", () => 3);
}

describe("grouped checkpoints give the same results and rows as DBOS alone for", () => {
  let worlds = 0;
  async function observe(scenario: (world: World) => Promise<unknown>): Promise<unknown> {
    worlds += 1;
    const world = new World(dbos, `world ${worlds} `);
    const result = await scenario(world);
    return { result, rows: await world.rows() };
  }

  it.each(Object.entries(scenarios))("%s", async (_name, scenario) => {
    const stock = await observe(scenario);
    const grouped = groupCheckpoints(system, pool, { schema, log });
    try {
      expect(await observe(scenario)).toEqual(stock);
    } finally {
      grouped.close();
    }
  });
});

/** A pool whose statements pass through a function that may fail before or after they are done. */
function interposed(query: (real: () => Promise<unknown>, text: string) => Promise<unknown>): Pool {
  const connect = async (): Promise<unknown> => {
    const client = await pool.connect();
    return {
      query: (text: string, values?: unknown[]) =>
        text.startsWith("set ") ? client.query(text) : query(() => client.query(text, values), text),
      release: () => client.release(),
    };
  };
  return { connect } as unknown as Pool;
}

describe("grouped checkpoints", () => {
  const open: { close(): void }[] = [];
  let worlds = 0;
  function group(through: Pool): World {
    open.push(groupCheckpoints(system, through, { schema, log }));
    worlds += 1;
    return new World(dbos, `grouped ${worlds} `);
  }
  afterEach(() => {
    for (const grouped of open.splice(0)) grouped.close();
    vi.restoreAllMocks();
  });

  it("share statements: a hundred runs of five checkpoints take less than half as many", async () => {
    let statements = 0;
    const world = group(
      interposed((real) => {
        statements += 1;
        return real();
      }),
    );
    const ends = await Promise.all(Array.from({ length: 100 }, (_, at) => world.play(`run ${at}`, threeSteps)));
    expect(ends).toEqual(Array.from({ length: 100 }, () => ({ value: 3 })));
    expect(statements).toBeLessThan(250);
  });

  it("ask nothing of the database for a run that was begun here, and once for a replay", async () => {
    const asked = vi.spyOn(SystemDatabase.prototype, "getOperationResultAndThrowIfCancelled");
    const checked = vi.spyOn(SystemDatabase.prototype, "checkIfCanceled");
    let loads = 0;
    const world = group(
      interposed((real, text) => {
        if (text.includes("octet_length")) loads += 1;
        return real();
      }),
    );
    const left = gate();
    await world.begin("a", async () => {
      await threeSteps();
      left.open();
      return never;
    });
    await left.opened;
    expect(await world.replay("a", threeSteps)).toEqual({ value: 3 });
    expect([asked.mock.calls, checked.mock.calls, loads]).toEqual([[], [], 1]);
  });

  it.each([
    ["a deadlock", Object.assign(new Error("deadlock detected"), { code: "40P01" })],
    ["a serialization failure", Object.assign(new Error("could not serialize access"), { code: "40001" })],
    ["a connection that breaks before the commit", new Error("Connection terminated unexpectedly")],
  ])("are written again after %s", async (_name, error) => {
    const failed = new Set<string>();
    const world = group(
      interposed((real, text) => {
        if (failed.has(text)) return real();
        failed.add(text);
        return Promise.reject(error);
      }),
    );
    expect(await world.play("a", threeSteps)).toEqual({ value: 3 });
    // To begin, to record a result, to end.
    expect(failed.size).toBe(3);
  });

  it("are written once when the connection breaks after the commit", async () => {
    const failed = new Set<string>();
    const world = group(
      interposed(async (real, text) => {
        const result = await real();
        if (failed.has(text)) return result;
        failed.add(text);
        throw new Error("Connection terminated unexpectedly");
      }),
    );
    const ran: string[] = [];
    const end = await world.play("a", async () => {
      await step("first", () => ran.push("first"));
      return step("second", () => ran.push("second"));
    });
    expect([end, ran]).toEqual([{ value: 2 }, ["first", "second"]]);
    const alone = new World(dbos, "alone ");
    open.splice(0)[0]!.close();
    await alone.play("a", async () => {
      await step("first", () => 1);
      return step("second", () => 2);
    });
    expect(await world.rows()).toEqual(await alone.rows());
  });

  it("are given up when they are closed while the database is away", async () => {
    const tried = gate();
    const world = group(
      interposed(() => {
        tried.open();
        return Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }));
      }),
    );
    const started = Promise.all(["a", "b"].map((name) => world.settle(() => world.begin(name, threeSteps))));
    await tried.opened;
    open.splice(0)[0]!.close();
    const givenUp = { error: "SluiceError", code: "SHUTTING_DOWN", message: "the process is ending" };
    expect(await started).toEqual([givenUp, givenUp]);
  });

  it("notice at the next checkpoint that another process cancelled the run", async () => {
    const world = group(pool);
    const ran: string[] = [];
    const end = await world.play("a", async () => {
      await step("first", () => ran.push("first"));
      await world.cancelElsewhere("a", null);
      await step("second", () => ran.push("second"));
      return step("third", () => ran.push("third"));
    });
    expect([end, ran]).toEqual([expect.objectContaining({ error: "DBOSWorkflowCancelledError" }), ["first", "second"]]);
  });

  it("leave DBOS as it was when they are closed", () => {
    const before = Object.keys(system);
    const grouped = groupCheckpoints(system, pool, { schema, log });
    expect(Object.keys(system)).not.toEqual(before);
    grouped.close();
    expect(Object.keys(system)).toEqual(before);
  });

  it("refuse another version of DBOS, and one that lacks a method", () => {
    const { dbosVersion } = globalParams;
    globalParams.dbosVersion = "5.3.1";
    expect(() => groupCheckpoints(system, pool, { schema, log })).toThrow(
      /5\.3\.0 of @dbos-inc\/dbos-sdk, found 5\.3\.1/,
    );
    globalParams.dbosVersion = dbosVersion;
    expect(() => groupCheckpoints({} as SystemDatabase, pool, { schema, log })).toThrow(
      /without .*recordWorkflowOutput/,
    );
  });
});
