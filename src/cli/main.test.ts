import { type ChildProcess, fork, spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase, testKey } from "../../test/support/database.ts";
import { version } from "../version.ts";
import { createProject } from "./fixtures/project.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const endSlowly = fileURLToPath(new URL("./fixtures/end-slowly.ts", import.meta.url));
/** As the first line of main.ts says, and from the sources. */
const switches = ["--disallow-code-generation-from-strings", "--disable-proto=delete", "--conditions=sluice-source"];

let folder: string;
let database: TestDatabase;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await createProject();
  database = await testDatabase();
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

/** A process whose words can be waited for. */
function watchProcess(child: ChildProcess) {
  children.push(child);
  const heard = { out: "", err: "" };
  const listeners = new Set<() => void>();
  const hear = (stream: "out" | "err") => (chunk: Buffer) => {
    heard[stream] += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", hear("out"));
  child.stderr?.on("data", hear("err"));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    // A child whose channel was closed from this side does not tell "close".
    child.once(child.connected ? "exit" : "close", (code, signal) => resolve({ code, signal }));
  });
  return {
    child,
    heard,
    ended,
    /** Resolves with the match, when it is said for the n-th time. */
    says: async (pattern: RegExp, times = 1): Promise<RegExpMatchArray> => {
      const all = new RegExp(pattern, "g");
      for (;;) {
        const found = [...`${heard.out}${heard.err}`.matchAll(all)][times - 1];
        if (found) return found;
        const outcome = await Promise.race([ended, new Promise<void>((resolve) => listeners.add(resolve))]);
        if (outcome) throw new Error(`ended with ${outcome.code} before it said ${pattern}: ${heard.out}${heard.err}`);
        listeners.clear();
      }
    },
  };
}

function sluice(argv: readonly string[], nodeOptions: readonly string[] = [], cwd = folder) {
  const environment = {
    PATH: process.env["PATH"],
    SLUICE_DATABASE_URL: database.url,
    SLUICE_KEY: testKey.toString("base64"),
    CLI_HOOK_TOKEN: "a-long-enough-token-0123456789",
    CLI_SLACK_TOKEN: "xoxb-1",
  };
  return watchProcess(spawn(process.execPath, [...switches, ...nodeOptions, main, ...argv], { cwd, env: environment }));
}

function isFree(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), hostname);
    socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
    socket.once("connect", () => socket.destroy());
  });
}

