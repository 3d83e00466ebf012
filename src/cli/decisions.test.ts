import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../test/support/database.ts";
import { type App, createApp } from "../app.ts";
import type { JsonObject, ReceiptState } from "../core/index.ts";
import { createProject } from "./fixtures/project.ts";
import { type CliSurroundings, runCli } from "./fixtures/run-cli.ts";
import { loadConfig } from "./load-config.ts";

let folder: string;
let database: TestDatabase;
let app: App;

/** `pay` loses the answer of its bank unless there is a file `answers`; `plan` waits for `nap`, which sleeps for a day. */
const flowSource = (folder: string) => `
import { existsSync } from "node:fs";
import { call, flow, secret, z } from "sluice";
import { slackConnection } from "sluice/slack";

export const slack = slackConnection({ name: "slack", token: secret("CLI_SLACK_TOKEN") });
const trigger = call({ payload: z.object({}), samples: { any: {} } });

export const pay = flow({ name: "pay", trigger, async run(_payload, { step }) {
  return step("pay", async () => {
    if (existsSync(${JSON.stringify(join(folder, "answers"))})) return { id: 8 };
    throw new Error("connection reset");
  }, { effect: "irreversible" });
} });
export const nap = flow({ name: "nap", trigger, run: (_payload, { sleep }) => sleep("nap", "1d") });
export const plan = flow({ name: "plan", trigger, run: () => nap.run({}) });
`;

beforeAll(async () => {
  folder = await createProject(flowSource, "pay, plan, nap");
  database = await testDatabase();
  app = await createApp({
    config: await loadConfig(join(folder, "sluice.config.ts")),
    folder: join(folder, ".sluice"),
    environment: { SLUICE_DATABASE_URL: database.url },
    sandbox: true,
    listen: null,
    log: { write: () => {} },
  });
});

