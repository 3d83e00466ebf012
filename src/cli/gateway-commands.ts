import { type Command, InvalidArgumentError, Option } from "commander";
import { refuseWord, toCount } from "./arguments.ts";
import type { CommandContext } from "./project.ts";

/** What {@link addGatewayCommands} takes. */
export interface GatewayCommandsOptions {
  readonly context: CommandContext;
  /** Told the exit code of the command that was run. */
  readonly onEnd: (code: number) => void;
}

/** Declares the commands of the AI gateway: `models`, `limits`, `costs`, `ledger` and `flows`. */
export function addGatewayCommands(program: Command, options: GatewayCommandsOptions): void {
  addModels(program, options);
  addCosts(program, options);
  addLedger(program, options);
  addFlows(program, options);
}

function addModels(program: Command, { context, onEnd }: GatewayCommandsOptions): void {
  const models = program.command("models").description("list models, test them, or close a circuit that is open");
  models
    .command("list", { isDefault: true })
    .description("list what each name stands for, prices and state (what sluice models does by itself)")
    .option("--json", "print one JSON document")
    .allowExcessArguments()
    .action(async (_own: unknown, command: Command) => {
      refuseWord("models", ["list", "test", "resume"], command.args[0]);
      const { listModels } = await import("./model-list.ts");
      await listModels(context, command.optsWithGlobals());
    });
  models
    .command("test")
    .description("call each model once with a few words; exit code 1 when one does not answer")
    .argument("[name]", "only the models of this name")
    .option("--json", "print one JSON document")
    .action(async (name: string | undefined, _own: unknown, command: Command) => {
      const { testModels } = await import("./model-test.ts");
      onEnd(await testModels(context, name, command.optsWithGlobals()));
    });
  models
    .command("resume")
    .description("close the circuit of a credential or bucket, so that calls go out again at once")
    .argument("<credential>", "as sluice limits lists it, such as OPENAI_API_KEY")
    .option("--json", "print one JSON document")
    .action(async (credential: string, _own: unknown, command: Command) => {
      const { resumeModels } = await import("./model-resume.ts");
      onEnd(await resumeModels(context, credential, command.optsWithGlobals()));
    });
  program
    .command("limits")
    .description("show how much of each model's limits is used, what waits, pauses and open circuits")
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { listLimits } = await import("./limit-list.ts");
      await listLimits(context, command.optsWithGlobals());
    });
}

function addCosts(program: Command, { context }: GatewayCommandsOptions): void {
  program
    .command("costs")
    .description("show what AI calls cost, and how much of each budget is spent")
    .addOption(new Option("--by <key>", "what by").choices(["flow", "model", "day"]).default("flow"))
    .option("--days <count>", "of so many days up to now, at most 400", toCount(400), 30)
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { listCosts } = await import("./cost-list.ts");
      await listCosts(context, command.optsWithGlobals());
    });
}

function addLedger(program: Command, { context, onEnd }: GatewayCommandsOptions): void {
  const ledger = program
    .command("ledger")
    .description("what was sent to models: search, verify and export the record, erase what is about a person");
  ledger
    .command("search")
    .description("list entries, the newest first")
    .option("--subject <value>", "about runs whose event held this e-mail address, phone number, name or id")
    .option("--run <run>", "about this run")
    .option("--kind <kind>", "of this kind, such as model.intended or subject.erased")
    .option("--limit <count>", "at most so many, up to 200", toCount(200), 20)
    .option("--before <number>", "only before this entry", toEntryNumber)
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { searchLedger } = await import("./ledger-search.ts");
      await searchLedger(context, command.optsWithGlobals());
    });
  ledger
    .command("verify")
    .description("check the whole chain; exit code 1 when something was changed, removed, put in or reordered")
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { verifyLedger } = await import("./ledger-verify.ts");
      onEnd(await verifyLedger(context, command.optsWithGlobals()));
    });
  ledger
    .command("export")
    .description(
      "print every entry, the oldest first, a JSON document on each line, and the head of the chain at the end",
    )
    .option("--output <file>", "write to this file instead; it must not be there yet")
    .option("--json", "print one JSON document about the file; only with --output")
    .action(async (_own: unknown, command: Command) => {
      const { exportLedger } = await import("./ledger-export.ts");
      await exportLedger(context, command.optsWithGlobals());
    });
  ledger
    .command("erase")
    .description("make everything unreadable that was received and sent about a person, for good")
    .requiredOption("--subject <value>", "an e-mail address, phone number, name or id")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document; does not ask, so it needs --yes")
    .action(async (_own: unknown, command: Command) => {
      const { eraseSubject } = await import("./ledger-erase.ts");
      onEnd(await eraseSubject(context, command.optsWithGlobals()));
    });
}

function addFlows(program: Command, { context }: GatewayCommandsOptions): void {
  const flows = program.command("flows").description("about the flows of the configuration");
  flows
    .command("data-map")
    .description("tell which fields of which source go to which model, provider and region, and what of them is masked")
    .option(
      "--days <count>",
      "by the calls of so many days, at most 400; flows without calls are run dry",
      toCount(400),
      90,
    )
    .option("--markdown", "print it as a Markdown document")
    .option("--json", "print one JSON document")
    .action(async (_own: unknown, command: Command) => {
      const { showDataMap } = await import("./data-map.ts");
      await showDataMap(context, command.optsWithGlobals());
    });
}

function toEntryNumber(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be the number of an entry.");
}