describe("the program", () => {
  it("names its switches in its first line", async () => {
    const [first] = (await readFile(main, "utf8")).split("\n");
    expect(first).toBe("#!/usr/bin/env -S node --disallow-code-generation-from-strings --disable-proto=delete");
  });

  it("exits with 0, or 2 when it was called in a wrong way", async () => {
    const [good, wrong] = [sluice(["--version"]), sluice(["nope"])];
    expect(await good.ended).toEqual({ code: 0, signal: null });
    expect(good.heard).toEqual({ out: `${version}\n`, err: "" });
    expect(await wrong.ended).toEqual({ code: 2, signal: null });
  });

  it("says so on an old Node, and loads nothing else", async () => {
    const pretend = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'22.17.9'}})";
    const old = sluice(["start"], ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`]);
    expect(await old.ended).toEqual({ code: 1, signal: null });
    expect(old.heard.err).toMatch(/^error NODE_TOO_OLD: this is Node 22\.17\.9; Sluice needs 22\.19 or later\nhint: /);
  });
});

const slow = (...options: string[]) =>
  watchProcess(fork(endSlowly, options, { execArgv: [], stdio: ["ignore", "pipe", "inherit", "ipc"] }));

describe("the wish to end", () => {
  it("is a signal; what follows at once is the same one, and a later one ends the process", async () => {
    const { child, says, ended } = slow();
    await says(/listening/);
    child.kill("SIGINT");
    await says(/ending/);
    child.kill("SIGINT");
    child.send("are you there?");
    await says(/still here/);
    const impatience = setInterval(() => child.kill("SIGTERM"), 50);
    expect(await ended).toEqual({ code: null, signal: "SIGTERM" });
    clearInterval(impatience);
  });

  it("is also a message", async () => {
    const { child, says, ended } = slow("--quick");
    await says(/listening/);
    child.send("stop");
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it("is also that the process which could send it is gone", async () => {
    const { child, says, ended } = slow("--quick");
    await says(/listening/);
    child.disconnect();
    expect(await ended).toEqual({ code: 0, signal: null });
  });
});

describe("sluice start", () => {
  it("serves, prints the setup link, and after SIGTERM exits with 0 and leaves its ports free", async () => {
    const { child, says, ended, heard } = sluice(["start", "--public-port", "0", "--admin-port", "0"]);
    const [, publicUrl = ""] = await says(/"address":"(http:[^"]+)"/);
    const [, adminUrl = ""] = await says(/First user: open (http:\S+)\/setup\?token=/);
    expect((await fetch(`${publicUrl}/readyz`)).status).toBe(200);
    expect((await fetch(`${adminUrl}/healthz`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(await Promise.all([publicUrl, adminUrl].map(isFree))).toEqual([true, true]);
    expect(heard.out).toBe("");
  });
});

/** A flow that gives back what it is given. */
const echoSource = () => `
import { call, flow, secret, z } from "sluice";
import { slackConnection } from "sluice/slack";
export const slack = slackConnection({ name: "slack", token: secret("CLI_SLACK_TOKEN") });
const trigger = call({ payload: z.object({ text: z.string() }), samples: { hi: { text: "hi" } } });
export const echo = flow({ name: "echo", trigger, run: async ({ text }) => text });
`;

describe("sluice start --role", () => {
  it("web serves and executes nothing, worker executes and listens nowhere, on one database", async () => {
    const project = await createProject(echoSource, "echo");
    const web = sluice(["start", "--role", "web", "--public-port", "0", "--admin-port", "0"], [], project);
    const [, publicUrl = ""] = await web.says(/"address":"(http:[^"]+)"/);
    expect((await fetch(`${publicUrl}/readyz`)).status).toBe(200);
    const alone = sluice(["run", "echo", "--sample", "hi"], [], project);
    expect(await alone.ended).toEqual({ code: 1, signal: null });
    expect(alone.heard.err).toContain("error SHUTTING_DOWN: no process executes runs");

    const worker = sluice(["start", "--role", "worker"], [], project);
    await worker.says(/worker\.started/);
    const run = sluice(["run", "echo", "--sample", "hi"], [], project);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.heard.out).toBe('"hi"\n');
    for (const { child, ended } of [web, worker]) {
      child.kill("SIGTERM");
      expect(await ended).toEqual({ code: 0, signal: null });
    }
    await rm(project, { recursive: true });
  });
});

describe("sluice worker and sluice run", () => {
  it("work together over the database", async () => {
    const worker = sluice(["worker"]);
    await worker.says(/worker\.started/);
    const run = sluice(["run", "fragile", "--sample", "very long", "--wait", "600"]);
    await run.says(/Accepted run_/);
    run.child.kill("SIGINT");
    expect(await run.ended).toEqual({ code: 1, signal: null });
    expect(run.heard.err).toContain("It goes on without this command.");
    worker.child.kill("SIGINT");
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  });
});

describe("sluice dev", () => {
  it("starts anew after a change, waits while the project is broken, and ends with all its processes", async () => {
    const flow = join(folder, "flow.ts");
    const source = await readFile(flow, "utf8");
    const { child, says, ended, heard } = sluice(["dev", "--public-port", "0", "--admin-port", "0"]);
    const [, publicUrl = ""] = await says(/POST (http:\S+)\/hooks\/fragile starts fragile; signed by bearer/);
    await says(/Ctrl-C ends it/);
    await writeFile(flow, source.replace("slept", "rested"));
    await says(/Starting anew: flow\.ts changed/);
    const [, again = ""] = await says(/Ready again: hooks on (http:[^,]+)/);
    expect(await isFree(publicUrl)).toBe(true);
    await writeFile(flow, "export const fragile = ;");
    await says(/error CONFIG_INVALID: sluice\.config\.ts cannot be loaded: SyntaxError: .*flow\.ts:1/);
    await says(/Waiting for a change/);
    expect(await isFree(again)).toBe(true);
    await writeFile(flow, source);
    const [, last = ""] = await says(/Ready again: hooks on (http:[^,]+)/, 2);
    child.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(await isFree(last)).toBe(true);
    expect(heard.err).toContain("SIMULATED");
  }, 40_000);

  it("ends when the reason is not in the project's files, and says which option helps", async () => {
    const { port } = new URL(database.url);
    const { ended, heard } = sluice(["dev", "--public-port", port, "--admin-port", "0"]);
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(heard.err).toContain(`error PORT_IN_USE: port ${port} of 127.0.0.1`);
    expect(heard.err).toContain("--public-port 4700");
    expect(heard.err).not.toContain("Waiting for a change");
  });
});
