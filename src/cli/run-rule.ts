import { type Json, type Receipt, type RulingWord, SluiceError } from "../core/index.ts";
import { findRun, questionOf, ruleEffect, type RunRecord, type Workspace } from "../store/index.ts";
import { type ConsentOptions, isWanted } from "./consent.ts";
import { exitCodes, UsageError } from "./failure.ts";
import { readJsonInput } from "./json-input.ts";
import { withData } from "./open-data.ts";
import type { CommandContext } from "./project.ts";
import { tellWhoGoesOn } from "./run-resume.ts";
import { readError } from "./run-timeline.ts";
import { receiptWords, times } from "./run-words.ts";
import { formatTable } from "./table.ts";
import { type Terminal, toned, toVisibleJson } from "./terminal.ts";
import { timeText } from "./time-text.ts";

/** What `sluice runs rule` takes. */
export interface RuleOptions extends ConsentOptions {
  /** Default: the effect that the run asks about. */
  readonly key?: string;
  readonly done?: boolean;
  readonly notDone?: boolean;
  readonly tryAgain?: boolean;
  /** A file, or `-` for standard input. */
  readonly output?: string;
}

/** What a word means for the run. */
const meanings: { readonly [word in RulingWord]: string } = {
  done: "It was done: the run goes on, and it is not performed again.",
  not_done: "It was not done, and is not to be: the step fails with EFFECT_NOT_DONE, which the flow may handle.",
  try_again: "It was not done: it is performed once more, with the same idempotency key.",
};

/**
 * `sluice runs rule`: shows an effect in doubt, takes a person's word about it, and queues its run to go on.
 *
 * @returns the exit code: 1 when the person said no.
 * @throws RUN_UNKNOWN, EFFECT_UNKNOWN, EFFECT_NOT_IN_DOUBT; UsageError without exactly one word, or when it is to be tried
 * again, nobody can be asked and `--yes` is not given.
 */
export async function ruleRun(context: CommandContext, runId: string, options: RuleOptions): Promise<number> {
  const { terminal } = context;
  return withData(context, options, async ({ store, workspace }) => {
    const run = await findRun(workspace, runId);
    const receipt = await findEffect(workspace, run, options.key);
    if (!options.json) tellQuestion(terminal, run, receipt);
    const word = readWord(runId, options);
    const output = await readOutput(context, word, options);
    if (!options.json) tellMeaning(terminal, word, options);
    if (!(await isWanted(context, options, consentTo(word, receipt)))) {
      terminal.tell("Nothing was decided.");
      return exitCodes.error;
    }
    await ruleEffect(workspace, runId, { key: receipt.key, word, by: null, output });
    if (options.json) terminal.printJson({ runId, key: receipt.key, word, status: "queued" });
    else terminal.print(`Recorded. ${runId} goes on; see how it stands with: sluice runs show ${runId}`);
    await tellWhoGoesOn(terminal, store, options);
    return exitCodes.ok;
  });
}

/** @throws EFFECT_UNKNOWN; EFFECT_NOT_IN_DOUBT when no key is given and the run asks nothing. */
async function findEffect(workspace: Workspace, run: RunRecord, key: string | undefined): Promise<Receipt> {
  const receipts = await workspace.effects.ofRun(run.id);
  const found = key === undefined ? questionOf(run, receipts) : receipts.find((receipt) => receipt.key === key);
  if (found) return found;
  if (key === undefined) {
    throw new SluiceError("EFFECT_NOT_IN_DOUBT", {
      message: `run "${run.id}" is ${run.status.replace("_", " ")} and asks nothing`,
      hint: `Look at its effects with: sluice runs show ${run.id}; name one with --key`,
    });
  }
  throw new SluiceError("EFFECT_UNKNOWN", {
    message: `run "${run.id}" has no effect with the key "${key}"`,
    hint: `Look at its effects with: sluice runs show ${run.id}`,
  });
}

function readWord(runId: string, { done, notDone, tryAgain }: RuleOptions): RulingWord {
  const words = [done && "done", notDone && "not_done", tryAgain && "try_again"].filter(Boolean) as RulingWord[];
  const [word] = words;
  if (word !== undefined && words.length === 1) return word;
  throw new UsageError(
    words.length === 0 ? "nothing is said about the effect" : `${times(words.length, "word")} were given, expected one`,
    `Look into the other system, then say one of: sluice runs rule ${runId} --done, --not-done or --try-again`,
  );
}

async function readOutput(context: CommandContext, word: RulingWord, { output }: RuleOptions): Promise<Json> {
  if (output === undefined) return null;
  if (word === "done") return readJsonInput(context, { source: output, what: "the output", option: "--output" });
  throw new UsageError("--output goes with --done only", "What was not done has no output.");
}

function tellQuestion(terminal: Terminal, { flow, error }: RunRecord, receipt: Receipt): void {
  const { action, connection, key, state, attempts, startedAt, request } = receipt;
  terminal.tell(toned("strong", flow), ": ", readError(error).message);
  const rows = [
    ["effect", connection === "step" ? `${action}, a step of the flow` : `${action} by ${connection}`],
    ["known", receiptWords[state]],
    ["tried", `${times(attempts, "time")}, first at ${timeText(startedAt)}`],
    ["key", key],
  ];
  for (const line of formatTable(rows, { indent: "  " })) terminal.tell(...line);
  terminal.tell("  what was sent:");
  terminal.tell(toVisibleJson(request).replaceAll(/^/gm, "    "));
}

function tellMeaning(terminal: Terminal, word: RulingWord, { output }: RuleOptions): void {
  terminal.tell(meanings[word]);
  if (word === "done" && output === undefined)
    terminal.tell("No output is given, so the flow gets null; give what the other system answered with --output FILE.");
}

function consentTo(word: RulingWord, { action }: Receipt) {
  if (word !== "try_again") return { question: "Record that?", danger: null };
  return {
    question: "Have it done once more?",
    danger: {
      message: `${action} is performed once more`,
      hint: "Look into the other system first. If it did not happen there, add --yes.",
    },
  };
}
