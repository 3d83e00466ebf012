// `npm run check:package`: packs what `npm run build` made, installs it into an empty folder as a user would, and uses it
// there under plain Node: no source, no development dependency, no flag.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What an installation may cost: half of what a user would notice on a small server. */
const maxPackages = 120;
const maxBytes = 200e6;

const root = process.cwd();
const tools = join(root, "node_modules/.bin");
const room = await mkdtemp(join(tmpdir(), "sluice-package-"));
// As root, the bundled Postgres runs as another user, who must be able to enter.
await chmod(room, 0o755);
const project = join(room, "project");
const manifest = await readJson<{ version: string; exports: object }>(join(root, "package.json"));
const doors = Object.keys(manifest.exports).filter((door) => door !== "./package.json");

try {
  const tarball = await step("pack", pack);
  await step("publint", () => run(join(tools, "publint"), ["run", tarball, "--strict"], root));
  await step("attw", () => run(join(tools, "attw"), [tarball, "--profile", "esm-only"], root));
  await step("install", () => install(tarball));
  await step("doors open", openDoors);
  await step("sluice --version", () => assert.equal(sluice(["--version"], project).trim(), manifest.version));
  await step("sluice init", () => assert.match(sluice(["init", "app", "--json"], project), /sluice\.config\.ts/));
  await step("types", checkTypes);
  await step("run a flow", runFlow);
} finally {
  await rm(room, { recursive: true, force: true, maxRetries: 5 });
}

async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  process.stdout.write(`ok ${name} (${Math.round(performance.now() - start)} ms)\n`);
  return result;
}

/** Gives the path of the tarball. */
async function pack(): Promise<string> {
  const printed = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", room], root);
  const [packed] = JSON.parse(printed) as [{ filename: string; files: { path: string }[] }];
  const paths = packed.files.map(({ path }) => path);
  const stray = paths.filter((path) => /\.test\.|(^|\/)(fixtures|test|bench|docs)\//.test(path));
  assert.deepEqual(stray, [], "only what a user needs is in the package");
  const needed = [
    "README.md",
    "LICENSE",
    "dist/cli/main.js",
    "dist/sandbox/main.js",
    "dist/dashboard/index.html",
    "dist/dashboard/licenses.md",
    "dist/dashboard/font-licenses.txt",
  ];
  assert.deepEqual(
    needed.filter((path) => !paths.includes(path)),
    [],
    "the package lacks something",
  );
  return join(room, packed.filename);
}

async function install(tarball: string): Promise<void> {
  await mkdir(project);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  run("npm", ["install", "--no-audit", "--no-fund", tarball], project);
  const lock = await readJson<{ packages: object }>(join(project, "node_modules/.package-lock.json"));
  const packages = Object.keys(lock.packages).length;
  const bytes = await sizeOf(join(project, "node_modules"));
  process.stdout.write(`   ${packages} packages, ${Math.round(bytes / 1e6)} MB\n`);
  assert.ok(packages <= maxPackages, `${packages} packages are more than ${maxPackages}`);
  assert.ok(bytes <= maxBytes, `${bytes} bytes are more than ${maxBytes}`);
}

function openDoors(): void {
  for (const door of doors) {
    const name = join("sluice", door);
    const script = `import(${JSON.stringify(name)}).then((door) => process.stdout.write(String(Object.keys(door).length)))`;
    assert.notEqual(run(process.execPath, ["-e", script], project), "0", `${name} exports nothing`);
  }
}

/** Strict, and with the declarations of the package itself checked as well. */
async function checkTypes(): Promise<void> {
  const consumer = `
    import { flow, webhook, z } from "sluice";
    import { startTestApp, type TestRun } from "sluice/testing";
    import config from "./sluice.config.ts";

    export const run = async (): Promise<TestRun> => (await startTestApp({ config })).run("lead-routing", {});
    export const echo = flow({
      name: "echo",
      trigger: webhook({ path: "echo", payload: z.object({ text: z.string() }), verify: { allowUnsigned: true } }),
      run: async ({ text }) => text.length,
    });
    // @ts-expect-error the payload has no such field: the types are really there
    export const wrong = flow({ ...echo, run: async ({ missing }) => missing });
  `;
  await writeFile(join(project, "app/consumer.ts"), consumer);
  run(join(tools, "tsc"), ["-p", "tsconfig.json", "--skipLibCheck", "false"], join(project, "app"));
}

/** The example that `sluice init` wrote, on the bundled Postgres and the stand-ins, from the built files. */
async function runFlow(): Promise<void> {
  const script = `
    import { startTestApp } from "sluice/testing";
    import config from "./sluice.config.ts";
    import { samples } from "./lead-routing/samples.ts";

    const test = await startTestApp({ config });
    const answer = await test.send("lead-routing", Object.values(samples)[0]);
    const run = await test.ended(answer.runId);
    const contacts = await test.sandbox.hubspotContacts();
    const page = await (await fetch(test.app.adminUrl, { headers: { accept: "text/html" } })).text();
    process.stdout.write(JSON.stringify([answer.status, run.status, contacts.length, page.includes('id="root"')]));
    await test.close();
  `;
  await writeFile(join(project, "app/run.mjs"), script);
  assert.equal(run(process.execPath, ["run.mjs"], join(project, "app")), '[202,"succeeded",1,true]');
}

function sluice(args: readonly string[], folder: string): string {
  return run(join(project, "node_modules/.bin/sluice"), args, folder);
}

/** Gives what a program wrote to stdout. */
function run(program: string, args: readonly string[], folder: string): string {
  // Not the variables that npm gave this script: they would make the inner npm believe that it works for this repository.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(cache|registry|nodedir|userconfig)$)/i.test(name),
  );
  const env = { ...Object.fromEntries(kept), PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` };
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: "utf8", env });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return stdout;
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, "utf8")) as T;
}
