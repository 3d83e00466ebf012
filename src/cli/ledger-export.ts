import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { UsageError } from "./failure.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";
import { times } from "./run-words.ts";

/** What `sluice ledger export` takes. */
export interface LedgerExportOptions extends CommonOptions {
  readonly output?: string;
}

/** `sluice ledger export`: all entries with the head of the chain as the last line, to standard output or a new file. */
export async function exportLedger(context: CommandContext, options: LedgerExportOptions): Promise<void> {
  const { terminal, workingFolder } = context;
  const { output, json } = options;
  if (json && output === undefined)
    throw new UsageError("--json was given without --output", "The lines are JSON by themselves: leave --json away.");
  await withData(context, options, async ({ workspace }) => {
    const lines = workspace.ledger.exportEntries();
    if (output === undefined) {
      for await (const line of lines) terminal.print(JSON.stringify(line));
      return;
    }
    const file = resolve(workingFolder, output);
    const count = await writeNewFile(file, lines);
    if (json) terminal.printJson({ file, lines: count });
    else terminal.print(`Wrote ${times(count, "line")} to ${file}`);
  });
}

/** @throws UsageError when the file is there already: an export is evidence, and none is written over. */
async function writeNewFile(file: string, lines: AsyncIterable<object>): Promise<number> {
  let count = 0;
  async function* toText(): AsyncGenerator<string> {
    for await (const line of lines) {
      count += 1;
      yield `${JSON.stringify(line)}\n`;
    }
  }
  try {
    await pipeline(toText(), createWriteStream(file, { flags: "wx", mode: 0o600 }));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (!["EEXIST", "ENOENT", "EACCES", "EISDIR"].includes(code)) throw cause;
    throw new UsageError(
      `${file} cannot be written (${code})`,
      "Name a file that is not there yet, in a folder that is.",
    );
  }
  return count;
}
