import { Command, CommanderError } from "commander";
import { version } from "../version.ts";
import { addCommands } from "./commands.ts";
import { exitCodes, reportFailure, UsageError } from "./failure.ts";
import type { CommandContext } from "./project.ts";
import { createTerminal, type Streams } from "./terminal.ts";

/** What a command line works in. */
export interface Surroundings extends Streams {
  readonly workingFolder: string;
  readonly environment: CommandContext["environment"];
}

/** Runs the command line of this process, which ends once all that the command opened is closed. */
export async function runProcess(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const surroundings = { stdin, stdout, stderr, workingFolder: process.cwd(), environment: env };
  process.exitCode = await runProgram(process.argv.slice(2), surroundings);
}

/** Runs a command line, without the name of the program. Gives the exit code and throws nothing. */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdin, stdout, stderr, workingFolder, environment } = surroundings;
  const terminal = createTerminal(surroundings);
  const program = new Command("sluice").exitOverride().configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    // Told below, in the form of all errors.
    outputError: () => {},
  });
  const codes: number[] = [];
  describeProgram(program);
  addCommands(program, {
    context: { terminal, stdin, workingFolder, environment },
    argv,
    onEnd: (code) => codes.push(code),
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return codes[0] ?? exitCodes.ok;
  } catch (thrown) {
    if (isAnsweredHelp(thrown)) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const style = { json: argv.includes("--json"), debug: argv.includes("--debug") };
    return reportFailure(terminal, thrown instanceof CommanderError ? toUsageError(thrown) : thrown, style);
  }
}

function describeProgram(program: Command): void {
  program
    .description("Connects AI to a company's business systems: durably, safely, with people in charge.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help of a command")
    .configureHelp({ showGlobalOptions: true })
    .option("--config <file>", "the configuration (default: sluice.config.ts, .mts, .js or .mjs, here)")
    .option("--folder <folder>", "where the data lies (default: .sluice beside the configuration)")
    .option("--debug", "more log lines, and errors with their stack");
}

/** Commander throws also after it has printed help or the version. */
function isAnsweredHelp(thrown: unknown): thrown is CommanderError {
  return thrown instanceof CommanderError && !thrown.message.startsWith("error:");
}

/**
 * In Commander's words: `error: unknown command 'rums'`, with what may have been meant in a second line; or `error:
 * option '--limit <count>' argument '0' is invalid.`, with what it must be behind it.
 */
function toUsageError({ message }: CommanderError): UsageError {
  const [problem = "", advice] = message.replace(/^error: /, "").split(/\n|(?<=is invalid\.) /);
  const hint = advice?.replace(/^\((.*)\)$/, "$1") ?? "Add --help to the command to see how it is used.";
  return new UsageError(problem.replace(/\.$/, ""), hint);
}
