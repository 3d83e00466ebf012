import { type Command, InvalidArgumentError, Option } from "commander";
import { addGatewayCommands } from "./gateway-commands.ts";
import type { CommandContext } from "./project.ts";
import { addRunCommands } from "./run-commands.ts";

/** What {@link addCommands} takes. */
export interface CommandsOptions {
  readonly context: CommandContext;
  /** The command line, without the name of the program. */
  readonly argv: readonly string[];
  /** Told the exit code of the command that was run. */
  readonly onEnd: (code: number) => void;
}

/**
 * Declares all commands. What a command needs is loaded when it is run, so that help, and commands that only read the
 * database, start at once.
 */
export function addCommands(program: Command, options: CommandsOptions): void {
  addServing(program, options);
  addRun(program, options);
  addRunCommands(program, options);
  addGatewayCommands(program, options);
  addDoctor(program, options);
  program.addHelpText(
    "after",
    `
Environment:
  SLUICE_DATABASE_URL  a Postgres of your own, 15 or later (default: the bundled one)
  SLUICE_KEY           the key that stored content is sealed with (default: the file .sluice/key, made at first)
  SLUICE_PUBLIC_URL    address under which senders of webhooks reach this server
  Variables may also stand in a file .env beside the configuration.

With --json, an answer and an error alike are one JSON document on standard output.
Exit code 0: done; 1: an error; 2: called in a wrong way.

Examples:
  $ sluice init my-project
  $ sluice dev
  $ sluice run lead-routing --sample vague
  $ sluice runs --status failed
  $ sluice costs --by model --days 7
`,
  );
}

function addServing(program: Command, { context, argv, onEnd }: CommandsOptions): void {
  program
    .command("init")
    .description("make a project with an example that works; overwrites nothing")
    .argument("[folder]", "is made where it is missing", ".")
    .option("--json", "print one JSON document")
    .action(async (folder: string, _own: unknown, command: Command) => {
      const { init } = await import("./init.ts");
      await init(context, folder, command.optsWithGlobals());
    });
  withListenOptions(program.command("dev"))
    .description("run the project with stand-ins of outside systems, anew after each change of its files")
    .option("--no-watch", "do not start anew after changes")
    .action(async (_own: unknown, command: Command) => {
      const { dev } = await import("./dev.ts");
      onEnd(await dev(context, command.optsWithGlobals(), argv));
    });
  withListenOptions(program.command("start"))
    .description("run the project with the real outside systems")
    .addOption(new Option("--role <role>", "what this process does (default: all)").choices(["all", "web", "worker"]))
    .option("--admin-url <url>", "how people reach the dashboard, when a proxy stands before it (SLUICE_ADMIN_URL)")
    .addHelpText(
      "after",
      `
Roles: web takes webhooks, dashboard and API, and executes no runs; worker executes runs and listens nowhere.
Any number of each may share one database (SLUICE_DATABASE_URL).

Cookies are marked secure when the admin URL or, without one, SLUICE_PUBLIC_URL is https.
`,
    )
    .action(async (_own: unknown, command: Command) => {
      const { start } = await import("./start.ts");
      await start(context, command.optsWithGlobals());
    });
  program
    .command("worker")
    .description("execute runs beside sluice start, without listening; the same as sluice start --role worker")
    .action(async (_own: unknown, command: Command) => {
      const { worker } = await import("./worker.ts");
      await worker(context, command.optsWithGlobals());
    });
}

function withListenOptions(command: Command): Command {
  return command
    .option("--public-host <host>", "where webhooks are taken (default: 127.0.0.1, or SLUICE_PUBLIC_HOST)")
    .option("--public-port <port>", "default: 4600, or SLUICE_PUBLIC_PORT")
    .option("--admin-host <host>", "where dashboard and API are (default: 127.0.0.1, or SLUICE_ADMIN_HOST)")
    .option("--admin-port <port>", "default: 4601, or SLUICE_ADMIN_PORT");
}

function addRun(program: Command, { context, onEnd }: CommandsOptions): void {
  program
    .command("run")
    .description("start one run of a flow and wait for its end; a sluice dev or start must be running")
    .argument("<flow>", "its name")
    .option("--payload <file>", "JSON to run it with; - reads standard input")
    .option("--sample <name>", "run it with one of its samples instead")
    .option("--wait <seconds>", "how long to wait for the end; 0: not at all", toSeconds, 60)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
The output is printed on standard output, everything else on standard error.
Exit code 0 when the run succeeded, 1 when it failed or is not over in time.

Examples:
  $ sluice run lead-routing --sample vague
  $ sluice run lead-routing --payload lead.json --wait 10
  $ curl https://crm.example/lead/7 | sluice run lead-routing --payload - --json
`,
    )
    .action(async (flow: string, _own: unknown, command: Command) => {
      const { run } = await import("./run.ts");
      onEnd(await run(context, flow, command.optsWithGlobals()));
    });
}

function addDoctor(program: Command, { context, onEnd }: CommandsOptions): void {
  program
    .command("doctor")
    .description("check whether everything that sluice start needs is there; exit code 1 when not")
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { doctor } = await import("./doctor.ts");
      onEnd(await doctor(context, command.optsWithGlobals()));
    });
}

/** The longest time that Node's timers can wait. */
const longestSeconds = 2_147_483;

function toSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Infinity;
  if (seconds <= longestSeconds) return seconds;
  throw new InvalidArgumentError(`It must be a number of seconds from 0 to ${longestSeconds}.`);
}