afterAll(async () => {
  await app?.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

const run = (argv: readonly string[], surroundings: Partial<CliSurroundings> = {}) =>
  runCli(argv, { in: folder, environment: { SLUICE_DATABASE_URL: database.url }, ...surroundings });

/** Runs a command with `--json`, and gives what it printed. */
async function runJson(argv: readonly string[], surroundings: Partial<CliSurroundings> = {}): Promise<unknown> {
  const { out, err } = await run([...argv, "--json"], surroundings);
  expect(err).toBe("");
  return JSON.parse(out);
}

const statusOf = async (id: string) => (await app.workspace.runs.find(id))?.status;
const endOf = (id: string) => app.engine.waitForEnd("default", id, 5000, AbortSignal.timeout(5000));

/** A run of `pay` whose effect is in doubt. */
async function inDoubt(): Promise<string> {
  const { runId } = (await runJson(["run", "pay", "--sample", "any"])) as { runId: string };
  expect(await statusOf(runId)).toBe("in_doubt");
  return runId;
}

describe("sluice runs rule", () => {
  it("shows the question, and takes exactly one word", async () => {
    const runId = await inDoubt();
    const shown = await run(["runs", "show", runId]);
    expect(shown.out).toContain("In doubt at step 1: EFFECT_IN_DOUBT: pay may have happened");
    expect(shown.out).toContain(`Say what happened: sluice runs rule ${runId} --done, --not-done or --try-again`);
    const silent = await run(["runs", "rule", runId]);
    expect(silent).toMatchObject({ code: 2, out: "" });
    expect(silent.err).toMatch(
      /pay: pay may have happened.*\n {2}effect {2}pay, a step of the flow\n {2}known {3}unknown: it was sent/,
    );
    expect(silent.err).toContain("error REQUEST_INVALID: nothing is said about the effect");
    const both = await run(["runs", "rule", runId, "--done", "--not-done"]);
    expect(both).toMatchObject({
      code: 2,
      err: expect.stringContaining("2 words were given, expected one") as unknown,
    });
    const odd = await run(["runs", "rule", runId, "--not-done", "--output", "-"], { input: "1" });
    expect(odd).toMatchObject({ code: 2, err: expect.stringContaining("--output goes with --done only") as unknown });
    expect(await statusOf(runId)).toBe("in_doubt");
  });

  it("--done gives the output to the flow, once", async () => {
    const runId = await inDoubt();
    const bad = await run(["runs", "rule", runId, "--done", "--output", "-"], { input: "{" });
    expect(bad).toMatchObject({
      code: 1,
      err: expect.stringContaining("error BODY_NOT_JSON: standard input") as unknown,
    });
    const gone = await run(["runs", "rule", runId, "--done", "--output", "gone.json"]);
    expect(gone).toMatchObject({
      code: 2,
      err: expect.stringContaining("gone.json cannot be read (ENOENT)") as unknown,
    });
    const good = await run(["runs", "rule", runId, "--done", "--output", "-"], { input: '{"id":7}' });
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining(`Recorded. ${runId} goes on`) as unknown });
    expect(await endOf(runId)).toMatchObject({ status: "succeeded", output: { id: 7 } });
    const again = await run(["runs", "rule", runId, "--not-done", "--key", `${runId}/0`]);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("error EFFECT_NOT_IN_DOUBT") as unknown });
    const shown = await run(["runs", "show", runId]);
    expect(shown.out).toMatch(/a person at this machine said at .*: it was done/);
  });

  it("--done without an output says that the flow gets null", async () => {
    const runId = await inDoubt();
    expect((await run(["runs", "rule", runId, "--done"])).err).toContain("No output is given, so the flow gets null");
    expect(await endOf(runId)).toMatchObject({ status: "succeeded", output: null });
  });

  it("--not-done fails the step, and may be corrected", async () => {
    const runId = await inDoubt();
    expect(await runJson(["runs", "rule", runId, "--not-done"])).toEqual({
      runId,
      key: `${runId}/0`,
      word: "not_done",
      status: "queued",
    });
    expect(await endOf(runId)).toMatchObject({ status: "failed", error: { code: "EFFECT_NOT_DONE" } });
    await runJson(["runs", "rule", runId, "--key", `${runId}/0`, "--done"]);
    expect(await endOf(runId)).toMatchObject({ status: "succeeded" });
  });

  it("--try-again is not done unasked", async () => {
    const runId = await inDoubt();
    await writeFile(join(folder, "answers"), "");
    const unasked = await run(["runs", "rule", runId, "--try-again"]);
    expect(unasked).toMatchObject({
      code: 2,
      err: expect.stringContaining("pay is performed once more, and nobody can be asked") as unknown,
    });
    const declined = await run(["runs", "rule", runId, "--try-again"], { isTerminal: true, input: "n\n" });
    expect(declined).toMatchObject({ code: 1, err: expect.stringContaining("Nothing was decided.") as unknown });
    expect(await statusOf(runId)).toBe("in_doubt");
    const asked = await run(["runs", "rule", runId, "--try-again"], { isTerminal: true, input: "y\n" });
    expect(asked.code).toBe(0);
    expect(await endOf(runId)).toMatchObject({ status: "succeeded", output: { id: 8 } });
    await rm(join(folder, "answers"));
  });

  it.each([
    [["run_none", "--done"], "error RUN_UNKNOWN", "List the runs with: sluice runs"],
    [["RUN", "--done", "--key", "k"], 'has no effect with the key "k"', "sluice runs show run_"],
  ])("%j says what there is not", async (argv, problem, hint) => {
    const runId = await inDoubt();
    const { code, err } = await run(["runs", "rule", ...argv.map((word) => (word === "RUN" ? runId : word))]);
    expect(code).toBe(1);
    expect(err).toContain(problem);
    expect(err).toContain(hint);
  });
});

