import { UsageError } from "./failure.ts";
import type { CommandContext, CommonOptions } from "./project.ts";

/** What {@link isWanted} takes. */
export interface Consent {
  readonly question: string;
  /** Why it is not done unasked, and what the person is to do instead; null: it is done where nobody can be asked. */
  readonly danger: { readonly message: string; readonly hint: string } | null;
}

/** Options of commands that ask before they act. */
export interface ConsentOptions extends CommonOptions {
  /** Does not ask. */
  readonly yes?: boolean;
}

/**
 * Asks before something is done, unless `--yes` is given. With `--json` nobody is asked.
 *
 * @throws UsageError when there is a danger and nobody can be asked.
 */
export async function isWanted(
  { terminal }: CommandContext,
  { yes, json }: ConsentOptions,
  { question, danger }: Consent,
): Promise<boolean> {
  if (yes) return true;
  if (terminal.canAsk && !json) return terminal.confirm(question);
  if (danger === null) return true;
  throw new UsageError(`${danger.message}, and nobody can be asked`, danger.hint);
}
