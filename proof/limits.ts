import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore } from "../src/store/index.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { prepareLab } from "./lab.ts";
import type { SenderOrder, SenderReport } from "./limits-sender.ts";

const limit = 60;
/** The time is that of three windows: `--count 180` plays 60 requests a minute. */
const windows = 3;
const reachedBar = 0.95;

/** Two processes ask for all that a limit gives and more, one in each lane; the outside writes down when requests arrive. */
export const limits: Experiment = {
  name: "limits",
  number: 23,
  asks: "two processes hammer one limit of 60 requests in a third of the time, with callers that wait and callers that do not",
  holdsWhen: "no window of any beginning has more than 60 requests, and >= 95 % of what the limit allows is reached",
  counts: "seconds",
  usual: { rounds: 1, count: 48 },
  brief: { rounds: 1, count: 12 },
  async run(play) {
    const lab = await prepareLab({ seed: play.seed });
    try {
      const postgres = await lab.startPostgres();
      const rounds: Played[] = [];
      for (let round = 1; round <= play.rounds; round += 1) {
        const databaseUrl = await postgres.createDatabase(`limits_${round}`);
        const store = await openStore({ url: databaseUrl, key: randomBytes(32), onError: () => {} });
        await store.close();
        rounds.push(await playRound(databaseUrl, join(lab.folder, `arrivals-${round}`), play));
      }
      return toOutcome(rounds);
    } finally {
      await lab.close();
    }
  },
};

interface Played extends SenderReport {
  readonly requests: number;
  /** Those whose way took longer than the limiter allows for: the machine was busy. */
  readonly slowOnTheWay: number;
  /** Most requests in any window. */
  readonly mostInWindow: number;
  /** How often a place was used again, of how often the limit allows. */
  readonly reachedShare: number;
}

async function playRound(databaseUrl: string, file: string, { count, tell }: Play): Promise<Played> {
  const perMs = (count * 1000) / windows;
  const outside = await startOutside(file);
  const order = { databaseUrl, origin: outside.origin, limit, perMs, forMs: count * 1000, patient: 60, impatient: 2 };
  try {
    const reports = await Promise.all([
      send({ ...order, name: "interactive", lane: 0 }),
      send({ ...order, name: "standard", lane: 1 }),
    ]);
    const sum = (name: keyof SenderReport) => reports.reduce((total, report) => total + report[name], 0);
    const found = measure(await readFile(file, "utf8"), perMs);
    tell(
      `${found.requests} requests in ${count} s, at most ${found.mostInWindow} in any ${perMs} ms; reached ${found.reachedShare}`,
    );
    return { asked: sum("asked"), refused: sum("refused"), late: sum("late"), ...found };
  } finally {
    await outside.close();
  }
}

/** Writes down when requests arrive and were asked for, on disk before it answers, by the clock of the senders. */
async function startOutside(file: string): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const log = await open(file, "a");
  let writing = Promise.resolve();
  const server = createServer((request, response) => {
    const arrivedMs = Number(process.hrtime.bigint()) / 1e6;
    const asked = new URL(request.url ?? "/", "http://outside").searchParams.get("asked");
    request.resume();
    if (asked === null) {
      response.end();
      return;
    }
    const line = `${arrivedMs} ${asked}\n`;
    writing = writing.then(async () => {
      await log.write(line);
      await log.datasync();
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await writing;
      await log.close();
    },
  };
}

/** @throws Error when the process ends without a report. */
async function send(order: SenderOrder): Promise<SenderReport> {
  const sender = fork(fileURLToPath(new URL("limits-sender.ts", import.meta.url)), [JSON.stringify(order)], {
    execArgv: ["--conditions=sluice-source"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let words = "";
  sender.stderr?.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-4000)));
  const patience = setTimeout(() => sender.kill("SIGKILL"), order.forMs + 30_000);
  const reported = once(sender, "message").then(([report]) => report as SenderReport);
  const ended = once(sender, "exit").then(([code]) =>
    Promise.reject(new Error(`a sender ended with ${code}: ${words}`)),
  );
  try {
    return await Promise.race([reported, ended]);
  } finally {
    ended.catch(() => {});
    clearTimeout(patience);
    sender.kill("SIGKILL");
  }
}

/**
 * The same place is used again by the request that comes a limit's number later: not within a window, and soon after it.
 * What the way of a request takes beyond a slice, of which the limiter cannot know, is taken off and counted.
 */
function measure(record: string, perMs: number): Omit<Played, keyof SenderReport> {
  const sliceMs = perMs / 60;
  const requests = record
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" ").map(Number) as [number, number]);
  const times = requests.map(([arrived, asked]) => Math.min(arrived, asked + sliceMs)).toSorted((a, b) => a - b);
  let [first, mostInWindow] = [0, 0];
  times.forEach((at, last) => {
    while (at - (times[first] ?? at) >= perMs) first += 1;
    mostInWindow = Math.max(mostInWindow, last - first + 1);
  });
  const again = times.slice(limit).map((at, place) => at - (times[place] ?? NaN));
  const meanMs = again.reduce((sum, ms) => sum + ms, 0) / Math.max(1, again.length);
  return {
    requests: requests.length,
    slowOnTheWay: requests.filter(([arrived, asked]) => arrived - asked > sliceMs).length,
    mostInWindow,
    reachedShare: again.length === 0 ? 0 : Math.round((perMs / meanMs) * 1000) / 1000,
  };
}

function toOutcome(rounds: readonly Played[]): Outcome {
  const sum = (name: "asked" | "refused" | "late" | "requests" | "slowOnTheWay") =>
    rounds.reduce((total, round) => total + round[name], 0);
  const violations = rounds.flatMap(({ mostInWindow, reachedShare }, round) => [
    ...(mostInWindow > limit
      ? [`I6: round ${round + 1}: ${mostInWindow} requests in a window, not at most ${limit}`]
      : []),
    ...(reachedShare < reachedBar
      ? [`round ${round + 1}: ${reachedShare} of the limit was reached, not ${reachedBar}`]
      : []),
  ]);
  return {
    holds: violations.length === 0,
    rounds: rounds.length,
    figures: {
      requests: sum("requests"),
      mostInWindow: Math.max(...rounds.map((round) => round.mostInWindow)),
      reachedShare: Math.min(...rounds.map((round) => round.reachedShare)),
      asked: sum("asked"),
      refused: sum("refused"),
      lateGivenBack: sum("late"),
      slowOnTheWay: sum("slowOnTheWay"),
    },
    violations,
  };
}
