import * as fc from "fast-check";
import { LivenessWatch, type Sight } from "../src/engine/liveness.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { playLimitSchedules } from "./simulated-limits.ts";

/*
 * A world of processes that watch each other, without a database and without waiting: beats, looks, clocks and locks are
 * simulated, the watching is the real one. Within it, processes are killed, freeze and wake, lose their connection, and are
 * slow, in every order that fast-check comes upon.
 */

/** The application's own intervals, and how late a busy process may be with them. */
const beatMs = 2000;
const lookMs = 1000;
const latestMs = 900;

/** Within this time a dead process must have been taken for dead. */
const adoptionBarMs = 15_000;

const stepMs = 100;
const worldMs = 60_000;

/** What happens to a process. Times count from the beginning of the world. */
interface Blow {
  readonly kind: "kill" | "freeze" | "disconnect";
  readonly process: number;
  readonly atMs: number;
  /** How long a frozen process stands still, or a lost connection is gone. */
  readonly forMs: number;
}

/** A schedule: which processes there are, when they begin, how late they are, and what happens to them. */
interface Schedule {
  readonly processes: readonly { readonly beginsMs: number; readonly clockMs: number; readonly lateMs: number }[];
  readonly blows: readonly Blow[];
}

const schedules: fc.Arbitrary<Schedule> = fc.record({
  processes: fc.array(
    fc.record({
      beginsMs: fc.integer({ min: 0, max: 3000 }),
      // Monotonic clocks of different machines have nothing in common.
      clockMs: fc.integer({ min: 0, max: 1_000_000 }),
      lateMs: fc.integer({ min: 0, max: latestMs }),
    }),
    { minLength: 2, maxLength: 5 },
  ),
  blows: fc.array(
    fc.record({
      kind: fc.constantFrom("kill", "freeze", "disconnect"),
      process: fc.nat(4),
      atMs: fc.integer({ min: 4000, max: 40_000 }),
      forMs: fc.integer({ min: 100, max: 30_000 }),
    }),
    { maxLength: 6 },
  ),
});

/** Schedules of limits and budgets are played by the real SQL, which takes 20 ms each: one for so many of adoption. */
const limitsShare = 10;

/** Adoption, limits and budgets under simulated schedules. */
export const simulated: Experiment = {
  name: "simulated",
  number: 3,
  asks: "10,000 simulated schedules of processes that die, freeze, wake and lose connections while they watch each other, and a tenth as many of calls at limits and budgets",
  holdsWhen:
    "every dead process is seen within 15 s where one lives, and none that lives and beats is taken for dead; no limit is exceeded in any window, no budget overspent, and nobody waits for ever",
  counts: "schedules",
  usual: { rounds: 1, count: 10_000 },
  brief: { rounds: 1, count: 2000 },
  run: async ({ seed, rounds, count }: Play): Promise<Outcome> => {
    const details = fc.check(
      fc.property(schedules, (schedule) => judge(schedule, play(schedule))),
      {
        seed,
        numRuns: count * rounds,
      },
    );
    const ofAdoption = details.failed
      ? [`${String(details.errorInstance)}; schedule ${JSON.stringify(details.counterexample?.[0])}`]
      : [];
    const limitSchedules = Math.ceil((count * rounds) / limitsShare);
    const violations = [...ofAdoption, ...(await playLimitSchedules(seed, limitSchedules))];
    return {
      holds: violations.length === 0,
      rounds,
      figures: { schedules: details.numRuns, limitSchedules, violations: violations.length },
      violations,
    };
  },
};

/** One process in the world. */
class SimulatedProcess {
  readonly name: string;
  readonly watch = new LivenessWatch();
  readonly #schedule: Schedule["processes"][number];
  readonly #blows: readonly Blow[];
  #beat = 0;
  #nextBeatMs: number;
  #nextLookMs: number;
  /** When it was first taken for dead. */
  takenForDeadMs: number | null = null;

