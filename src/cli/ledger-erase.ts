import { type ConsentOptions, isWanted } from "./consent.ts";
import { exitCodes } from "./failure.ts";
import { withData } from "./open-data.ts";
import type { CommandContext } from "./project.ts";
import { times } from "./run-words.ts";

/** What `sluice ledger erase` takes. */
export interface LedgerEraseOptions extends ConsentOptions {
  readonly subject: string;
}

/**
 * `sluice ledger erase`: destroys the keys of all runs about a person, after asking.
 *
 * @returns the exit code: 1 when the person at the terminal said no.
 * @throws SUBJECT_BUSY while such a run is unfinished; UsageError when nobody can be asked and `--yes` is not given.
 */
export async function eraseSubject(context: CommandContext, options: LedgerEraseOptions): Promise<number> {
  const { terminal } = context;
  const consent = {
    question: "Everything received and sent about this person becomes unreadable, for good. Erase it?",
    danger: {
      message: "erasing cannot be undone",
      hint: "See what there is with: sluice ledger search --subject VALUE. Then add --yes.",
    },
  };
  if (!(await isWanted(context, options, consent))) {
    terminal.tell("Nothing was erased.");
    return exitCodes.error;
  }
  const erasure = await withData(context, options, ({ workspace }) => workspace.ledger.erase(options.subject, "cli"));
  if (options.json) terminal.printJson(erasure);
  else {
    const { runs, calls, entry } = erasure;
    terminal.print(
      `Erased what ${times(runs, "run")} with ${times(calls, "AI call")} held. Entry ${entry} of the ledger says so.`,
    );
  }
  return exitCodes.ok;
}
