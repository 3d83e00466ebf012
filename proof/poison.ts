import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Database } from "./database.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { type PoisonInput, poisonInputs } from "./poison-inputs.ts";
import { type RawAnswer, sendRaw } from "./raw-request.ts";
import { readSealed } from "./sealed-content.ts";
import type { ServiceProcess } from "./service-process.ts";

/** How long one input may keep the application from answering others. */
const blockedBarMs = 100;

/** Deaths of its process after which a run must be set aside. */
const deathsBar = 3;

/** Neighbours need about 5 s when nothing disturbs them. */
const patienceMs = 40_000;

const config = new URL("poison.config.ts", import.meta.url).href;

/** Inputs that are meant to hurt, and a run that kills every process that executes it. */
export const poison: Experiment = {
  name: "poison",
  number: 11,
  asks: "hostile documents, texts, keys, sizes, encodings and headers; and a run that kills its process",
  holdsWhen:
    "good input is taken and given back as it came, bad input gets a 4xx, nothing blocks the event loop for 100 ms, and the run is set aside after 3 deaths with its neighbours unharmed",
  counts: "neighbours of the poison run",
  usual: { rounds: 1, count: 50 },
  brief: { rounds: 1, count: 50 },
  async run(play) {
    const lab = await prepareLab({ seed: play.seed, service: { config } });
    try {
      const inputs = await playInputs(lab, play);
      const run = await playRun(lab, play);
      return {
        holds: inputs.violations.length + run.violations.length === 0,
        rounds: 1,
        figures: { ...inputs.figures, ...run.figures },
        violations: [...inputs.violations, ...run.violations],
      };
    } finally {
      await lab.close();
    }
  },
};

type Part = Pick<Outcome, "figures" | "violations">;

/** An input with what came of it. */
interface Answered {
  readonly input: PoisonInput;
  readonly answer: RawAnswer;
  readonly blockedMs: number;
}

async function playInputs(lab: Lab, { tell }: Play): Promise<Part> {
  const service = await lab.start();
  try {
    const inputs = poisonInputs();
    await warmUp(service, inputs);
    const answered: Answered[] = [];
    for (const input of inputs) {
      const answer = await sendUntilAnswered(service, input);
      answered.push({ input, answer, blockedMs: await service.ask<number>({ order: "blocked" }) });
    }
    await lab.drained();
    const last = await service.ask<number>({ order: "blocked" });
    const violations = [
      ...answered.flatMap(judgeAnswer),
      ...(last > blockedBarMs ? [`after the last input the event loop was blocked for ${Math.round(last)} ms`] : []),
      ...(await lab.withDatabase((database) => judgeRuns(database, answered))),
      ...((await fetch(`${service.publicUrl}/readyz`)).ok ? [] : ["the service is not ready after all inputs"]),
    ];
    const blockedMs = Math.round(Math.max(last, ...answered.map((item) => item.blockedMs)));
    tell(`${inputs.length} inputs; the event loop was blocked for ${blockedMs} ms at most`);
    const serverErrors = answered.filter(({ answer }) => answer.status >= 500).length;
    return { figures: { inputs: inputs.length, serverErrors, blockedMs }, violations };
  } finally {
    await service.stop();
  }
}

/**
 * Sends an input, again when it got no answer: a server that refuses a body in its middle may end the connection before
 * the sender has read why.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
async function sendUntilAnswered({ publicUrl }: ServiceProcess, { request }: PoisonInput): Promise<RawAnswer> {
  let answer = await sendRaw(publicUrl, request);
  for (let tries = 1; answer.status === 0 && tries < 5; tries += 1) answer = await sendRaw(publicUrl, request);
  return answer;
}

/** The first requests load and compile code, which is no matter of what they carry. */
async function warmUp(service: ServiceProcess, inputs: readonly PoisonInput[]): Promise<void> {
  for (const input of inputs.filter(({ wanted }) => wanted === "accepted").slice(0, 60)) {
    await sendRaw(service.publicUrl, input.request);
  }
  await setTimeout(200);
  await service.ask<number>({ order: "blocked" });
}

function judgeAnswer({ input, answer: { status }, blockedMs }: Answered): string[] {
  const { name, wanted } = input;
  const isTaken = status >= 200 && status < 300;
  const isRefused = status >= 400 && status < 500;
  const isRight = wanted === "accepted" ? isTaken : wanted === "refused" ? isRefused : isTaken || isRefused;
  return [
    ...(isRight ? [] : [`${name} was answered with ${status || "nothing"}, and should be ${wanted}`]),
    ...(blockedMs > blockedBarMs ? [`${name} blocked the event loop for ${Math.round(blockedMs)} ms`] : []),
  ];
}

