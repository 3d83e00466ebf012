import { readFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord, SluiceError } from "../core/index.ts";
import { version } from "../version.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { toned } from "./terminal.ts";

/** Below the package's folder, both from `src/` and from `dist/`. */
const examples = new URL("../../examples/", import.meta.url);
const packageFolder = fileURLToPath(new URL("../../", import.meta.url));
const copied = ["sluice.config.ts", "connections.ts", "lead-routing/flow.ts", "lead-routing/samples.ts"];

const gitIgnore = "node_modules/\n.sluice/\n.env\n";

const tsconfig = {
  compilerOptions: {
    target: "es2024",
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    // Node runs the files as they are, by leaving the types out.
    erasableSyntaxOnly: true,
  },
};

interface ProjectFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly content: string;
  /** Whether a file that is there already does as well. Default: only one that is equal. */
  readonly isUsable?: (existing: string) => boolean;
}

/**
 * `sluice init`: makes a project with the lead-routing example. Nothing is overwritten: either all files are made, or
 * none.
 *
 * @throws CONFIG_INVALID when a file is there already and is another one.
 */
export async function init(
  { terminal, workingFolder }: CommandContext,
  folder: string,
  options: CommonOptions,
): Promise<void> {
  const target = resolve(workingFolder, folder);
  const files = await projectFiles(target);
  const made: string[] = [];
  const missing: ProjectFile[] = [];
  for (const file of files) if (await isMissing(target, file)) missing.push(file);
  for (const { path, content } of missing) {
    await write(join(target, path), content);
    made.push(path);
  }
  if (options.json) return terminal.printJson({ folder: target, made });
  const place = relative(workingFolder, target) || ".";
  terminal.print(made.length === 0 ? `Everything is there already in ${place}` : `Made in ${place}:`);
  for (const path of made) terminal.print("  ", path);
  terminal.print();
  terminal.print("Next:");
  for (const line of [...(place === "." ? [] : [`cd ${place}`]), "npm install", "npm run dev"])
    terminal.print("  ", toned("strong", line));
  terminal.print();
  terminal.print(
    "It needs no account and no key: outside systems are stand-ins, and without a model the answers are SIMULATED.",
  );
}

async function projectFiles(target: string): Promise<ProjectFile[]> {
  const sources = await Promise.all(
    copied.map(async (path) => ({ path, content: await readFile(fileURLToPath(new URL(path, examples)), "utf8") })),
  );
  const manifest = {
    name: toPackageName(basename(target)),
    private: true,
    type: "module",
    scripts: { dev: "sluice dev", start: "sluice start" },
    dependencies: { sluice: dependencyFrom(target) },
  };
  return [
    { path: "package.json", content: toText(manifest), isUsable: isUsableManifest },
    { path: "tsconfig.json", content: toText(tsconfig) },
    {
      path: ".gitignore",
      content: gitIgnore,
      isUsable: (text) => /^\/?\.sluice\/?$/m.test(text) && /^\/?\.env$/m.test(text),
    },
    ...sources,
  ];
}

/** False in a checkout, which no registry has. */
const isInstalled = packageFolder.split(sep).includes("node_modules");

/** What the project depends on: this version, or the folder of the checkout. */
function dependencyFrom(target: string): string {
  return isInstalled ? version : `file:${relative(target, packageFolder).split(sep).join("/")}`;
}

/** npm makes one when Sluice is installed before `sluice init`. */
function isUsableManifest(text: string): boolean {
  const manifest = parse(text);
  if (!isRecord(manifest) || manifest["type"] !== "module") return false;
  return ["dependencies", "devDependencies"].some((kind) => {
    const packages = manifest[kind];
    return isRecord(packages) && packages["sluice"] !== undefined;
  });
}

/** Null for what is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function isMissing(target: string, { path, content, isUsable }: ProjectFile): Promise<boolean> {
  const existing = await readIfThere(join(target, path));
  if (existing === null) return true;
  if (existing === content || isUsable?.(existing)) return false;
  throw new SluiceError("CONFIG_INVALID", {
    message: `${join(target, path)} is there already, with other content; nothing was written`,
    hint: existingHint(path),
  });
}

function existingHint(path: string): string {
  if (path === "package.json")
    return `Run: npm pkg set type=module && npm install ${isInstalled ? `sluice@${version}` : packageFolder}. Then init again. Or use an empty folder: sluice init NAME`;
  if (path === ".gitignore")
    return "Add the lines .sluice/ and .env to it, then init again. Or use an empty folder: sluice init NAME";
  return "Use an empty folder, such as: sluice init NAME. Or move the file away.";
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unusable(file, thrown);
  }
}

/** Refuses a file that came into being since it was looked for. */
async function write(file: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { flag: "wx" });
  } catch (thrown) {
    throw unusable(file, thrown);
  }
}

function unusable(file: string, cause: unknown): SluiceError {
  return new SluiceError("CONFIG_INVALID", {
    message: `${file} cannot be used (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`,
    hint: "Choose a folder that you may write to: sluice init NAME",
    cause,
  });
}

const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The nearest name that npm takes. */
function toPackageName(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "") || "sluice-project"
  );
}
