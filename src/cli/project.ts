import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { SluiceError } from "../core/index.ts";
import type { Streams, Terminal } from "./terminal.ts";

/** What every command is given. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly stdin: Streams["stdin"];
  readonly workingFolder: string;
  /** Gets what the project's `.env` sets and it lacks. */
  readonly environment: { [name: string]: string | undefined };
}

/** The options of every command. */
export interface CommonOptions {
  readonly config?: string;
  readonly folder?: string;
  readonly debug?: boolean;
  readonly json?: boolean;
}

/** The files that a command works on. */
export interface Project {
  /** Null when there is none, which many commands can do without. */
  readonly configFile: string | null;
  /** Where the data lies. */
  readonly folder: string;
}

const configNames = ["sluice.config.ts", "sluice.config.mts", "sluice.config.js", "sluice.config.mjs"];

/**
 * Finds the configuration and the data folder, and reads the `.env` beside the configuration; variables that are set
 * already keep their value.
 *
 * @throws CONFIG_NOT_FOUND when the file that was asked for is not there; CONFIG_INVALID when `.env` cannot be read.
 */
export function openProject(context: CommandContext, options: CommonOptions): Project {
  const { workingFolder, environment } = context;
  const configFile = findConfig(workingFolder, options.config);
  const home = configFile === null ? workingFolder : dirname(configFile);
  for (const [name, value] of Object.entries(readEnv(join(home, ".env")))) environment[name] ??= value;
  return { configFile, folder: resolve(workingFolder, options.folder ?? join(home, ".sluice")) };
}

/** The path of the configuration. @throws CONFIG_NOT_FOUND when the project has none. */
export function configFileOf({ configFile }: Project, { workingFolder }: CommandContext): string {
  if (configFile !== null) return configFile;
  throw new SluiceError("CONFIG_NOT_FOUND", {
    message: `there is no sluice.config.ts in ${workingFolder}`,
    hint: "Make a project with: sluice init. Or go to its folder, or name the file with --config FILE.",
  });
}

function findConfig(workingFolder: string, asked: string | undefined): string | null {
  const candidates = (asked === undefined ? configNames : [asked]).map((name) => resolve(workingFolder, name));
  const found = candidates.find((file) => existsSync(file));
  if (found !== undefined || asked === undefined) return found ?? null;
  throw new SluiceError("CONFIG_NOT_FOUND", {
    message: `the configuration ${candidates.join()} is not there`,
    hint: "Check what was given as --config; it is looked for from the working directory.",
  });
}

function readEnv(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new SluiceError("CONFIG_INVALID", {
      message: `${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? "not understood"})`,
      hint: "Let the user who runs sluice read it, or remove it.",
      cause,
    });
  }
}