/** A run of `pay` that failed at its second step, after another version of the flow had an effect there. */
async function leaveFailed(
  fingerprint: string,
  error: { readonly code: string; readonly message: string; readonly details?: JsonObject },
  receipts: readonly ReceiptState[] = [],
): Promise<string> {
  const { events, effects, runs } = app.workspace;
  const { runId } = await events.accept({
    flow: "pay", source: "test", dedupKey: crypto.randomUUID(), deliveryId: null, bodyDigest: "", payload: {}, sample: false,
    receivedAt: new Date(), begin: { executor: "exe_before", flowVersion: "before" },
  }); // oxfmt-ignore
  for (const [at, state] of receipts.entries()) {
    const key = `${runId}/${at}`;
    const [connection, action, effect] =
      at === 0 ? (["step", "pay", "irreversible"] as const) : (["slack", "slack.postMessage", "write"] as const);
    const about = { connection, action, effect, requestDigest: "", request: null };
    await effects.begin({ key, runId, stepPath: String(at), ...about, epoch: 1 });
    if (state !== "intent") await effects.settle(key, { state, response: null });
  }
  const outcome = { status: "failed", output: null, error: { retryable: false, ...error }, failedStep: "1" } as const;
  await runs.finish(runId, { ...outcome, fingerprint }, { epoch: 1, parentRunId: null });
  return runId;
}

