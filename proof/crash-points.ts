import { join } from "node:path";
import { CrashLane, type Death, type LaneParts } from "./crash-lane.ts";
import { type Postgres, withDatabase } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { draw } from "./leads.ts";
import { type Outside, startOutside } from "./outside.ts";

/** Lanes side by side: each mostly waits until the death of its process is seen. */
const lanes = 4;

/** How often a point is tried: what is written together with what may differ from the rehearsal. */
const maxTries = 3;

/** How long the polls of an idle service are watched, so that they are not taken for points of a run. */
const idleMs = 2500;

/** When nothing is said about how many points are played: no new one after this time. */
const usualMs = 50_000;
const all = 10_000;

/** Where a process dies so that the one after it dies in taking the run over: an effect is under way. */
const firstDeath = "POST /effects/found sent 1";
/** So many points of the taking over: up to the first step that is new. */
const recoveryPoints = 24;

const config = new URL("crash-points.config.ts", import.meta.url).href;

/** Kills the process at every point at which a run can be cut off, once each. */
export const crashPoints: Experiment = {
  name: "crash-points",
  number: 2,
  asks: "the process exits before and after everything that a run writes and at every stage of its requests, once each",
  holdsWhen:
    "every run ends well, each effect happens once, nothing recorded is done again; an irreversible effect that may have happened leaves the run in doubt",
  counts: "points, at most",
  usual: { rounds: 1, count: all },
  brief: { rounds: 1, count: 8 },
  async run(play) {
    const outside = await startOutside();
    const lab = await prepareLab({ seed: play.seed });
    try {
      return await playPoints(lab, outside, play);
    } finally {
      await lab.close();
      await outside.close();
    }
  },
};

async function playPoints(lab: Lab, outside: Outside, play: Play): Promise<Outcome> {
  const began = performance.now();
  const postgres = await lab.startPostgres();
  const openLane = createLanes(lab, postgres, outside);
  const deadly = await openLane("rehearsal", undefined, rehearse);
  const chosen = choose(deadly, play);
  play.tell(`${deadly.length} points, of which ${chosen.length} are played`);
  const waiting = chosen.flatMap((points) => Array.from({ length: play.rounds }, () => ({ points, tries: 1 })));
  const deaths: Death[] = [];
  const isOver = (): boolean => play.count === all && performance.now() - began > usualMs;
  const playLane = async (lane: CrashLane, name: string): Promise<string[]> => {
    for (let number = 1; !isOver(); number += 1) {
      const next = waiting.shift();
      if (!next) break;
      const death = await lane.die(`${name}-${number}`, next.points);
      if (death.reached || death.violations.length > 0 || next.tries === maxTries) deaths.push(death);
      else waiting.push({ ...next, tries: next.tries + 1 });
    }
    return lane.judgeRecords();
  };
  const names = Array.from({ length: Math.min(lanes, chosen.length) }, (_item, at) => `lane${at + 1}`);
  const torn = await Promise.all(names.map((name) => openLane(name, "rehearsal", playLane)));
  return judge({ rounds: play.rounds, count: deadly.length, deaths, torn: torn.flat() });
}

type OpenLane = <T>(
  name: string,
  template: string | undefined,
  use: (lane: CrashLane, name: string) => Promise<T>,
) => Promise<T>;

/** Makes lanes on databases of their own, and closes them after use. */
function createLanes(lab: Lab, postgres: Postgres, outside: Outside): OpenLane {
  const variables = { PROOF_OUTSIDE: outside.origin, NODE_COMPILE_CACHE: join(lab.folder, "compiled") };
  return async (name, template, use) => {
    const databaseUrl = await postgres.createDatabase(name, template);
    const environment = { SLUICE_DATABASE_URL: databaseUrl };
    const start: LaneParts["start"] = (settings) =>
      lab.start({ config, crashPoints: true, environment, ...settings }, { variables });
    return withDatabase({ databaseUrl }, async (database) => {
      const lane = await CrashLane.open({ name, database, outside, start });
      try {
        return await use(lane, name);
      } finally {
        await lane.close();
      }
    });
  };
}

/** Where a process dies, and the one after it: one point of a run, or two with the second in taking the run over. */
type Deadly = readonly string[];

/** Lists what is deadly: the points that two runs in a row pass, and an idle service does not. */
async function rehearse(lane: CrashLane): Promise<Deadly[]> {
  // The first run also loads code and plans statements.
  await lane.rehearse("rehearsal-1");
  const once = both(await lane.rehearse("rehearsal-2"), await lane.rehearse("rehearsal-3"));
  const idle = new Set((await lane.idle(idleMs)).map(withoutCount));
  const passed = [
    await lane.rehearseRecovery("recovery-1", firstDeath),
    await lane.rehearseRecovery("recovery-2", firstDeath),
  ];
  const again = both(passed[0] ?? [], passed[1] ?? []);
  const isOwn = (point: string): boolean => !idle.has(withoutCount(point));
  return [
    ...once.filter(isOwn).map((point) => [point]),
    ...again
      .filter(isOwn)
      .slice(0, recoveryPoints)
      .map((point) => [firstDeath, point]),
  ];
}

function both(first: readonly string[], second: readonly string[]): string[] {
  const known = new Set(second);
  return first.filter((point) => known.has(point));
}

function withoutCount(point: string): string {
  return point.replace(/ \d+$/, "");
}

/** All, or as many as are asked for, drawn by the seed. */
function choose(deadly: readonly Deadly[], { count, seed }: Play): Deadly[] {
  const places = new Map(deadly.map((points) => [points, draw(seed, points.join())]));
  return deadly.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0)).slice(0, count);
}

function judge(played: {
  readonly rounds: number;
  readonly count: number;
  readonly deaths: readonly Death[];
  readonly torn: readonly string[];
}): Outcome {
  const { rounds, count, deaths, torn } = played;
  const unreached = deaths.filter((death) => !death.reached);
  const reached = deaths.filter((death) => death.reached);
  const left = count - new Set(deaths.map((death) => death.points)).size;
  const violations = [
    ...(reached.length === 0 ? ["no process died at any point"] : []),
    ...unreached.map(({ points }) => `"${points.join('", then "')}" was not reached in ${maxTries} runs`),
    ...deaths.flatMap((death) => death.violations),
    ...torn,
  ];
  return {
    holds: violations.length === 0,
    rounds,
    figures: {
      points: count,
      played: reached.length,
      playedInRecovery: reached.filter((death) => death.points.length > 1).length,
      unreached: unreached.length,
      inDoubt: deaths.filter((death) => death.inDoubt).length,
    },
    violations,
    ...(left > 0 && { skipped: `${left} of ${count} points; --count ${count} plays all` }),
  };
}
