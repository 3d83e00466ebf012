import type { Store, Workspace } from "./store.ts";

/**
 * Closes the circuit of a credential or bucket for all processes, and records in the ledger who did.
 *
 * @param by id of the user or API key; `cli` for the command line of the machine itself.
 * @returns false when no circuit of this name was open.
 */
export async function resumeCircuit(
  { limits, ledger }: { readonly limits: Pick<Store["limits"], "resume"> } & Pick<Workspace, "ledger">,
  credential: string,
  by: string,
): Promise<boolean> {
  const resumed = await limits.resume(credential);
  if (resumed) {
    const about = { runId: null, ref: null, digest: null };
    await ledger.append([{ at: new Date(), kind: "circuit.resumed", ...about, data: { credential, by } }]);
  }
  return resumed;
}
