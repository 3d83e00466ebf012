import { createHash } from "node:crypto";
import { SluiceError } from "../core/index.ts";
import type { FaultParams, FaultPlay, IncomingCall, SandboxSystem } from "./exchange.ts";
import { hubspotFaults } from "./hubspot-answers.ts";
import { slackFaults } from "./slack-answers.ts";
import { anthropicFaults, cohereFaults, openaiFaults } from "./vendor-faults.ts";

const faults = {
  slack: slackFaults,
  hubspot: hubspotFaults,
  openai: openaiFaults,
  anthropic: anthropicFaults,
  cohere: cohereFaults,
};

/** The kinds of faults of a system. */
export type FaultKind<System extends SandboxSystem> = keyof (typeof faults)[System];

interface FaultRuleOf<System extends SandboxSystem> {
  readonly system: System;
  readonly kind: FaultKind<System>;
  /** Which calls it may hit. Default: all of the system. */
  readonly match?: {
    readonly method?: string;
    /** A part of path and query, such as `chat.postMessage`. */
    readonly path?: string;
    /** A part of the body's JSON text, such as `#gone`. */
    readonly body?: string;
  };
  /** 0 to 1, drawn from the seed and the call's number. Default: 1. */
  readonly probability?: number;
  /** How often at most, counted from when the rules were set. Default: always. */
  readonly times?: number;
  /** How many matching calls are let through first. Default: 0. */
  readonly afterCalls?: number;
  readonly params?: FaultParams;
}

/** Says which fault is played when. Of several rules that hit a call, the first is played. */
export type FaultRule = { [System in SandboxSystem]: FaultRuleOf<System> }[SandboxSystem];

/** All kinds of faults by system, for whoever plays every one of them. */
export const faultKinds: { readonly [System in SandboxSystem]: readonly FaultKind<System>[] } = {
  slack: Object.keys(slackFaults) as FaultKind<"slack">[],
  hubspot: Object.keys(hubspotFaults) as FaultKind<"hubspot">[],
  openai: Object.keys(openaiFaults) as FaultKind<"openai">[],
  anthropic: Object.keys(anthropicFaults) as FaultKind<"anthropic">[],
  cohere: Object.keys(cohereFaults) as FaultKind<"cohere">[],
};

/** A fault to be played. */
export interface PlannedFault {
  readonly kind: string;
  readonly play: FaultPlay;
  readonly params: FaultParams;
}

/** The rules in force, with the count of what they hit. */
export class FaultPlan {
  readonly #seed: number;
  readonly #rules: readonly { readonly rule: FaultRule; readonly play: FaultPlay; matched: number; played: number }[];

  /** @throws CONFIG_INVALID when a rule names a system or kind that does not exist. */
  constructor(seed: number, rules: readonly FaultRule[]) {
    this.#seed = seed;
    this.#rules = rules.map((rule) => ({ rule, play: findPlay(rule), matched: 0, played: 0 }));
  }

  /** The fault for a call, if any. To be asked once for each call. */
  next(call: IncomingCall): PlannedFault | undefined {
    for (const [index, entry] of this.#rules.entries()) {
      const { rule } = entry;
      if (!matches(rule, call)) continue;
      entry.matched += 1;
      const due = entry.matched > (rule.afterCalls ?? 0) && entry.played < (rule.times ?? Infinity);
      if (!due || draw(this.#seed, call.number, index) >= (rule.probability ?? 1)) continue;
      entry.played += 1;
      return { kind: rule.kind, play: entry.play, params: rule.params ?? {} };
    }
    return undefined;
  }
}

function findPlay(rule: FaultRule): FaultPlay {
  const ofSystem = new Map<string, FaultPlay>(Object.entries(faults[rule.system] ?? {}));
  const play = ofSystem.get(rule.kind);
  if (play) return play;
  throw new SluiceError("CONFIG_INVALID", {
    message: `fault ${JSON.stringify(rule.kind)} of system ${JSON.stringify(rule.system)} does not exist`,
    hint:
      ofSystem.size > 0
        ? `Use one of ${[...ofSystem.keys()].join(", ")}.`
        : `Systems are ${Object.keys(faults).join(", ")}.`,
  });
}

function matches({ system, match = {} }: FaultRule, call: IncomingCall): boolean {
  return (
    system === call.system &&
    (match.method === undefined || match.method.toUpperCase() === call.method) &&
    (match.path === undefined || call.path.includes(match.path)) &&
    (match.body === undefined || JSON.stringify(call.body).includes(match.body))
  );
}

/** A number in [0, 1) that depends on nothing but seed, call and rule, so that a seed repeats an experiment. */
function draw(seed: number, callNumber: number, ruleIndex: number): number {
  return createHash("sha256").update(`${seed}/${callNumber}/${ruleIndex}`).digest().readUInt32BE() / 2 ** 32;
}