/** Every acknowledged input must have a run that gives it back. */
async function judgeRuns({ query }: Database, answered: readonly Answered[]): Promise<string[]> {
  const taken = answered.filter(({ answer }) => answer.status >= 200 && answer.status < 300);
  const ids = taken.map(({ answer }) => (JSON.parse(answer.text) as { readonly runId: string }).runId);
  const rows = await query<{ id: string; status: string; output: unknown; contentKey: string | null }>(
    `select run.id, status, output, content_key as "contentKey"
     from sluice.runs as run join sluice.events as event on event.id = run.event_id where run.id = any($1)`,
    [ids],
  );
  const runs = new Map(
    rows.map(({ id, status, output, contentKey }) => {
      const read = readSealed(contentKey, output, `${id}/runs.output`);
      return [id, { status, output: read as { readonly payload: unknown; readonly polluted: unknown } | null }];
    }),
  );
  return taken.flatMap(({ input }, at) => {
    const run = runs.get(ids[at] ?? "");
    if (run?.status !== "succeeded") return [`the run of ${input.name} is ${run?.status ?? "nowhere"}`];
    if (run.output?.polluted !== null) return [`${input.name} reached the prototype of all objects`];
    const isSame = !("payload" in input) || isDeepStrictEqual(run.output.payload, input.payload);
    return isSame ? [] : [`${input.name} was not given back as it came`];
  });
}

async function playRun(lab: Lab, { count, tell }: Play): Promise<Part> {
  const first = await lab.start();
  const neighbours = await Promise.all(
    Array.from({ length: count }, (_item, at) => begin(first, "neighbour", { id: `neighbour ${at}` })),
  );
  const drunk = await begin(first, "poison", { id: "poison" });
  const deaths = await supervise(lab, first);
  const runs = await lab.withDatabase(({ query }) =>
    query<RunRow>("select id, status, recoveries, error ->> 'code' as code from sluice.runs where id = any($1)", [
      [drunk, ...neighbours],
    ]),
  );
  const poisoned = runs.find((run) => run.id === drunk);
  const others = runs.filter((run) => run.id !== drunk);
  const unfinished = others.filter((run) => ["queued", "running", "waiting"].includes(run.status));
  const harmed = others.filter((run) => run.status !== "succeeded" && !unfinished.includes(run));
  tell(`the process died ${deaths} times; the run is ${poisoned?.status} ${poisoned?.code ?? ""}`);
  return {
    figures: { deaths, neighbours: count, neighboursHarmed: harmed.length, neighboursUnfinished: unfinished.length },
    violations: [
      ...(poisoned?.status === "failed" && poisoned.code === "RUN_SET_ASIDE"
        ? []
        : [`the poison run ${drunk} is ${poisoned?.status} ${poisoned?.code ?? ""}, not set aside`]),
      ...(deaths === deathsBar ? [] : [`the process died ${deaths} times, not ${deathsBar}`]),
      ...harmed.map((run) => `neighbour ${run.id} is ${run.status} ${run.code ?? ""} after ${run.recoveries} deaths`),
      ...(unfinished.length === 0
        ? []
        : [
            `${unfinished.length} neighbours, such as ${unfinished[0]?.id}, have not ended after ${patienceMs / 1000} s`,
          ]),
    ],
  };
}

interface RunRow {
  readonly id: string;
  readonly status: string;
  readonly recoveries: number;
  readonly code: string | null;
}

/** Starts the service again whenever it is gone, until all runs have ended. Gives how often it was gone. */
async function supervise(lab: Lab, first: ServiceProcess): Promise<number> {
  const publicPort = Number(new URL(first.publicUrl).port);
  const deadline = Date.now() + patienceMs;
  let [service, deaths] = [first, 0];
  while (Date.now() < deadline && deaths <= 2 * deathsBar) {
    if (service.isRunning()) {
      if (await lab.drained(300)) break;
    } else {
      deaths += 1;
      service = await lab.start({ publicPort });
    }
  }
  return deaths;
}

async function begin({ publicUrl }: ServiceProcess, hook: string, payload: object): Promise<string> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${publicUrl}/hooks/${hook}`, {
    method: "POST",
    headers,
    body: JSON.stringify(payload),
  });
  return ((await response.json()) as { readonly runId: string }).runId;
}
