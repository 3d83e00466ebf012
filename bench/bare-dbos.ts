/** The engine beneath without us: three steps in stock DBOS. Told its rate by IPC. */
import { DBOS } from "@dbos-inc/dbos-sdk";

/** What it is started with, as JSON in its first argument. */
export interface BareSettings {
  readonly databaseUrl: string;
  readonly count: number;
  readonly concurrency: number;
}

/** What it tells at the end. */
export interface BareResult {
  readonly flowsPerSecond: number;
}

const { databaseUrl, count, concurrency } = JSON.parse(process.argv[2] ?? "{}") as BareSettings;
DBOS.setConfig({ name: "bare", systemDatabaseUrl: databaseUrl, logLevel: "error", enableOTLP: false });
const threeSteps = DBOS.registerWorkflow(
  async (company: string) => {
    const first = await DBOS.runStep(async () => ({ company }), { name: "first" });
    const second = await DBOS.runStep(async () => ({ ...first, second: true }), { name: "second" });
    return DBOS.runStep(async () => ({ ...second, third: true }), { name: "third" });
  },
  { name: "three-steps" },
);
await DBOS.launch();
await runAll(100);
const began = performance.now();
await runAll(count);
const result: BareResult = { flowsPerSecond: (count / (performance.now() - began)) * 1000 };
process.send?.(result);
await DBOS.shutdown();
process.disconnect?.();

async function runAll(flows: number): Promise<void> {
  let left = flows;
  async function work(): Promise<void> {
    while (left-- > 0) await (await DBOS.startWorkflow(threeSteps)("Northwind")).getResult();
  }
  await Promise.all(Array.from({ length: concurrency }, work));
}
