import { setTimeout } from "node:timers/promises";
import { checkRecords, collectRuns, countEffects } from "./checker.ts";
import type { Database } from "./database.ts";
import type { Outside } from "./outside.ts";
import type { ServiceProcess } from "./service-process.ts";

/** How long a run may take, with a death and all. */
const patienceMs = 20_000;

/** Points of a run may come a little after its end. */
const lingerMs = 400;

/** What came of a run that was to be cut off at a point. */
export interface Death {
  readonly point: string;
  /** False: the run ended without passing the point. */
  readonly reached: boolean;
  readonly inDoubt: boolean;
  readonly violations: readonly string[];
}

interface RunRow {
  readonly id: string;
  readonly status: string;
  readonly code: string | null;
  /** Whether it waits for the signal. */
  readonly waits: boolean;
}

/** What {@link CrashLane} works with. */
export interface LaneParts {
  readonly name: string;
  readonly database: Database;
  readonly outside: Outside;
  /** Starts the service of the lane, on the port of the one before it. */
  readonly start: (port?: number) => Promise<ServiceProcess>;
}

/** One service with a database of its own, killed and started again, one run after the other. */
export class CrashLane {
  readonly #parts: LaneParts;
  #service: ServiceProcess;
  #runs: string[] = [];

  private constructor(parts: LaneParts, service: ServiceProcess) {
    this.#parts = parts;
    this.#service = service;
  }

  static async open(parts: LaneParts): Promise<CrashLane> {
    return new CrashLane(parts, await parts.start());
  }

  /** The points that a run passes which nothing cuts off. */
  async rehearse(id: string): Promise<string[]> {
    await this.#service.ask({ order: "watch", dieAt: null });
    const [runId] = await Promise.all([this.#send(id), this.#drive(id)]);
    this.#runs.push(runId);
    await setTimeout(lingerMs);
    return this.#service.ask<string[]>({ order: "passed" });
  }

  /** The points that are passed when there is no run. */
  async idle(forMs: number): Promise<string[]> {
    await this.#service.ask({ order: "watch", dieAt: null });
    await setTimeout(forMs);
    return this.#service.ask<string[]>({ order: "passed" });
  }

  /** Begins a run that dies at a point, starts the service again, and says whether the run came to its proper end. */
  async die(id: string, point: string): Promise<Death> {
    const victim = this.#service;
    await victim.ask({ order: "watch", dieAt: point });
    const sending = this.#send(id);
    const before = await this.#drive(id, victim);
    if (victim.isRunning()) await Promise.race([victim.exited, setTimeout(lingerMs)]);
    const reached = !victim.isRunning();
    if (!reached) await victim.ask({ order: "watch", dieAt: null });
    const mayHaveHappened = reached ? await this.#unsettled(id) : [];
    if (reached) this.#service = await this.#parts.start(Number(new URL(victim.publicUrl).port));
    const run = before ?? (await this.#drive(id));
    const runId = await sending;
    this.#runs.push(runId);
    const violations = [...this.#judgeRun(run, runId, mayHaveHappened), ...this.#judgeEffects(id, run)];
    return {
      point,
      reached,
      inDoubt: run?.status === "in_doubt",
      violations: violations.map((text) => `death at "${point}": ${text}`),
    };
  }

  /** What does not hold in the records of all runs of the lane. */
  async judgeRecords(): Promise<string[]> {
    const { database, outside } = this.#parts;
    const findings = checkRecords(await collectRuns(database, this.#runs), outside.calls);
    return findings.map((finding) => finding.text);
  }

  async close(): Promise<void> {
    await this.#service.stop();
  }

  /** Sends the event until it is acknowledged, over the death and all. */
  async #send(id: string): Promise<string> {
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify({ id }) };
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await setTimeout(30)) {
      const response = await fetch(`${this.#service.publicUrl}/hooks/everything`, request).catch(() => null);
      const text = response?.ok ? await response.text().catch(() => "") : "";
      if (text !== "") return (JSON.parse(text) as { readonly runId: string }).runId;
    }
    throw new Error(`the event ${id} was not acknowledged within ${patienceMs / 1000} s`);
  }

  /** Gives the run its signal when it waits for it. Resolves with the ended run, or with null when the process has died or it takes too long. */
  async #drive(id: string, victim = this.#service): Promise<RunRow | null> {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await setTimeout(15)) {
      if (!victim.isRunning()) return null;
      const run = await this.#find(id);
      if (run && ["succeeded", "failed", "cancelled", "in_doubt"].includes(run.status)) return run;
      const signal = { order: "signal", runId: run?.id ?? "", name: "go", value: { word: id } } as const;
      // It may die of it: then it is told again.
      if (run?.waits) await victim.ask(signal).catch(() => {});
    }
    return null;
  }

  async #find(id: string): Promise<RunRow | undefined> {
    const [run] = await this.#parts.database.query<RunRow>(
      `select run.id, run.status, run.error ->> 'code' as code, exists (select 1 from sluice.steps
         where run_id = run.id and kind = 'signal' and status <> 'succeeded') as waits
       from sluice.runs as run join sluice.events as event on event.id = run.event_id where event.payload ->> 'id' = $1`,
      [id],
    );
    return run;
  }

  /** The irreversible effects of a run whose intent is recorded, and no outcome, once nothing of the dead process is under way. */
  async #unsettled(id: string): Promise<string[]> {
    const { query } = this.#parts.database;
    const others = `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
      and application_name like 'sluice%'`;
    while ((await query(others)).length > 0) await setTimeout(5);
    const rows = await query<{ action: string }>(
      `select action from sluice.effects as effect join sluice.runs as run on run.id = effect.run_id
       join sluice.events as event on event.id = run.event_id
       where event.payload ->> 'id' = $1 and effect.effect = 'irreversible' and effect.state = 'intent'`,
      [id],
    );
    return rows.map((row) => row.action);
  }

  #judgeRun(run: RunRow | null | undefined, runId: string, mayHaveHappened: readonly string[]): string[] {
    if (!run) return [`run ${runId} had not ended after ${patienceMs / 1000} s`];
    const wanted = mayHaveHappened.length > 0 ? "in_doubt" : "succeeded";
    if (run.status === wanted) return [];
    const why = mayHaveHappened.length > 0 ? ` although the intent of ${mayHaveHappened.join(", ")} was recorded` : "";
    return [`run ${runId} is ${run.status} ${run.code ?? ""}, not ${wanted}${why}`];
  }

  /** Each effect once; what cannot be taken back at most once, and what comes after it not at all when the run stopped there. */
  #judgeEffects(id: string, run: RunRow | null | undefined): string[] {
    const calls = this.#parts.outside.calls.filter((call) => call.id === id);
    return ["keyed", "found", "charge", "wire"].flatMap((kind) => {
      const own = calls.filter((call) => call.kind === kind);
      const happened = own.filter((call) => call.hadEffect).length;
      const keys = new Set(own.map((call) => call.idempotencyKey));
      const isOpen = run?.status === "in_doubt" && (kind === "charge" || kind === "wire");
      const counted = countEffects(`${kind} of run ${run?.id}`, happened, isOpen ? Math.min(happened, 1) : 1);
      const other = keys.size > 1 ? [`I2: ${kind} of run ${run?.id} used the keys ${[...keys].join(", ")}`] : [];
      return [...counted.map((finding) => finding.text), ...other];
    });
  }
}
