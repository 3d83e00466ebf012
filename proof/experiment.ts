/** Named numbers with the unit in the name. */
export type Figures = { readonly [name: string]: number };

/** How an experiment is to be played. */
export interface Play {
  /** Decides everything that is drawn; the same seed plays the same experiment. */
  readonly seed: number;
  /** How often it is played. Its figures are over all rounds. */
  readonly rounds: number;
  /** How many of what the experiment counts: runs, deliveries, points. */
  readonly count: number;
  /** US dollars that may be spent, of an experiment with a budget. Default: as the experiment says. */
  readonly budgetUsd?: number;
  /** Whether this is the form for every commit: at most 20 s. */
  readonly short: boolean;
  /** Says what is going on. */
  readonly tell: (what: string) => void;
}

/** What came of an experiment. */
export interface Outcome {
  readonly holds: boolean;
  /** How often it was played. */
  readonly rounds: number;
  readonly figures: Figures;
  /** What does not hold: sentences that name the runs. */
  readonly violations: readonly string[];
  /**
   * Why this machine cannot play it, or which part of it. `holds` is about what was played; with nothing played it is
   * false and `rounds` is 0: `npm run proof -- all` then goes on as if it held, and says why.
   */
  readonly skipped?: string;
}

/** How often and how much an experiment is played when nothing is said. */
export interface Extent {
  readonly rounds: number;
  readonly count: number;
}

/** A promise put to the test. */
export interface Experiment {
  readonly name: string;
  /** In the table of experiments. */
  readonly number: number;
  /** One sentence for the list: what is done to the application. */
  readonly asks: string;
  /** One sentence for the list: what must be true afterwards. */
  readonly holdsWhen: string;
  /** What `count` counts, in the plural, such as `runs in flight`. */
  readonly counts: string;
  /** Without options: at most 60 s. */
  readonly usual: Extent;
  /** With `--short`: at most 20 s. */
  readonly brief: Extent;
  /** Whether `--budget-usd` can be said of it. Default: false. */
  readonly hasBudget?: boolean;
  /** Plays it, and leaves neither processes nor files behind, however it ends. */
  run(play: Play): Promise<Outcome>;
}
