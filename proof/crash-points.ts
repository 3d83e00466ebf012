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
const idleMs = 3000;

/** When nothing is said about how many points are played: no new one after this time. */
const usualMs = 50_000;
const all = 10_000;

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
  const points = await openLane("rehearsal", undefined, rehearse);
  const chosen = choose(points, play);
  play.tell(`${points.length} points, of which ${chosen.length} are played`);
  const waiting = chosen.flatMap((point) => Array.from({ length: play.rounds }, () => ({ point, tries: 1 })));
  const deaths: Death[] = [];
  const isOver = (): boolean => play.count === all && performance.now() - began > usualMs;
  const playLane = async (lane: CrashLane, name: string): Promise<string[]> => {
    for (let number = 1; !isOver(); number += 1) {
      const next = waiting.shift();
      if (!next) break;
      const death = await lane.die(`${name}-${number}`, next.point);
      if (death.reached || death.violations.length > 0 || next.tries === maxTries) deaths.push(death);
      else waiting.push({ ...next, tries: next.tries + 1 });
    }
    return lane.judgeRecords();
  };
  const names = Array.from({ length: Math.min(lanes, chosen.length) }, (_item, at) => `lane${at + 1}`);
  const torn = await Promise.all(names.map((name) => openLane(name, "rehearsal", playLane)));
  return judge({ rounds: play.rounds, points, deaths, torn: torn.flat() });
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
    const start: LaneParts["start"] = (port = 0) =>
      lab.start({ config, crashPoints: true, environment, publicPort: port }, { variables });
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

/** The points that two runs in a row pass, and an idle service does not. */
async function rehearse(lane: CrashLane): Promise<string[]> {
  // The first run also loads code and plans statements.
  await lane.rehearse("rehearsal-1");
  const first = await lane.rehearse("rehearsal-2");
  const second = new Set(await lane.rehearse("rehearsal-3"));
  const idle = new Set((await lane.idle(idleMs)).map(withoutCount));
  return first.filter((point) => second.has(point) && !idle.has(withoutCount(point)));
}

function withoutCount(point: string): string {
  return point.replace(/ \d+$/, "");
}

/** All points, or as many as are asked for, drawn by the seed. */
function choose(points: readonly string[], { count, seed }: Play): string[] {
  const places = new Map(points.map((point) => [point, draw(seed, point)]));
  return points.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0)).slice(0, count);
}

function judge(played: {
  readonly rounds: number;
  readonly points: readonly string[];
  readonly deaths: readonly Death[];
  readonly torn: readonly string[];
}): Outcome {
  const { rounds, points, deaths, torn } = played;
  const unreached = deaths.filter((death) => !death.reached);
  const left = points.length - new Set(deaths.map((death) => death.point)).size;
  const violations = [
    ...(points.length === 0 ? ["the rehearsal passed no points"] : []),
    ...unreached.map(({ point }) => `the point "${point}" was not reached in ${maxTries} runs`),
    ...deaths.flatMap((death) => death.violations),
    ...torn,
  ];
  return {
    holds: violations.length === 0,
    rounds,
    figures: {
      points: points.length,
      played: deaths.length - unreached.length,
      unreached: unreached.length,
      inDoubt: deaths.filter((death) => death.inDoubt).length,
    },
    violations,
    ...(left > 0 && { skipped: `${left} of ${points.length} points; --count ${points.length} plays all` }),
  };
}
