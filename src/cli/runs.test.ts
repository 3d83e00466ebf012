import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../test/support/database.ts";
import { type App, createApp } from "../app.ts";
import { createProject } from "./fixtures/project.ts";
import { type CliSurroundings, runCli } from "./fixtures/run-cli.ts";
import { loadConfig } from "./load-config.ts";

let folder: string;
let database: TestDatabase;
let app: App;

beforeAll(async () => {
  folder = await createProject();
  database = await testDatabase();
});

afterAll(async () => {
  await app?.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

const run = (argv: readonly string[], surroundings: Partial<CliSurroundings> = {}) =>
  runCli(argv, { in: folder, environment: { SLUICE_DATABASE_URL: database.url }, ...surroundings });

/** What the commands answer with `--json`, all in one. */
interface Answer {
  readonly runId: string;
  readonly status: string;
  readonly run: { readonly status: string };
  readonly steps: readonly unknown[];
  readonly receipts: readonly unknown[];
  readonly items: readonly { readonly id: string; readonly status: string }[];
  readonly next: string | null;
}

async function runJson(argv: readonly string[], surroundings: Partial<CliSurroundings> = {}) {
  const { code, out, err } = await run([...argv, "--json"], surroundings);
  expect(err).toBe("");
  return { code, value: JSON.parse(out) as Answer };
}

/** Starts a run; it fails unless the project is mended. */
async function start(payload: object, ...options: string[]) {
  const { value } = await runJson(["run", "fragile", "--payload", "-", ...options], {
    input: JSON.stringify(payload),
  });
  return value;
}

const mend = () => writeFile(join(folder, "mended"), "");
const unmend = () => rm(join(folder, "mended"), { force: true });

it("sluice run refuses when no process executes runs, and stores nothing", async () => {
  const { code, err } = await run(["run", "fragile", "--sample", "short"]);
  expect(code).toBe(1);
  expect(err).toContain("error SHUTTING_DOWN: no process executes runs");
  expect(err).toContain("hint: Start one in another terminal: sluice dev");
  expect(await run(["runs"])).toEqual({
    code: 0,
    out: "",
    err: "No runs yet. Start one with: sluice run FLOW --sample NAME\n",
  });
});

describe("with a process that executes runs", () => {
  beforeAll(async () => {
    app = await createApp({
      config: await loadConfig(join(folder, "sluice.config.ts")),
      folder: join(folder, ".sluice"),
      environment: { SLUICE_DATABASE_URL: database.url },
      sandbox: true,
      listen: null,
      log: { write: () => {} },
    });
  });

  it("sluice run prints the output alone on standard output, and how it went beside it", async () => {
    await mend();
    const { code, out, err } = await run(["run", "fragile", "--sample", "short"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ slept: 1 });
    expect(err).toMatch(/^Accepted run_\w+\n✓ succeeded in .* sample\n$/);
    await unmend();
  });

  it("sluice run exits with 1 when the run failed, and shows its error", async () => {
    const { code, out, err } = await run(["run", "fragile", "--payload", "-"], { input: '{"ms":1}' });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("✗ failed");
    expect(err).toContain("error ACTION_REJECTED: the machine is broken\nhint: Mend it.");
    expect(err).toContain("sluice runs show run_");
  });

  it("sluice run exits with 1 when the run is not over in time, and with 0 when nobody waits", async () => {
    const slow = await runJson(["run", "fragile", "--sample", "very long", "--wait", "0.2"]);
    expect(slow).toMatchObject({
      code: 1,
      value: { status: expect.stringMatching(/queued|running|waiting/) as unknown },
    });
    const unwaited = await runJson(["run", "fragile", "--sample", "very long", "--wait", "0"]);
    expect(unwaited).toMatchObject({ code: 0, value: { status: "queued" } });
    for (const { value } of [slow, unwaited]) expect((await run(["runs", "cancel", value.runId])).code).toBe(0);
  });

  it.each([
    [["nope"], "", 1, 'error FLOW_UNKNOWN: there is no flow "nope"', "The configuration has: fragile"],
    [["fragile"], "", 2, "error REQUEST_INVALID: flow fragile needs a payload", '--sample short, --sample "very long"'],
    [["fragile", "--sample", "x"], "", 2, 'has no sample "x"', '--sample short, --sample "very long"'],
    [["fragile", "--sample", "short", "--payload", "-"], "", 2, "a payload and a sample were given", "Give one of"],
    [["fragile", "--payload", "gone.json"], "", 2, "gone.json cannot be read (ENOENT)", "Check the path"],
    [["fragile", "--payload", "-"], "{", 1, "error BODY_NOT_JSON: standard input is not valid JSON", "in UTF-8"],
    [["fragile", "--payload", "-"], '{"ms":"secret"}', 1, "error PAYLOAD_INVALID", "/ms  Invalid input"],
  ])("sluice run %j with %j says what is wrong, and quotes no payload", async (argv, input, code, problem, hint) => {
    const result = await run(["run", ...argv], { input });
    expect({ code: result.code, out: result.out }).toEqual({ code, out: "" });
    expect(result.err).toContain(problem);
    expect(result.err).toContain(hint);
    expect(result.err).not.toContain("secret");
  });

  it("sluice runs lists by flow and state, page by page", async () => {
    await start({ ms: 1 });
    await start({ ms: 1 });
    const list = ["runs", "--status", "failed,in-doubt", "--limit", "1"];
    const first = (await runJson(list)).value;
    const second = (await runJson([...list, "--before", first.next ?? ""])).value;
    expect([...first.items, ...second.items].map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect(first.items[0]?.id).not.toBe(second.items[0]?.id);
    expect((await runJson(["runs", "--flow", "other"])).value.items).toEqual([]);
    const { out, err } = await run(list);
    expect(out).toMatch(/run +flow +status +accepted +took/);
    expect(out).toContain("✗ failed");
    expect(err).toBe(`Older ones: sluice runs --status failed,in-doubt --limit 1 --before ${first.items[0]?.id}\n`);
  });

  it("sluice runs show tells the steps with attempts, effects and the end", async () => {
    const { runId } = await start({ ms: 1 });
    const { out } = await run(["runs", "show", runId]);
    expect(out).toMatch(/1 {2}slack.postMessage +effect +✓ succeeded/);
    expect(out).toContain(`slack.postMessage by slack (write): done  ${runId}/0`);
    expect(out).toContain("attempt 1 failed: ACTION_REJECTED the machine is broken");
    expect(out).toContain("Failed at step 3: ACTION_REJECTED: the machine is broken");
    const { value } = await runJson(["runs", "show", runId]);
    expect(value).toMatchObject({ run: { status: "failed" }, receipts: [{ state: "done" }] });
    expect(value.steps).toHaveLength(3);
  });

  it("sluice runs resume tells what is kept, and goes on at the failed step", async () => {
    const { runId } = await start({ ms: 1 });
    await mend();
    const { code, err } = await run(["runs", "resume", runId]);
    expect(code).toBe(0);
    expect(err).toContain("It goes on at step 3, fragile.");
    expect(err).toMatch(/Done, and will not be repeated:\n {2}slack.postMessage {2}slack {2}done/);
    const record = await app.engine.waitForEnd("default", runId, 5000, AbortSignal.timeout(5000));
    expect(record).toMatchObject({ status: "succeeded", resumes: 1 });
    expect(await run(["runs", "resume", runId])).toMatchObject({
      code: 1,
      err: expect.stringContaining("error RUN_NOT_RESUMABLE") as unknown,
    });
    await unmend();
  });

  it("sluice runs resume does not repeat an effect without a yes", async () => {
    const { runId } = await start({ ms: 1 });
    const key = `${runId}/2`;
    const request = { requestDigest: "sha256:0", request: null };
    const intent = {
      key,
      runId,
      stepPath: "2",
      connection: "bank",
      action: "bank.pay",
      effect: "write",
      ...request,
    } as const;
    // It was begun at once: its first execution.
    await app.workspace.effects.begin({ ...intent, epoch: 1 });
    await app.workspace.effects.settle(key, { state: "unknown", response: null });
    const refused = await run(["runs", "resume", runId]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("May have been done, and would be sent again");
    expect(refused.err).toContain("resuming may repeat bank.pay, and nobody can be asked");
    const declined = await run(["runs", "resume", runId], { isTerminal: true, input: "n\n" });
    expect(declined).toMatchObject({ code: 1, err: expect.stringContaining("Not resumed.") as unknown });
    expect((await app.workspace.runs.find(runId))?.status).toBe("failed");
    const confirmed = await run(["runs", "resume", runId, "--yes"]);
    expect(confirmed).toMatchObject({ code: 0, out: expect.stringContaining(`Resumed ${runId}`) as unknown });
    expect(await app.engine.waitForEnd("default", runId, 5000, AbortSignal.timeout(5000))).toMatchObject({
      resumes: 1,
    });
  });

  it("sluice runs cancel stops a run that another process executes, once", async () => {
    const { runId } = await start({ ms: 3_600_000 }, "--wait", "0");
    expect(await run(["runs", "cancel", runId])).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Cancelled ${runId}`) as unknown,
    });
    expect((await app.workspace.runs.find(runId))?.status).toBe("cancelled");
    const again = await run(["runs", "cancel", runId]);
    expect(again.code).toBe(1);
    expect(again.err).toContain(`error RUN_NOT_CANCELLABLE: run "${runId}" is cancelled; it has ended`);
  });

  it.each(["show", "resume", "cancel"])("sluice runs %s says when there is no such run", async (command) => {
    const { code, err } = await run(["runs", command, "run_none"]);
    expect(code).toBe(1);
    expect(err).toBe('error RUN_UNKNOWN: run "run_none" does not exist\nhint: List the runs with: sluice runs\n');
  });
});
