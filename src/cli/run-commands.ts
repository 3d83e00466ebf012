import type { Command } from "commander";
import { toCount } from "./arguments.ts";
import { UsageError } from "./failure.ts";
import type { CommandContext } from "./project.ts";

/** What {@link addRunCommands} takes. */
export interface RunCommandsOptions {
  readonly context: CommandContext;
  /** Told the exit code of the command that was run. */
  readonly onEnd: (code: number) => void;
}

/** Declares `sluice runs` and what it has. */
export function addRunCommands(program: Command, options: RunCommandsOptions): void {
  const runs = program
    .command("runs")
    .description("list runs, look into one, and decide about them: resume, rule, migrate, cancel");
  addReading(runs, options);
  addResuming(runs, options);
  addDeciding(runs, options);
  runs.addHelpText(
    "after",
    `
Options of the list, such as --flow and --status, are shown by: sluice runs list --help

Examples:
  $ sluice runs --flow lead-routing --status failed,in_doubt
  $ sluice runs show run_01k9x3m5c8q2v7r4t6w0y1z3ab
  $ sluice runs failures
  $ sluice runs resume --group 3f9c1e07a2b4d586
  $ sluice runs rule run_01k9x3m5c8q2v7r4t6w0y1z3ab --not-done
`,
  );
}

function addReading(runs: Command, { context }: RunCommandsOptions): void {
  runs
    .command("list", { isDefault: true })
    .description("list runs, the newest first (what sluice runs does by itself)")
    .option("--flow <name>", "only of this flow")
    .option(
      "--status <states>",
      "only in these states: queued, running, waiting, succeeded, failed, cancelled, in_doubt",
    )
    .option("--limit <count>", "at most so many, up to 200", toCount(200), 20)
    .option("--before <run>", "only older than this run")
    .option("--json", "print one JSON document")
    .allowExcessArguments()
    .action(async (_own: unknown, command: Command) => {
      refuseWord(command.args[0]);
      const { listRuns } = await import("./run-list.ts");
      await listRuns(context, command.optsWithGlobals());
    });
  runs
    .command("show")
    .description("print everything that is recorded of a run: steps, attempts, AI calls, effects")
    .argument("<run>", "its id")
    .option("--json", "print one JSON document, with all inputs and outputs")
    .action(async (id: string, _own: unknown, command: Command) => {
      const { showRun } = await import("./run-show.ts");
      await showRun(context, id, command.optsWithGlobals());
    });
  runs
    .command("failures")
    .description("list failed and in-doubt runs, those that failed in the same way as one group")
    .option("--limit <count>", "at most so many groups, up to 200", toCount(200), 20)
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { listFailures } = await import("./run-failures.ts");
      await listFailures(context, command.optsWithGlobals());
    });
}

function addResuming(runs: Command, { context, onEnd }: RunCommandsOptions): void {
  runs
    .command("resume")
    .description("go on with a failed, cancelled or in-doubt run, or a group; tells first which effects may repeat")
    .argument("[run]", "its id")
    .option("--group <group>", "all runs of a group that sluice runs failures lists, instead of one")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document; does not ask")
    .action(async (id: string | undefined, own: { readonly group?: string }, command: Command) => {
      if (id !== undefined && own.group === undefined) {
        const { resumeRun } = await import("./run-resume.ts");
        return onEnd(await resumeRun(context, id, command.optsWithGlobals()));
      }
      if (id !== undefined || own.group === undefined) throw wrongTarget(id);
      const { resumeGroup } = await import("./group-resume.ts");
      onEnd(await resumeGroup(context, own.group, command.optsWithGlobals()));
    });
  runs
    .command("migrate")
    .description("go on under the present code with runs whose recorded steps do not fit their changed flow")
    .argument("[run]", "its id")
    .option("--flow <name>", "all runs of this flow that failed with FLOW_CHANGED, instead of one")
    .option("--recheck", "wake waiting runs that began under other code, so that those show that do not fit")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document; does not ask")
    .action(async (id: string | undefined, _own: unknown, command: Command) => {
      const { migrateRuns } = await import("./run-migrate.ts");
      onEnd(await migrateRuns(context, id, command.optsWithGlobals()));
    });
}

function addDeciding(runs: Command, { context, onEnd }: RunCommandsOptions): void {
  runs
    .command("rule")
    .description("say whether an effect in doubt was done, and go on with its run")
    .argument("<run>", "its id")
    .option("--key <key>", "the effect's idempotency key (default: the one that the run asks about)")
    .option("--done", "it was done; it is not performed again")
    .option("--not-done", "it was not done, and is not to be; its step fails")
    .option("--try-again", "it was not done; it is performed once more")
    .option("--output <file>", "JSON that the step gives to the flow, with --done; - reads standard input")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document; does not ask")
    .action(async (id: string, _own: unknown, command: Command) => {
      const { ruleRun } = await import("./run-rule.ts");
      onEnd(await ruleRun(context, id, command.optsWithGlobals()));
    });
  runs
    .command("cancel")
    .description("stop a run before its next step, and its sub-flows")
    .argument("<run>", "its id")
    .option("--json", "print one JSON document")
    .action(async (id: string, _own: unknown, command: Command) => {
      const { cancelRun } = await import("./run-cancel.ts");
      await cancelRun(context, id, command.optsWithGlobals());
    });
}

/** What follows `sluice runs` and is none of its commands comes to the list, which takes nothing. */
function refuseWord(word: string | undefined): void {
  if (word === undefined) return;
  throw new UsageError(
    `unknown command '${word}' of runs`,
    word.startsWith("run_")
      ? `Did you mean: sluice runs show ${word}`
      : "It has list, show, failures, resume, migrate, rule and cancel.",
  );
}

function wrongTarget(id: string | undefined): UsageError {
  return new UsageError(
    id === undefined ? "no run is named" : "a run and a group were named",
    "Give one of: a run's id, or --group GROUP as sluice runs failures lists it.",
  );
}