describe("sluice runs failures and resume --group", () => {
  const fingerprint = "00000000000000a1";
  const broken = { code: "ACTION_REJECTED", message: "the machine is broken" };

  it("list failures of one kind as one group, and resume all of it after a yes", async () => {
    const ids = [
      await leaveFailed(fingerprint, broken, ["done", "unknown"]),
      await leaveFailed(fingerprint, broken, ["done", "not_done"]),
    ];
    const { out } = await run(["runs", "failures"]);
    expect(out).toMatch(/group +runs +status +flow +step +latest/);
    expect(out).toMatch(/00000000000000a1 +2 +✗ failed +pay +its own code +\S+/);
    expect(out).toContain("  ACTION_REJECTED: the machine is broken");
    const listed = (await runJson(["runs", "failures", "--limit", "1"])) as { items: object[] };
    expect(listed).toMatchObject({ items: [{ fingerprint, count: 2, runId: ids[1] }], next: null });

    const refused = await run(["runs", "resume", "--group", fingerprint]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(
      "2 runs of pay failed in the flow's own code:\nACTION_REJECTED: the machine is broken",
    );
    expect(refused.err).toMatch(/Not done; will be tried:\n {2}slack.postMessage.*\/1\n/);
    expect(refused.err).toMatch(/May have been done, and would be sent again.*\n {2}slack.postMessage.*\/1\n/);
    expect(refused.err).toContain("resuming may repeat slack.postMessage, and nobody can be asked");
    for (const id of ids) expect(await statusOf(id)).toBe("failed");
    const confirmed = await run(["runs", "resume", "--group", fingerprint], { isTerminal: true, input: "y\n" });
    expect(confirmed).toMatchObject({ code: 0, out: expect.stringContaining("Resumed 2 runs.") as unknown });
    for (const id of ids) expect(await endOf(id)).toMatchObject({ resumes: 1 });
  });

  it("resume a group without asking where nothing repeats", async () => {
    await leaveFailed("00000000000000a2", broken, ["done", "done"]);
    expect(await runJson(["runs", "resume", "--group", "00000000000000a2"])).toEqual({
      fingerprint: "00000000000000a2",
      resumed: 1,
      skipped: 0,
    });
  });

  it("say when there is no such group", async () => {
    const { code, err } = await run(["runs", "resume", "--group", "00000000000000ff"]);
    expect(code).toBe(1);
    expect(err).toContain('error NOT_FOUND: there are no failures of the kind "00000000000000ff"');
    expect(err).toContain("sluice runs failures");
  });
});

describe("sluice runs migrate", () => {
  const changed = {
    code: "FLOW_CHANGED",
    message: 'flow pay was changed and makes code "pay" where effect "slack.postMessage" is recorded as step 1',
    details: { step: "1", recorded: "slack.postMessage", recordedVersion: "before", version: "now" },
  };

  it("tells from which step a run goes on and what is done once more, and asks", async () => {
    const runId = await leaveFailed("00000000000000b1", changed, ["done", "done"]);
    expect((await run(["runs", "show", runId])).out).toContain(`Under the present code: sluice runs migrate ${runId}`);
    const refused = await run(["runs", "migrate", runId]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`${runId} of pay: flow pay was changed`);
    expect(refused.err).toContain("What is recorded before step 2, slack.postMessage is kept");
    expect(refused.err).toMatch(new RegExp(`would be done once more:\\n.*slack.postMessage.*${runId}/1\\n`));
    expect(refused.err).not.toContain(`${runId}/0`);
    expect(refused.err).toContain("migrating does slack.postMessage once more, and nobody can be asked");
    const declined = await run(["runs", "migrate", runId], { isTerminal: true, input: "\n" });
    expect(declined).toMatchObject({ code: 1, err: expect.stringContaining("Not migrated.") as unknown });
    expect(await runJson(["runs", "migrate", runId, "--yes"])).toEqual({ migrated: [runId], skipped: 0 });
    expect(await endOf(runId)).toMatchObject({ status: "succeeded", resumes: 1 });
    const other = await leaveFailed("00000000000000b2", { code: "STEP_FAILED", message: "no" });
    expect(await run(["runs", "migrate", other])).toMatchObject({
      code: 1,
      err: expect.stringContaining("error RUN_NOT_MIGRATABLE") as unknown,
    });
  });

  it("takes all runs of a flow", async () => {
    const ids = [await leaveFailed("00000000000000c1", changed), await leaveFailed("00000000000000c1", changed)];
    expect(await runJson(["runs", "migrate", "--flow", "nap"])).toEqual({ migrated: [], skipped: 0 });
    const { code, out } = await run(["runs", "migrate", "--flow", "pay"]);
    expect({ code, out }).toEqual({ code: 0, out: "Migrated 2 runs.\n" });
    for (const id of ids) expect(await endOf(id)).toMatchObject({ resumes: 1 });
    expect((await run(["runs", "migrate", "--flow", "pay"])).err).toContain("No run of pay failed because");
  });

  it("--recheck wakes waiting runs that began under other code", async () => {
    const { events, runs } = app.workspace;
    const { runId } = await events.accept({
      flow: "pay", source: "test", dedupKey: crypto.randomUUID(), deliveryId: null, bodyDigest: "", payload: {}, sample: false,
      receivedAt: new Date(), begin: { executor: "exe_before", flowVersion: "before" },
    }); // oxfmt-ignore
    await runs.park(runId, { wakeAt: null, signals: 0 }, 1);
    expect(await runJson(["runs", "migrate", "--flow", "pay", "--recheck"])).toEqual({ woken: 1 });
    expect(await endOf(runId)).not.toBeNull();
    expect((await run(["runs", "migrate", "--recheck"])).out).toBe(
      "Woke 0 waiting runs that began under other code.\n",
    );
    const unknown = await run(["runs", "migrate", "--flow", "nope", "--recheck"]);
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining("error FLOW_UNKNOWN") as unknown });
  });
});

describe("sluice runs cancel", () => {
  it("also ends the sub-flow that the run waits for", async () => {
    const { runId } = (await runJson(["run", "plan", "--sample", "any", "--wait", "0"])) as { runId: string };
    const childOf = async () => (await app.workspace.runs.list({ parent: runId })).items[0];
    await expect.poll(childOf).toMatchObject({ flow: "nap", status: "waiting" });
    const shown = await run(["runs", "show", runId]);
    expect(shown.out).toMatch(/started nap: ◔ waiting {2}run_/);
    const { code, out } = await run(["runs", "cancel", runId]);
    expect(code).toBe(0);
    expect(out).toContain(`Cancelled ${runId} and 1 sub-flow of it.`);
    expect([await statusOf(runId), (await childOf())?.status]).toEqual(["cancelled", "cancelled"]);
  });
});
