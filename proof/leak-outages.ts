import { setTimeout } from "node:timers/promises";
import type { Play } from "./experiment.ts";
import type { DetectorState } from "./leak-detector.ts";
import { markerPattern } from "./leak-plan.ts";
import { readModels } from "./leak-reading.ts";
import type { Stage } from "./leak-stage.ts";
import { untilEnded } from "./model-lab.ts";
import type { ServiceProcess } from "./service-process.ts";

/** The detector is up between these. Its silence costs 5 s, the time that it is given. */
const outages: { readonly [Form in "usual" | "short"]: readonly DetectorState[] } = {
  usual: ["dead", "failing", "cut", "garbage", "hanging", "dead"],
  short: ["dead", "failing", "cut", "garbage"],
};
/** How long each state lasts. */
const lastsMs = 400;
const patienceMs = 40_000;
const pauseMs = 10;

/** Begins a run with a word that only the detector takes for a name. */
async function begin(stage: Stage, service: ServiceProcess, word: string): Promise<string> {
  const request = { method: "POST", body: { payload: { word } } };
  const { body } = await stage.client(service).ask("admin", "startRun", "/api/v1/flows/marked/runs", request);
  return (body as { readonly runId: string }).runId;
}

/** Sends the word past a service without the detector: it must reach a model, or the outages would show nothing. */
export async function markOnce(stage: Stage, service: ServiceProcess): Promise<string[]> {
  await untilEnded(stage.lab, [await begin(stage, service, "zyxcontrol")], 10_000);
  const { words } = await seenMarkers(stage);
  return words.includes("zyxcontrol") ? [] : ["a word that only the detector knows is found without it"];
}

/** Lets the detector die and come back under load, in every way, and counts what reached a model unread. */
export async function playOutages(stage: Stage, service: ServiceProcess, { short, count }: Play) {
  const before = await seenMarkers(stage);
  const runIds: string[] = [];
  for (const state of outages[short ? "short" : "usual"].flatMap((outage) => ["up", outage] as const)) {
    const ended = setTimeout(lastsMs);
    for (let at = 0; at < count; at += 1) {
      // In the middle of the load: some calls are with the detector then.
      if (at === Math.floor(count / 2)) await stage.detector.become(state);
      runIds.push(await begin(stage, service, `zyx${runIds.length}${state}`));
      await setTimeout(pauseMs);
    }
    await ended;
  }
  await stage.detector.become("up");
  await untilEnded(stage.lab, runIds, patienceMs);
  const runs = await stage.lab.withDatabase(({ query }) =>
    query<{ readonly status: string; readonly code: string | null }>(
      "select status, error ->> 'code' as code from sluice.runs where id = any($1)",
      [runIds],
    ),
  );
  const retried = await stage.lab.withDatabase(({ query }) =>
    query(
      "select 1 from sluice.steps where run_id = any($1) and json_array_length(attempts) > 1 and status = 'succeeded'",
      [runIds],
    ),
  );
  const after = await seenMarkers(stage);
  const succeeded = runs.filter(({ status }) => status === "succeeded").length;
  const stopped = runs.filter(({ status, code }) => status === "failed" && code === "MASKING_FAILED").length;
  const open = after.words.length - before.words.length;
  return {
    figures: {
      markedRuns: runIds.length,
      failOpenCases: open,
      goneOnAfterOutage: retried.length,
      stoppedVisibly: stopped,
    },
    violations: [
      ...(open === 0 ? [] : [`${open} words reached a model that only the detector could have found`]),
      ...(succeeded + stopped === runIds.length
        ? []
        : [`${runIds.length - succeeded - stopped} runs neither succeeded nor failed with MASKING_FAILED`]),
      ...(retried.length > 0 && stopped > 0 && succeeded > retried.length ? [] : ["the outages met no call"]),
      ...(after.requests > before.requests ? [] : ["no request reached a model"]),
    ],
  };
}

/** Markers in the requests that models were given. */
async function seenMarkers(stage: Stage): Promise<{ readonly words: readonly string[]; readonly requests: number }> {
  const text = [...(await readModels(stage)).values()].join("\n");
  return { words: text.match(markerPattern) ?? [], requests: (text.match(/was heard/g) ?? []).length };
}
