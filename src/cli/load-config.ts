import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Config } from "../config.ts";
import { isRecord, SluiceError } from "../core/index.ts";

/**
 * Loads the configuration: what the file exports as default.
 *
 * @throws CONFIG_INVALID when the file or something that it imports cannot be loaded, or exports no configuration; what
 *   the declarations in it throw, such as FLOW_INVALID.
 */
export async function loadConfig(file: string): Promise<Config> {
  checkCopy(file);
  const { default: config } = await importConfig(file);
  if (isRecord(config) && Array.isArray(config["flows"])) return config as unknown as Config;
  throw new SluiceError("CONFIG_INVALID", {
    message: `${basename(file)} does not export a configuration as default`,
    hint: "Write: export default defineConfig({ flows: [...] });",
  });
}

async function importConfig(file: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError("CONFIG_INVALID", {
      message: `${basename(file)} cannot be loaded: ${describe(thrown)}`,
      hint: hintFor(thrown),
      cause: thrown,
    });
  }
}

/** The error of the operator's own code, with the place in it. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `it threw ${typeof thrown}`;
  const place = placeOf(thrown);
  const at = place === undefined || place.includes("node_modules") ? "" : ` (${place})`;
  // The first line says what is wrong; the rest is a code frame or a list of importers.
  return `${thrown.name}: ${thrown.message.trim().split("\n")[0]}${at}`;
}

/** File and line: those above the code frame of a syntax error, else the first that the stack has. */
function placeOf({ stack = "" }: Error): string | undefined {
  const place = /^(?:file:\/\/|\/|[A-Z]:\\).*:\d+(?=\n)/.exec(stack)?.[0] ?? /file:\/\/\S+?:\d+/.exec(stack)?.[0];
  if (!place?.startsWith("file:")) return place;
  const line = place.lastIndexOf(":");
  return fileURLToPath(place.slice(0, line)) + place.slice(line);
}

function hintFor(thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException | null)?.code;
  if (code === "ERR_MODULE_NOT_FOUND")
    return "Install the project's packages with npm install, and check the path of the import.";
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX")
    return "Node runs TypeScript by leaving types out: no enum, namespace or parameter property.";
  return "Correct the file. More of the error is shown with --debug.";
}

/**
 * A project that brings its own copy of Sluice must be run by that copy: flows of one copy do not find the runs of another.
 */
function checkCopy(file: string): void {
  const own = realpathSync(fileURLToPath(new URL("../../package.json", import.meta.url)));
  let used: string;
  try {
    used = realpathSync(createRequire(file).resolve("sluice/package.json"));
  } catch {
    // It names Sluice in another way, or not at all; the import tells.
    return;
  }
  if (used === own) return;
  throw new SluiceError("CONFIG_INVALID", {
    message: `${basename(file)} imports the sluice of ${used}, but this command is that of ${own}`,
    hint: "Run the project's own command: npx sluice, from the project's folder.",
  });
}
