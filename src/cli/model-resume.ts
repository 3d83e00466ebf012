import { resumeCircuit } from "../store/index.ts";
import { exitCodes } from "./failure.ts";
import { withData } from "./open-data.ts";
import type { CommandContext, CommonOptions } from "./project.ts";

/**
 * `sluice models resume`: closes the circuit of a credential or bucket; calls that wait go out when they look the next time.
 *
 * @returns the exit code: 1 when there was no open circuit of this name.
 */
export async function resumeModels(
  context: CommandContext,
  credential: string,
  options: CommonOptions,
): Promise<number> {
  const { terminal } = context;
  const resumed = await withData(context, options, ({ store, workspace }) =>
    resumeCircuit({ limits: store.limits, ledger: workspace.ledger }, credential, "cli"),
  );
  if (options.json) terminal.printJson({ resumed });
  else if (resumed) terminal.print(`Resumed ${credential}: calls go out again.`);
  else terminal.tell(`No circuit named ${JSON.stringify(credential)} is open. See them with: sluice limits`);
  return resumed ? exitCodes.ok : exitCodes.error;
}
