import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rm } from "node:fs/promises";
import { version } from "../version.ts";
import { emptyFolder } from "./fixtures/project.ts";
import { runCli } from "./fixtures/run-cli.ts";

let folder: string;
beforeAll(async () => void (folder = await emptyFolder()));
afterAll(() => rm(folder, { recursive: true }));

const run = (line: string) => runCli(line === "" ? [] : line.split(" "), { in: folder });

describe("the command line", () => {
  it("prints the version", async () => {
    expect(await run("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it("prints help with all commands, variables and examples", async () => {
    const { code, out, err } = await run("--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const word of ["init", "dev", "start", "worker", "run", "runs", "doctor", "SLUICE_DATABASE_URL", "Examples:"])
      expect(out).toContain(word);
  });

  it("prints help as an error when it is told nothing", async () => {
    const { code, out, err } = await run("");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: sluice");
  });

  it.each([
    ["strat", "unknown command 'strat'", "Did you mean start?"],
    ["runs shwo", "unknown command 'shwo' of runs", "It has list, show, failures, resume, migrate, rule and cancel."],
    ["runs run_1", "unknown command 'run_1' of runs", "Did you mean: sluice runs show run_1"],
    ["runs --stats failed", "unknown option '--stats'", "Did you mean --status?"],
    ["runs --limit 0", "option '--limit <count>' argument '0' is invalid", "It must be a whole number from 1 to 200."],
    ["runs --status lost", '--status "lost" is no state of a run', "Give one or more of these"],
    ["run", "missing required argument 'flow'", "Add --help"],
    ["run x --wait soon", "option '--wait <seconds>' argument 'soon' is invalid", "It must be a number of seconds"],
    ["runs resume", "no run is named", "Give one of: a run's id, or --group GROUP"],
    ["runs resume run_1 --group 1", "a run and a group were named", "Give one of: a run's id, or --group GROUP"],
    ["runs migrate", "no run is named", "Give one of: a run's id, or --flow NAME"],
    ["runs migrate run_1 --flow x", "a run and a flow were named", "Give one of: a run's id, or --flow NAME"],
    [
      "runs migrate run_1 --recheck",
      "--recheck is for all waiting runs of a flow",
      "Give --flow NAME instead of a run.",
    ],
    ["start --role boss", "option '--role <role>' argument 'boss' is invalid", "Allowed choices are all, web, worker."],
    ["start --role worker --admin-port 1", "--admin-port does not go with --role worker", "A worker listens nowhere"],
    ["init a b", "too many arguments for 'init'", "Add --help"],
  ])("sluice %s: says what is wrong and what to do, with exit code 2", async (line, problem, hint) => {
    const { code, out, err } = await run(line);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`error REQUEST_INVALID: ${problem}`);
    expect(err).toContain(`hint: ${hint}`);
  });

  it("gives an error as one JSON document on standard output with --json", async () => {
    const { code, out, err } = await run("runs show run_1 --json");
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(JSON.parse(out)).toEqual({
      error: {
        code: "DATABASE_FOLDER_UNREACHABLE",
        message: `there is no database in ${folder}/.sluice yet`,
        retryable: false,
        hint: expect.stringContaining("sluice init") as unknown,
      },
    });
  });

  it("shows the stack only with --debug", async () => {
    expect((await run("dev")).err).not.toContain("    at ");
    expect((await run("dev --debug")).err).toContain("    at ");
  });

  it.each(["dev", "start", "worker", "run flow", "doctor"])(
    "sluice %s: says when there is no project",
    async (line) => {
      const { code, out, err } = await run(line);
      expect(code).toBe(1);
      expect(out + err).toContain(`CONFIG_NOT_FOUND: there is no sluice.config.ts in ${folder}`);
    },
  );
});
