import type { Json } from "../src/core/index.ts";
import type { Begun } from "./leak-deliveries.ts";
import { dumpTables } from "./leak-reading.ts";
import { findLeaks } from "./leak-search.ts";
import type { Stage } from "./leak-stage.ts";
import type { ServiceProcess } from "./service-process.ts";
import { runCli } from "../src/cli/fixtures/run-cli.ts";

const nothing = { erasedRuns: 0, erasedCalls: 0, leaksAfterErasure: 0 };

/** Erases one of the two people by the command, and looks at what is left of both. */
export async function eraseAndLook(stage: Stage, service: ServiceProcess, begun: readonly Begun[]) {
  const [erased, kept] = stage.people;
  const client = stage.client(service);
  const command = ["ledger", "erase", "--subject", erased.lead.email, "--yes", "--json", "--folder", stage.lab.folder];
  const { code, out, err } = await runCli(command, { in: stage.lab.folder, environment: { ...stage.environment } });
  if (code !== 0) return { figures: nothing, violations: [`erasing ended with ${code}: ${out}${err}`] };
  const { runs, calls } = JSON.parse(out) as { readonly runs: number; readonly calls: number };
  const left = findLeaks(await dumpTables(stage), erased.values);
  const reads = await Promise.all(
    begun.map(async ({ runId, person, flow }) => {
      const { body } = await client.ask("admin", "getRun", `/api/v1/runs/${runId}`);
      const found = findLeaks(new Map([[`run of ${flow}`, JSON.stringify(body)]]), person.values);
      return { person, flow, found };
    }),
  );
  const still = reads.filter(({ person, found }) => person === erased && found.length > 0);
  const lost = reads.filter(({ person, found }) => person === kept && found.length === 0);
  const { body } = await client.ask("admin", "verifyLedger", "/api/v1/ledger/verify", { method: "POST", body: {} });
  const verdict = body as { readonly ok: boolean; readonly problems: Json };
  return {
    figures: { erasedRuns: runs, erasedCalls: calls, leaksAfterErasure: left.length + still.length },
    violations: [
      ...left.map(({ place, value }) => `I5: after erasure ${value} stands in: ${place}`),
      ...still.map(
        ({ flow, found }) =>
          `a run of ${flow} still shows after erasure: ${found.map(({ value }) => value).join(", ")}`,
      ),
      ...lost.map(({ flow }) => `a run of ${flow} of somebody else was lost by the erasure`),
      ...(verdict.ok
        ? []
        : [`I4: after erasure the ledger does not verify: ${JSON.stringify(verdict.problems).slice(0, 500)}`]),
    ],
  };
}
