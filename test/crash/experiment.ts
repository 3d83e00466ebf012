import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leadsForm } from "../../examples/connections.ts";
import { startSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import { openDatabase, openStore, type Store } from "../../src/store/index.ts";
import { collectRuns, findViolations } from "./checker.ts";
import type { Acknowledged, Hook } from "./leads.ts";
import { startService, type ServiceProcess } from "./service-process.ts";
import type { ServiceSettings } from "./service.ts";

/** Long enough that a killed process leaves calls under way. */
const modelLatencyMs = 30;
const sandboxLatencyMs = 15;

/** A folder with a service's data, and the outside systems, which live on when the service is killed. */
export interface Experiment {
  readonly sandbox: Sandbox;
  start(settings?: Partial<ServiceSettings>): Promise<ServiceProcess>;
  /** Where leads go to reach a service. */
  hookOf(service: ServiceProcess): Promise<Hook>;
  /** Waits until no run is queued or under way; then gives what does not hold, and the leads whose runs were taken over. */
  verdict(acknowledged: readonly Acknowledged[]): Promise<{ violations: string[]; recovered: Acknowledged[] }>;
  close(): Promise<void>;
}

/** Prepares an experiment. */
export async function prepareExperiment(): Promise<Experiment> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-crash-"));
  // As root, Postgres runs as another user, who must be able to enter.
  await chmod(folder, 0o711);
  const sandbox = await startSandbox({ folder: join(folder, "outside"), latencyMs: sandboxLatencyMs });
  const { origin, slackUrl, hubspotUrl, credentials } = sandbox;
  return {
    sandbox,
    start: (settings = {}) =>
      startService({ folder, sandbox: { origin, slackUrl, hubspotUrl, credentials }, modelLatencyMs, ...settings }),
    async hookOf({ publicUrl }) {
      const secrets = JSON.parse(await readFile(join(folder, "sandbox/secrets.json"), "utf8")) as Record<
        string,
        string
      >;
      return { url: `${publicUrl}/hooks/leads`, secret: secrets[leadsForm.secrets[0]!.secret]! };
    },
    verdict: (acknowledged) =>
      withStore(folder, async (store) => {
        await untilDrained(store);
        const runs = await collectRuns(store, new Set(acknowledged.map(({ runId }) => runId)));
        const violations = findViolations({ acknowledged, runs, calls: await sandbox.calls() });
        const recovered = acknowledged.filter(({ runId }) => (runs.get(runId)?.run.recoveries ?? 0) > 0);
        return { violations, recovered };
      }),
    async close() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Joins the database beside the service. */
async function withStore<T>(folder: string, use: (store: Store) => Promise<T>): Promise<T> {
  const database = await openDatabase({ url: undefined, dataFolder: join(folder, "postgres"), role: "guest" });
  const store = await openStore({ url: database.url, onError: () => {} });
  try {
    return await use(store);
  } finally {
    await store.close();
    await database.close();
  }
}

const patienceMs = 15_000;

async function untilDrained(store: Store): Promise<void> {
  const deadline = Date.now() + patienceMs;
  const { runs } = store.workspace("default");
  while (Date.now() < deadline) {
    const unfinished = await runs.list({ status: ["queued", "running", "waiting"], limit: 1 });
    if (unfinished.items.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
