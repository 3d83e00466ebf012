import type {
  ReceiptView as BaseReceiptView,
  RunDetailView as BaseRunDetailView,
  RunView as BaseRunView,
  StepView as BaseStepView,
} from "../../src/server/api/schemas.ts";

export type RulingWord = "done" | "not_done" | "try_again";

export interface Ruling {
  readonly word: RulingWord;
  readonly by: string | null;
  readonly byName: string | null;
  readonly at: string;
}

export interface ReceiptView extends BaseReceiptView {
  readonly ruling: Ruling | null;
}

export interface StepView extends Omit<BaseStepView, "receipt"> {
  readonly receipt: ReceiptView | null;
}

export interface RunView extends BaseRunView {
  readonly priority: "interactive" | "standard" | "batch";
  readonly parent: { readonly runId: string; readonly path: string } | null;
  readonly fingerprint: string | null;
  readonly wakeAt: string | null;
  readonly parked: boolean;
}

export interface Question {
  readonly key: string;
  readonly action: string;
  readonly connection: string;
  readonly stepPath: string;
  readonly startedAt: string;
  readonly attempts: number;
  readonly request: BaseReceiptView["request"];
  readonly reason: string;
}

export interface Migration {
  readonly possible: boolean;
  readonly step: { readonly path: string; readonly name: string };
  readonly version: string | null;
  readonly recordedVersion: string | null;
  readonly effects: readonly {
    readonly action: string;
    readonly key: string;
    readonly state: BaseReceiptView["state"];
  }[];
}

export interface SubflowView {
  readonly id: string;
  readonly flow: string;
  readonly status: BaseRunView["status"];
  readonly path: string;
}

export interface RunDetailView extends RunView, Omit<BaseRunDetailView, keyof BaseRunView | "steps"> {
  readonly steps: StepView[];
  readonly subflows: readonly SubflowView[];
  readonly question: Question | null;
  readonly migration: Migration | null;
}

export interface FailureGroupView {
  readonly fingerprint: string;
  readonly flow: string;
  readonly step: string | null;
  readonly status: "failed" | "in_doubt";
  readonly code: string;
  readonly message: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly runId: string;
}

export interface FailureDetailView extends FailureGroupView {
  readonly runs: readonly {
    readonly id: string;
    readonly status: BaseRunView["status"];
    readonly finishedAt: string | null;
    readonly failedStep: string | null;
  }[];
  readonly resume: {
    readonly runs: number;
    readonly effects: {
      readonly done: number;
      readonly notDone: number;
      readonly unknown: number;
      readonly wouldRepeat: number;
    };
    readonly examples: readonly {
      readonly runId: string;
      readonly action: string;
      readonly key: string;
      readonly state: BaseReceiptView["state"];
      readonly wouldRepeat: boolean;
    }[];
  };
}

export interface QueueView {
  readonly queued: number;
  readonly byFlow: readonly {
    readonly flow: string;
    readonly queued: number;
    readonly running: number;
    readonly waiting: number;
    readonly parked: number;
    readonly oldestQueuedAt: string | null;
  }[];
  readonly processes: readonly {
    readonly executor: string;
    readonly role: string;
    readonly startedAt: string;
    readonly alive: boolean;
    readonly running: number;
  }[];
  readonly maxQueued: number;
}
