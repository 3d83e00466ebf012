import { setTimeout } from "node:timers/promises";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { answerAll, type Begun, sendAll, sendRefused } from "./leak-deliveries.ts";
import { eraseAndLook } from "./leak-erasure.ts";
import { markOnce, playOutages } from "./leak-outages.ts";
import {
  askAbout,
  dumpTables,
  listenToChanges,
  mayHoldContent,
  readCommands,
  readEverything,
  readFiles,
  readModels,
} from "./leak-reading.ts";
import { findLeaks, type Leak } from "./leak-search.ts";
import { openStage, type Stage } from "./leak-stage.ts";
import type { ServiceProcess } from "./service-process.ts";

/** Sends planted values through everything, and looks for them wherever they should not be. */
export const leak: Experiment = {
  name: "leak",
  number: 12,
  asks: "40 planted secrets and personal values go through hooks, API, flows, models that quote them, crashes and errors; a person is erased; the detector dies in the middle",
  holdsWhen:
    "no secret anywhere, personal values only in sealed content and for those who may read it, nothing after erasure with the ledger whole, and no request leaves without the detector",
  counts: "runs begun in each state of the detector",
  usual: { rounds: 1, count: 10 },
  brief: { rounds: 1, count: 4 },
  async run(play) {
    const played: Played[] = [];
    for (let round = 1; round <= play.rounds; round += 1) {
      const stage = await openStage(play.seed + round - 1);
      try {
        played.push(await playRound(stage, stage.first, play));
      } finally {
        await stage.close();
      }
    }
    return toOutcome(played);
  },
};

interface Played {
  readonly figures: { readonly [name: string]: number };
  readonly violations: readonly string[];
}

async function playRound(stage: Stage, first: ServiceProcess, play: Play): Promise<Played> {
  const { people, detector } = stage;
  const control = await markOnce(stage, first);
  const accepted = await sendRefused(stage, first, people[0]);
  const changes = await listenToChanges(stage, first);
  const begun = [...(await sendAll(stage, first, people[0])), ...(await sendAll(stage, first, people[1]))];
  await untilSomeEnded(stage, begun);
  for (const [table, text] of await dumpTables(stage)) stage.hear(`${table} in the middle`, text);
  await first.kill();
  await changes.stop();
  stage.hear("standard error of the first service", first.words());
  const service = await stage.start({ masking: { presidio: { url: detector.url } } });
  const unended = await answerAll(stage, service, begun);
  play.tell(`${begun.length} runs, ${unended.length} not ended`);
  const outages = await playOutages(stage, service, play);
  play.tell(`${outages.figures.markedRuns} runs while the detector came and went`);
  await readEverything(stage, service, begun);
  await askAbout(stage, service);
  await readCommands(stage, begun, play.short);
  const tables = await dumpTables(stage);
  const erasure = await eraseAndLook(stage, service, begun);
  await service.stop();
  stage.hear("standard error of the second service", service.words());
  const found = await search(stage, tables);
  return {
    figures: { runs: begun.length, ...found.figures, ...outages.figures, ...erasure.figures },
    violations: [
      ...control,
      ...accepted,
      ...unended,
      ...found.violations,
      ...outages.violations,
      ...erasure.violations,
    ],
  };
}

/** Waits until a third of the runs have ended; most of the others are under way then. */
async function untilSomeEnded({ lab }: Stage, begun: readonly Begun[]): Promise<void> {
  await lab.withDatabase(async ({ query }) => {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(20)) {
      const ended = await query("select 1 from sluice.runs where id = any($1) and finished_at is not null", [
        begun.map(({ runId }) => runId),
      ]);
      if (ended.length >= begun.length / 3) return;
    }
  });
}

/** Looks for everything that was planted in all that can be read. */
async function search(stage: Stage, tables: ReadonlyMap<string, string>) {
  const values = stage.people.flatMap((person) => person.values);
  const models = await readModels(stage);
  const files = await readFiles(stage.lab.folder);
  const heard = stage.heard;
  const closed = new Map([...tables, ...files, ...[...heard].filter(([place]) => !mayHoldContent(place))]);
  const secretLeaks = findLeaks(new Map([...tables, ...files, ...heard, ...models]), stage.secrets);
  const personalLeaks = findLeaks(closed, values);
  const modelLeaks = findLeaks(models, values);
  const readable = findLeaks(new Map([...heard].filter(([place]) => place.startsWith("getRun for viewer"))), values);
  const outside = JSON.stringify(
    (await stage.lab.sandbox.calls()).filter(({ system }) => system === "hubspot" || system === "slack"),
  );
  const delivered = findLeaks(new Map([["outside", outside]]), values);
  return {
    figures: {
      planted: values.length + stage.secrets.length,
      textsSearched: tables.size + files.size + heard.size + models.size,
      megabytesSearched: Math.round(sizeOf([tables, files, heard, models]) / 1e6),
      secretLeaks: secretLeaks.length,
      personalLeaks: personalLeaks.length,
      modelLeaks: modelLeaks.length,
    },
    violations: [
      ...[...secretLeaks, ...personalLeaks, ...modelLeaks].map(toSentence),
      // Otherwise nothing was put to the test.
      ...(readable.length === values.length ? [] : ["not all planted values can be read by those who may"]),
      ...(expectedPlaces.every((place) => (closed.get(place)?.length ?? 0) > 0)
        ? []
        : ["logs or live events are missing"]),
      ...(delivered.length === values.length ? [] : ["not all planted values came to the systems that they were for"]),
    ],
  };
}

/** Where nothing may stand, and something must have been written. */
const expectedPlaces = [
  "logs/service-1.jsonl",
  "logs/service-2.jsonl",
  "ledger-heads.jsonl",
  "streamChanges for viewer",
  "sluice.ai_calls in the middle",
];

const toSentence = ({ place, value }: Leak): string => `I5: ${value} stands in: ${place}`;

function sizeOf(all: readonly ReadonlyMap<string, string>[]): number {
  return all.flatMap((texts) => [...texts.values()]).reduce((sum, text) => sum + text.length, 0);
}

function toOutcome(played: readonly Played[]): Outcome {
  const violations = played.flatMap((round) => round.violations);
  const names = Object.keys(played[0]?.figures ?? {});
  const most = (name: string): number => Math.max(...played.map(({ figures }) => figures[name] ?? 0));
  const figures = Object.fromEntries(names.map((name) => [name, most(name)]));
  return { holds: violations.length === 0, rounds: played.length, figures, violations };
}
