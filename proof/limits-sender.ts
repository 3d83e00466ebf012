/** A process that asks for room under a limit as fast as it gets an answer, and sends a request for each call let through. */
import { setTimeout } from "node:timers/promises";
import { createBatch, createPool } from "../src/store/index.ts";

/** What a sender is told. */
export interface SenderOrder {
  readonly databaseUrl: string;
  /** Where requests go, instead of a model. */
  readonly origin: string;
  readonly name: string;
  readonly lane: number;
  readonly limit: number;
  readonly perMs: number;
  /** Callers at once that come back when they are told to. */
  readonly patient: number;
  /** Callers at once that come back all the time, whatever they are told. */
  readonly impatient: number;
  readonly forMs: number;
}

/** What it says in the end. */
export interface SenderReport {
  readonly asked: number;
  readonly refused: number;
  /** Calls given back, because the process got no time to send them before it was too late. */
  readonly late: number;
}

type Answer = { readonly ok: true; readonly sendWithinMs: number } | { readonly ok: false; readonly until: string };

const order = JSON.parse(process.argv[2] ?? "{}") as SenderOrder;
const pool = createPool({
  url: order.databaseUrl,
  size: 4,
  applicationName: "limits-sender",
  bigintAsNumber: true,
  onError: () => {},
});
const bucket = { credential: "KEY", bucket: "KEY model" };
/** As the gateway does: what comes while a statement is under way shares the next one. */
const ask = createBatch<object, Answer>({
  inFlight: 1,
  limit: 100,
  async flush(items) {
    const { rows } = await pool.query("select sluice.claim_model_calls($1::json) as answers", [JSON.stringify(items)]);
    return (rows[0] as { readonly answers: Answer[] }).answers;
  },
});
const end = createBatch<object, null>({
  inFlight: 1,
  limit: 100,
  async flush(items) {
    await pool.query("select sluice.settle_model_calls($1::json)", [JSON.stringify(items)]);
    return items.map(() => null);
  },
});
const report = { asked: 0, refused: 0, late: 0 };
// The first statement and the first requests of a process take their time: not under the clock.
await claim(`${order.name}/first`, `${order.name}/first`, "KEY warm");
await Promise.all(Array.from({ length: order.limit }, () => fetch(order.origin).then((response) => response.text())));
const endsAt = performance.now() + order.forMs;
const impatienceMs = 40;

await Promise.all([
  ...Array.from({ length: order.patient }, (_, caller) => call(`${order.name}/patient/${caller}`, true)),
  ...Array.from({ length: order.impatient }, (_, caller) => call(`${order.name}/impatient/${caller}`, false)),
]);
await pool.end();
process.send?.(report satisfies SenderReport);
process.disconnect?.();

/** The same for all processes of a machine, and nobody sets it. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function call(caller: string, isPatient: boolean): Promise<void> {
  for (let turn = 0, stepped = 0; performance.now() < endsAt; turn += 1) {
    const key = `${caller}/${turn}`;
    const askedMs = monotonicMs();
    const answer = await claim(key, `${caller}/${stepped}`);
    report.asked += 1;
    if (!answer.ok) {
      report.refused += 1;
      const waitMs = isPatient ? Date.parse(answer.until) - Date.now() : impatienceMs;
      await setTimeout(Math.max(0, Math.min(waitMs, endsAt - performance.now())));
      continue;
    }
    stepped += 1;
    const isLate = monotonicMs() - askedMs > answer.sendWithinMs;
    if (isLate) report.late += 1;
    else
      await fetch(`${order.origin}/?asked=${askedMs}`, { method: "POST" }).then((response) => response.arrayBuffer());
    await settle(key, !isLate);
  }
}

function claim(key: string, ticket: string, model = bucket.bucket): Promise<Answer> {
  return ask({
    ...bucket, bucket: model, key, ticket, lane: order.lane, concurrency: null, interactiveShare: 0.2, leaseMs: 60_000, accounts: [], costMicroUsd: null,
    limits: [{ kind: "requests", limit: order.limit, perMs: order.perMs }], amounts: { requests: 1, input_tokens: 0, output_tokens: 0 },
  }); // oxfmt-ignore
}

function settle(key: string, sent: boolean): Promise<null> {
  return end({ ...bucket, key, sent, used: {}, costMicroUsd: null, outcome: "ok", pauseUntil: null, learned: [] });
}
