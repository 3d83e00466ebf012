import { setTimeout } from "node:timers/promises";
import type { Figures } from "./experiment.ts";
import type { Lab } from "./lab.ts";
import { type Acknowledged, makeLeads } from "./leads.ts";
import { type Look, startProbe } from "./probe.ts";
import { type Answer, findBadAnswers, startSender } from "./sender.ts";
import type { ServiceProcess } from "./service-process.ts";

const perSecond = 20;
/** Of steady work before it begins. */
const calmMs = 1000;
/** From its end until everything acknowledged is done. */
const drainBarMs = 30_000;
/** A sender must not be kept waiting, whatever the database does. */
const answerBarMs = 10_000;

/** A time in which the database takes nothing in. */
export interface Ordeal {
  /** In words, for whoever reads the verdict. */
  readonly name: string;
  readonly lastsMs: number;
  begin(): Promise<void>;
  /** Keeps it so; called ten times a second. Default: nothing. */
  hold?(): Promise<void>;
  end(): Promise<void>;
}

/** What is put through an ordeal. */
export interface OrdealStage {
  readonly lab: Lab;
  readonly service: ServiceProcess;
  readonly seed: number;
  readonly tell: (what: string) => void;
  /** Addresses that are looked at meanwhile, by the name that the verdict gives them. */
  readonly addresses: {
    readonly [what: string]: { readonly url: string; readonly headers?: { readonly [name: string]: string } };
  };
}

/** How an ordeal went. Times are those of `performance.now()`. */
export interface Endured {
  readonly name: string;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly acknowledged: readonly Acknowledged[];
  readonly answers: readonly Answer[];
  /** How each address was answered, from before the ordeal until after it. */
  readonly looks: { readonly [what: string]: readonly Look[] };
  /** From the end of the ordeal until all runs had ended. */
  readonly drainedMs: number;
  /** What no ordeal excuses: another answer than 503 with Retry-After, a slow one, leads never taken, runs never ended, an exit. */
  readonly violations: readonly string[];
}

/** Lets leads come in at a steady rate before, during and after an ordeal, each sent again until it is acknowledged. */
export async function endure(stage: OrdealStage, ordeal: Ordeal, round: string): Promise<Endured> {
  const { lab, service, seed } = stage;
  const most = Math.ceil(((calmMs + ordeal.lastsMs) / 1000 + 10) * perSecond);
  const leads = makeLeads(seed, `${round}-${ordeal.name.replaceAll(" ", "-")}`, most);
  const probes = Object.entries(stage.addresses).map(
    ([what, { url, headers }]) => [what, startProbe(url, headers)] as const,
  );
  const sender = startSender({ hook: lab.hookOf(service), leads, perSecond });
  try {
    await setTimeout(calmMs);
    await ordeal.begin();
    const beganAt = performance.now();
    while (performance.now() - beganAt < ordeal.lastsMs) {
      await ordeal.hold?.();
      await setTimeout(100);
    }
    const endedAt = performance.now();
    await ordeal.end();
    const unacknowledged = await sender.finish(drainBarMs);
    const isDrained = await lab.drained(drainBarMs - (performance.now() - endedAt));
    const drainedMs = Math.round(performance.now() - endedAt);
    const { answers, acknowledged } = sender;
    const looks = Object.fromEntries(probes.map(([what, probe]) => [what, probe.looks]));
    const endured = { name: ordeal.name, beganAt, endedAt, acknowledged, answers, looks, drainedMs };
    const slowest = slowestAnswerMs(endured);
    stage.tell(
      `${ordeal.name}: ${countRefusals(endured)} times 503, slowest answer ${slowest} ms, done ${drainedMs} ms after`,
    );
    const violations = [
      ...findBadAnswers(answers),
      ...(slowest <= answerBarMs ? [] : [`the slowest answer took ${slowest} ms, not ${answerBarMs}`]),
      ...(unacknowledged.length === 0 ? [] : [`${unacknowledged.length} leads were never acknowledged`]),
      ...(isDrained ? [] : [`runs had not ended ${drainBarMs} ms afterwards`]),
      ...(await findExit(service)),
    ];
    return { ...endured, violations: violations.map((text) => `${ordeal.name}: ${text}`) };
  } finally {
    await sender.finish(0);
    await Promise.all(probes.map(([_what, probe]) => probe.stop()));
  }
}

/** The figures of several ordeals together. */
export function toFigures(all: readonly Endured[]): Figures {
  return {
    acknowledgedLeads: all.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
    refusals: all.reduce((sum, endured) => sum + countRefusals(endured), 0),
    slowestAnswerMs: Math.max(...all.map(slowestAnswerMs)),
    slowestDrainMs: Math.max(...all.map(({ drainedMs }) => drainedMs)),
  };
}

/** Deliveries that were answered by 503. */
export function countRefusals({ answers }: Pick<Endured, "answers">): number {
  return answers.filter(({ status }) => status === 503).length;
}

/** Of deliveries and looks. */
function slowestAnswerMs({ answers, looks }: Pick<Endured, "answers" | "looks">): number {
  const all: readonly Look[] = [...answers, ...Object.values(looks).flat()];
  return Math.round(Math.max(0, ...all.map(({ beganAt, endedAt }) => endedAt - beganAt)));
}

async function findExit(service: ServiceProcess): Promise<string[]> {
  const end = await Promise.race([service.exited, setTimeout(0, null)]);
  return end === null ? [] : [`the service ended with ${end}: ${service.words()}`];
}
