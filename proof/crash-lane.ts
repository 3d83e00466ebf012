import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { checkRecords, collectRuns, countEffects } from "./checker.ts";
import type { Database } from "./database.ts";
import type { Outside } from "./outside.ts";
import type { ServiceProcess } from "./service-process.ts";
import type { ServiceSettings } from "./service.ts";

/** How long a run may take, with a death and all. */
const patienceMs = 20_000;

/** Points of a run may come a little after its end. */
const lingerMs = 400;

/** What came of a run that was to be cut off. */
export interface Death {
  /** Where its process died, and the one after it. */
  readonly points: readonly string[];
  /** False: the run ended without passing them. */
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
  /** Starts a service of the lane. */
  readonly start: (settings?: Pick<ServiceSettings, "publicPort" | "dieAt">) => Promise<ServiceProcess>;
}

const bodyOf = (id: string): string => JSON.stringify({ id });

/** What an event can be found by whose content is sealed. */
const digestOfBody = (id: string): string => `sha256:${createHash("sha256").update(bodyOf(id)).digest("hex")}`;

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
    await this.#watch(null);
    const [runId] = await Promise.all([this.#send(id), this.#drive(id)]);
    this.#runs.push(runId);
    await setTimeout(lingerMs);
    return this.#passed();
  }

  /** The points that a process passes, from its start on, which takes over a run that died at a point. */
  async rehearseRecovery(id: string, point: string): Promise<string[]> {
    await this.#watch(point);
    const sending = this.#send(id);
    await this.#drive(id);
    if (this.#service.isRunning()) throw new Error(`the rehearsal did not die at "${point}"`);
    await this.#startAgain(null);
    await this.#drive(id);
    this.#runs.push(await sending);
    return this.#passed();
  }

  /** The points that are passed when there is no run. */
  async idle(forMs: number): Promise<string[]> {
    await this.#watch(null);
    await setTimeout(forMs);
    return this.#passed();
  }

  /**
   * Begins a run whose process dies at the first point, and the process after it at the next. Starts the service again then,
   * and says whether the run came to its proper end.
   */
  async die(id: string, points: readonly string[]): Promise<Death> {
    const [first = null, ...others] = points;
    await this.#watch(first);
    const sending = this.#send(id);
    let before = await this.#outlive(id);
    for (const point of others) {
      if (!this.#service.isRunning() && (await this.#startAgain(point))) before = await this.#outlive(id);
    }
    const reached = !this.#service.isRunning();
    const mayHaveHappened = reached ? await this.#unsettled(id) : [];
    if (reached) await this.#startAgain(null);
    else await this.#watch(null);
    const run = before ?? (await this.#drive(id));
    const runId = await sending;
    this.#runs.push(runId);
    const found = run ? judgeRun(run, mayHaveHappened) : [await this.#describe(id, runId)];
    const violations = [...found, ...this.#judgeEffects(id, run)];
    return {
      points,
      reached,
      inDoubt: run?.status === "in_doubt",
      violations: violations.map((text) => `death at "${points.join('", then at "')}": ${text}`),
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

  #watch(dieAt: string | null): Promise<unknown> {
    return this.#service.ask({ order: "watch", dieAt });
  }

  #passed(): Promise<string[]> {
    return this.#service.ask<string[]>({ order: "passed" });
  }

  /** Starts the next process, which may die at a point of its start already: false. */
  async #startAgain(dieAt: string | null): Promise<boolean> {
    const publicPort = Number(new URL(this.#service.publicUrl).port);
    const starting = this.#parts.start({ publicPort, dieAt });
    if (dieAt === null) this.#service = await starting;
    else this.#service = await starting.catch(() => this.#service);
    return this.#service.isRunning();
  }

  /** As `#drive`, and a little longer. */
  async #outlive(id: string): Promise<RunRow | null> {
    const run = await this.#drive(id);
    if (run) await Promise.race([this.#service.exited, setTimeout(lingerMs)]);
    return run;
  }

  /** Sends the event until it is acknowledged, over the death and all. */
  async #send(id: string): Promise<string> {
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: bodyOf(id) };
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await setTimeout(30)) {
      const response = await fetch(`${this.#service.publicUrl}/hooks/everything`, request).catch(() => null);
      const text = response?.ok ? await response.text().catch(() => "") : "";
      if (text !== "") return (JSON.parse(text) as { readonly runId: string }).runId;
    }
    throw new Error(`the event ${id} was not acknowledged within ${patienceMs / 1000} s`);
  }

  /**
   * Gives the run its signal when it waits for it. Resolves with the ended run, or with null when the process has died or it
   * takes too long.
   */
  async #drive(id: string): Promise<RunRow | null> {
    const service = this.#service;
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await setTimeout(15)) {
      if (!service.isRunning()) return null;
      const run = await this.#find(id);
      if (run && ["succeeded", "failed", "cancelled", "in_doubt"].includes(run.status)) return run;
      const signal = { order: "signal", runId: run?.id ?? "", name: "go", value: { word: id } } as const;
      // It may die of it: then the next process is told.
      if (run?.waits) await service.ask(signal).catch(() => {});
    }
    return null;
  }

  async #find(id: string): Promise<RunRow | undefined> {
    const [run] = await this.#parts.database.query<RunRow>(
      `select run.id, run.status, run.error ->> 'code' as code, exists (select 1 from sluice.steps
         where run_id = run.id and kind = 'signal' and status <> 'succeeded') as waits
       from sluice.runs as run join sluice.events as event on event.id = run.event_id where event.body_digest = $1`,
      [digestOfBody(id)],
    );
    return run;
  }

  /** Says where a run stands that should have ended. */
  async #describe(id: string, runId: string): Promise<string> {
    const run = await this.#find(id);
    const steps = await this.#parts.database.query<{ text: string }>(
      `select path || ' ' || name || ' is ' || status || ' after ' || json_array_length(attempts) || ' attempts' as text
       from sluice.steps where run_id = $1 order by started_at desc limit 1`,
      [runId],
    );
    return `run ${runId} is ${run?.status ?? "nowhere"} after ${patienceMs / 1000} s; its last step ${steps[0]?.text ?? "is none"}`;
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
       where event.body_digest = $1 and effect.effect = 'irreversible' and effect.state = 'intent'`,
      [digestOfBody(id)],
    );
    return rows.map((row) => row.action);
  }

  /** Each effect once; what cannot be taken back at most once, and what comes after it not at all when the run stopped there. */
  #judgeEffects(id: string, run: RunRow | null): string[] {
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

function judgeRun(run: RunRow, mayHaveHappened: readonly string[]): string[] {
  const wanted = mayHaveHappened.length > 0 ? "in_doubt" : "succeeded";
  if (run.status === wanted) return [];
  const why = mayHaveHappened.length > 0 ? ` although the intent of ${mayHaveHappened.join(", ")} was recorded` : "";
  return [`run ${run.id} is ${run.status} ${run.code ?? ""}, not ${wanted}${why}`];
}