  constructor(number: number, schedule: Schedule) {
    this.name = `process ${number}`;
    this.#schedule = schedule.processes[number]!;
    this.#blows = schedule.blows.filter((blow) => blow.process === number);
    this.#nextBeatMs = this.#schedule.beginsMs;
    this.#nextLookMs = this.#schedule.beginsMs;
  }

  isRegistered(nowMs: number): boolean {
    return nowMs >= this.#schedule.beginsMs && this.takenForDeadMs === null;
  }

  /** When it was killed. */
  get killedMs(): number {
    return Math.min(Infinity, ...this.#of("kill").map((blow) => blow.atMs));
  }

  /** Whether it stands still now, or is dead. */
  #isStill(nowMs: number): boolean {
    return nowMs >= this.killedMs || this.#isUnder("freeze", nowMs);
  }

  /** Whether nothing ever happens to it. */
  get isUnharmed(): boolean {
    return this.#blows.length === 0;
  }

  sight(nowMs: number): Sight {
    const lockFree = nowMs >= this.killedMs || this.#isUnder("disconnect", nowMs);
    return { executor: this.name, beat: this.#beat, lockFree };
  }

  /** Beats and says whether it looks now. */
  live(nowMs: number): boolean {
    if (nowMs < this.#schedule.beginsMs || this.#isStill(nowMs)) return false;
    const { lateMs } = this.#schedule;
    if (nowMs >= this.#nextBeatMs) {
      this.#beat += 1;
      this.#nextBeatMs = nowMs + beatMs + lateMs;
    }
    if (nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + lookMs + lateMs;
    return true;
  }

  look(sights: readonly Sight[], nowMs: number): string[] {
    return this.watch.look(sights, nowMs + this.#schedule.clockMs);
  }

  #of(kind: Blow["kind"]): readonly Blow[] {
    return this.#blows.filter((blow) => blow.kind === kind);
  }

  #isUnder(kind: Blow["kind"], nowMs: number): boolean {
    return this.#of(kind).some((blow) => nowMs >= blow.atMs && nowMs < blow.atMs + blow.forMs);
  }
}

/** Plays a schedule; the processes then say when they were taken for dead. */
function play(schedule: Schedule): SimulatedProcess[] {
  const processes = schedule.processes.map((_process, number) => new SimulatedProcess(number, schedule));
  for (let nowMs = 0; nowMs < worldMs; nowMs += stepMs) {
    const watchers = processes.filter((process) => process.live(nowMs));
    for (const watcher of watchers) look(watcher, processes, nowMs);
  }
  return processes;
}

/** What one process takes for dead is marked as ended, and no other looks at it any more. */
function look(watcher: SimulatedProcess, processes: readonly SimulatedProcess[], nowMs: number): void {
  const others = processes.filter((other) => other !== watcher && other.isRegistered(nowMs));
  const sights = others.map((other) => other.sight(nowMs));
  const dead = new Set(watcher.look(sights, nowMs));
  for (const other of others) if (dead.has(other.name)) other.takenForDeadMs = nowMs;
}

/** @throws Error that says what does not hold. */
function judge(schedule: Schedule, processes: readonly SimulatedProcess[]): void {
  const hasWatcher = processes.some((process) => process.isUnharmed);
  for (const { name, isUnharmed, killedMs, takenForDeadMs } of processes) {
    if (isUnharmed && takenForDeadMs !== null)
      throw new Error(`${name} lives, and was taken for dead at ${takenForDeadMs} ms`);
    if (!hasWatcher || killedMs + adoptionBarMs > worldMs) continue;
    if (takenForDeadMs === null || takenForDeadMs > killedMs + adoptionBarMs) {
      throw new Error(`${name} was killed at ${killedMs} ms, and taken for dead at ${takenForDeadMs} ms`);
    }
  }
  for (const blow of schedule.blows) {
    const process = processes[blow.process];
    const isLong = blow.kind === "freeze" && blow.forMs >= adoptionBarMs;
    if (!process || !isLong || !hasWatcher || process.takenForDeadMs !== null) continue;
    throw new Error(`${process.name} was frozen for ${blow.forMs} ms, and not taken for dead`);
  }
}
