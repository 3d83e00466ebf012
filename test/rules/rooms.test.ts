import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** Examines the arrows of a folder by the rules of this repository. */
async function cruise(folder: string, ...roots: readonly string[]): Promise<Cruise["summary"]> {
  const program = resolve("node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const args = [program, ...roots, "--config", resolve(".dependency-cruiser.cjs"), "--output-type", "json"];
  // Its exit code is the number of violations; the report says which.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }).catch(
    (failure: { stdout: string }) => failure,
  );
  return (JSON.parse(stdout) as Cruise).summary;
}

describe("the arrows between rooms", () => {
  it("are kept, and all modules were looked at", async () => {
    const { violations, totalCruised } = await cruise(".", "src", "examples");
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
    // With a TypeScript that it cannot use, dependency-cruiser finds no modules and nothing wrong.
    expect(totalCruised).toBeGreaterThan(150);
  });
});

/** Files that break a rule each, and the rule. */
const planted: { readonly [path: string]: readonly [source: string, rule: string] } = {
  "src/core/planted.ts": ['import "../store/index.ts";', "core-imports"],
  "src/connect/connectors/planted.ts": ['import "../../ai/index.ts";', "connect-imports"],
  "src/server/planted.ts": ['import "pg";', "only-store-imports-pg"],
  "src/triggers/planted.ts": ['import "../store/inner.ts";', "rooms-are-entered-by-their-door"],
  "src/review/planted.ts": ['import "../engine/index.ts";', "only-app-and-testing-import-engine"],
  "src/ops/planted.ts": ['import "../app.ts";', "only-cli-and-testing-import-the-application"],
  "src/store/inner.ts": ['import "./fixtures/planted.ts";', "no-test-code-in-the-package"],
  "src/ai/planted.ts": ['import "./index.ts";', "no-cycles"],
  "src/cli/planted.ts": ['import "left-pad";', "nothing-unresolved"],
  "examples/planted.ts": ['import "../src/store/index.ts";', "examples-import-what-is-published"],
};
const doors = { store: "inner", ai: "planted", engine: "" };

describe("the rules of rooms", () => {
  let folder = "";
  let violations: Cruise["summary"]["violations"] = [];

  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-rooms-"));
    await symlink(resolve("node_modules"), join(folder, "node_modules"));
    await write("package.json", JSON.stringify({ type: "module", dependencies: { pg: "*" } }));
    await write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: { allowImportingTsExtensions: true, noEmit: true } }),
    );
    await write("src/app.ts", "export {};");
    await write("src/store/fixtures/planted.ts", "export {};");
    for (const [room, inner] of Object.entries(doors)) {
      await write(`src/${room}/index.ts`, inner ? `import "./${inner}.ts";` : "export {};");
    }
    for (const [path, [source]] of Object.entries(planted)) await write(path, source);
    ({ violations } = await cruise(folder, "src", "examples"));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.entries(planted))("catch %s", (path, [, rule]) => {
    // A cycle is told once, from any of its files.
    const caught = violations.filter(({ from, to }) => from === path || to === path);
    expect(caught.map((violation) => violation.rule.name)).toContain(rule);
  });

  it("let a room import itself, and the doors that it may", () => {
    expect(violations.filter(({ from, to }) => from === "src/store/index.ts" && to === "src/store/inner.ts")).toEqual(
      [],
    );
  });
});
