import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { describe, expect, it, type TestContext } from "vitest";
import type { Report } from "../../examples/demo/report.ts";
import { samples } from "../../examples/lead-routing/samples.ts";
import { testDatabase, testKey } from "../support/database.ts";

const packageFolder = join(import.meta.dirname, "../..");
/** A new folder for a demo's data, gone after the test. */
async function makeFolder({ onTestFinished }: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-demo-"));
  // As root, Postgres runs as another user, who must be able to enter.
  await chmod(folder, 0o755);
  onTestFinished(async () => {
    await stopPostgres(folder);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A demo that was killed and never started again leaves its Postgres to nobody. */
async function stopPostgres(folder: string): Promise<void> {
  const file = await readFile(join(folder, "postgres/data/postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(file.split("\n")[0]);
  if (pid > 1) process.kill(pid, "SIGINT");
}

/** Starts what `npm run demo -- --once --json` starts, in a process group of its own, with nothing of a model's key around. */
async function startDemo(folder: string, environment: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const { scripts } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8")) as {
    scripts: { demo: string };
  };
  const [, ...command] = scripts.demo.split(" ");
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, [...command, "--once", "--json", "--folder", folder], {
    cwd: packageFolder,
    env: { PATH, HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

interface Outcome {
  readonly code: number | null;
  readonly report: Report;
  readonly story: string;
}

/** Lets a demo come to its end. A stdout with anything but one JSON document fails here. */
async function runDemo(folder: string, environment?: NodeJS.ProcessEnv): Promise<Outcome> {
  const demo = await startDemo(folder, environment);
  const ended = new Promise<number | null>((resolve) => demo.once("close", resolve));
  const [stdout, story] = await Promise.all([text(demo.stdout!), text(demo.stderr!)]);
  return { code: await ended, report: JSON.parse(stdout) as Report, story };
}

/** Kills a demo and all that it started, but for Postgres, as soon as its story has come to a word. */
async function killDemoAt(word: string, folder: string, environment?: NodeJS.ProcessEnv): Promise<void> {
  const demo = await startDemo(folder, environment);
  const ended = new Promise((resolve) => demo.once("exit", resolve));
  for await (const line of createInterface(demo.stderr!)) {
    if (line.includes(word)) process.kill(-demo.pid!, "SIGKILL");
  }
  await ended;
  expect(demo.signalCode).toBe("SIGKILL");
}

/**
 * Kills a demo while the model has its first lead, and lets the next one come to its end. On a busy machine the kill may
 * be too late, and leave nothing to recover: then once more.
 */
async function runAfterKill(folder: string, environment?: NodeJS.ProcessEnv): Promise<Outcome> {
  let next: Outcome;
  let rounds = 0;
  do {
    await killDemoAt("analysing", folder, environment);
    next = await runDemo(folder, environment);
    expectSuccess(next);
    rounds += 1;
  } while (shapeOf(next).recovered === 0 && rounds < 3);
  return next;
}

function expectSuccess({ code, report }: Outcome): void {
  expect(report.problems).toEqual([]);
  expect(report.ok).toBe(true);
  expect(code).toBe(0);
}

const shapeOf = ({ report }: Outcome) => ({
  recovered: report.runs.filter((run) => run.recovered).length,
  runs: report.runs.length,
  slack: report.effects.slack.length,
  hubspot: report.effects.hubspot.map((effect) => effect.operation),
});

/** Forms in which a value may turn up in a log. */
function formsOf(value: string): string[] {
  // Base64 of a part depends on where in a group of three bytes it begins.
  const shifted = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(" ".repeat(shift) + value).toString("base64");
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  });
  return [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), ...shifted];
}

/** What must not be in a log: the words of the leads, and what the folder's keys and tokens are. */
async function plantedValues(folder: string): Promise<string[]> {
  const files = ["sandbox/credentials.json", "sandbox/secrets.json"].map((name) =>
    readFile(join(folder, name), "utf8"),
  );
  const secrets = (await Promise.all(files)).flatMap((json) =>
    Object.values(JSON.parse(json) as { [name: string]: string }),
  );
  const password = await readFile(join(folder, "postgres/password"), "utf8");
  const words = Object.values(samples).flatMap((sample) => Object.values(sample));
  return [...secrets, password.trim(), ...words];
}

describe.concurrent("npm run demo -- --once --json", { timeout: 60_000 }, () => {
  it("keeps its promises at the first start and on the same data again, and logs no secret and no word of a lead", async (context) => {
    const folder = await makeFolder(context);
    const first = await runDemo(folder);
    expectSuccess(first);
    expect(shapeOf(first)).toEqual({ recovered: 0, runs: 3, slack: 1, hubspot: ["created", "created", "created"] });
    expect(first.report.model).toBe("simulated-1 (SIMULATED)");
    expect(first.report.database).toMatch(/^embedded 18\./);
    expect(first.report.events.map(({ name, status, code }) => [name, status, code])).toEqual([
      ["urgent-lead", 202, undefined],
      ["vague-lead", 202, undefined],
      ["support-request", 202, undefined],
      ["duplicate-delivery", 200, undefined],
      ["bad-signature", 401, "SIGNATURE_INVALID"],
      ["broken-payload", 422, "PAYLOAD_INVALID"],
      ["broken-json", 400, "BODY_NOT_JSON"],
    ]);
    expect(first.report.runs[0]?.steps.map(({ name, status, attempts }) => [name, status, attempts])).toEqual([
      ["analyse lead", "succeeded", 1],
      ["slack.postMessage", "succeeded", 1],
      ["crm.createLead", "succeeded", 1],
    ]);

    const second = await runDemo(folder);
    expectSuccess(second);
    expect(shapeOf(second)).toEqual({ recovered: 0, runs: 3, slack: 1, hubspot: ["updated", "updated", "updated"] });

    const log = await readFile(join(folder, "sluice.log"), "utf8");
    expect(log).toContain("run.succeeded");
    const postgresLog = await readFile(join(folder, "postgres/postgres.log"), "utf8");
    const planted = await plantedValues(folder);
    expect(planted.length).toBeGreaterThan(15);
    const findPlanted = (lines: string) =>
      planted.filter((value) => formsOf(value).some((form) => lines.includes(form)));
    expect(findPlanted(JSON.stringify(first.report))).toContain(samples.vague.email);
    for (const lines of [log, postgresLog, first.story, second.story]) expect(findPlanted(lines)).toEqual([]);
  });

  it("recovers what kill -9 of everything left, and doubles nothing", async (context) => {
    const folder = await makeFolder(context);
    expect(shapeOf(await runAfterKill(folder))).toMatchObject({ recovered: 1, runs: 4, slack: 2 });

    // Whether the run had come to its end by then is for chance to decide.
    await killDemoAt("Slack", folder);
    expectSuccess(await runDemo(folder));
  });

  it("keeps its promises on another Postgres, also where a demo of another folder was killed", async (context) => {
    const database = await testDatabase();
    context.onTestFinished(() => database.drop());
    // Whoever shares a database shares the key that its content is sealed with.
    const environment = { SLUICE_DATABASE_URL: database.url, SLUICE_KEY: testKey.toString("base64") };
    await killDemoAt("analysing", await makeFolder(context), environment);
    const folder = await makeFolder(context);
    const next = await runDemo(folder, environment);
    expectSuccess(next);
    expect(shapeOf(next)).toMatchObject({ recovered: 0, runs: 3, slack: 1 });
    expect(next.report.database).toMatch(/^external \d+/);

    expect(shapeOf(await runAfterKill(folder, environment))).toMatchObject({ recovered: 1, runs: 4, slack: 2 });
  });

  it("tells about an unknown option, with exit code 2", async () => {
    const demo = spawn(process.execPath, ["examples/demo.ts", "--onec"], { cwd: packageFolder });
    const ended = new Promise((resolve) => demo.once("close", resolve));
    expect(await text(demo.stderr)).toBe(
      "error: Unknown option '--onec'\nhint: see all options with npm run demo -- --help\n",
    );
    expect(await ended).toBe(2);
  });
});
