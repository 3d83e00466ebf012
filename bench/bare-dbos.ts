/**
 * The engine beneath without us: three steps in stock DBOS.
 *
 *   node --conditions=sluice-source bench/bare-dbos.ts '{ "databaseUrl": "postgres://...", "count": 1500, "concurrency": 100 }'
 *   node --conditions=sluice-source bench/bare-dbos.ts '{ "databaseUrl": "postgres://...", "port": 4700 }'
 *
 * The first runs flows and tells how many a second. The second begins one for each webhook, and acknowledges it when DBOS
 * has recorded that.
 */
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { DBOS } from "@dbos-inc/dbos-sdk";

/** What it is started with, as JSON in its first argument. */
export interface BareSettings {
  readonly databaseUrl: string;
  readonly count: number;
  readonly concurrency: number;
}

/** The other way to start it. */
interface WebhookSettings {
  readonly databaseUrl: string;
  readonly port: number;
}

/** What it tells at the end. */
export interface BareResult {
  readonly flowsPerSecond: number;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as BareSettings | WebhookSettings;
DBOS.setConfig({ name: "bare", systemDatabaseUrl: settings.databaseUrl, logLevel: "error", enableOTLP: false });
const threeSteps = DBOS.registerWorkflow(
  async (company: string) => {
    const first = await DBOS.runStep(async () => ({ company }), { name: "first" });
    const second = await DBOS.runStep(async () => ({ ...first, second: true }), { name: "second" });
    return DBOS.runStep(async () => ({ ...second, third: true }), { name: "third" });
  },
  { name: "three-steps" },
);
await DBOS.launch();
if ("port" in settings) serveWebhooks(settings.port);
else await measure(settings);

async function measure({ count, concurrency }: BareSettings): Promise<void> {
  await runAll(100, concurrency);
  const began = performance.now();
  await runAll(count, concurrency);
  const result: BareResult = { flowsPerSecond: (count / (performance.now() - began)) * 1000 };
  if (process.send) process.send(result);
  else process.stdout.write(`${JSON.stringify(result)}\n`);
  await DBOS.shutdown();
  process.disconnect?.();
}

async function runAll(flows: number, concurrency: number): Promise<void> {
  let left = flows;
  async function work(): Promise<void> {
    while (left-- > 0) await (await DBOS.startWorkflow(threeSteps)("Northwind")).getResult();
  }
  await Promise.all(Array.from({ length: concurrency }, work));
}

/** Neither signature nor schema is checked: whatever this takes is DBOS's. The same delivery begins one flow. */
function serveWebhooks(port: number): void {
  createServer((request, response) => {
    void begin(request).then(
      () => response.writeHead(202).end(),
      () => response.writeHead(500).end(),
    );
  }).listen(port, "127.0.0.1", () => process.stdout.write(`listening on ${port}\n`));
}

async function begin(request: IncomingMessage): Promise<void> {
  const { company } = (await json(request)) as { company: string };
  await DBOS.startWorkflow(threeSteps, { workflowID: String(request.headers["webhook-id"]) })(company);
}
