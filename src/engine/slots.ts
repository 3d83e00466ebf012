import type { Pace } from "./pace.ts";

/** How many runs may stay in memory for each one that is executed: beyond that, also short waits are parked. */
const residentsPerSlot = 10;

/** Runs under way while a flood of events comes in, so that they are acknowledged in time; measured with `bench -- ingest`. */
const slotsInFlood = 8;
/** So many are begun together then. Measured: 3,630 acknowledgements and 150 flows a second where each was taken by itself, 4,800 and 200 so. */
const togetherInFlood = 3;

/** The room of a process for runs. A run that waits stays in memory for a while and takes no slot. */
export class Slots {
  readonly #size: number;
  #used = 0;
  #resting = 0;

  readonly #pace: Pace;

  /** @param size most runs that are executed at once. */
  constructor(size: number, pace: Pace) {
    this.#size = size;
    this.#pace = pace;
  }

  /** How many more runs may begin. */
  get room(): number {
    const size = this.#pace.isFlooded ? Math.min(this.#size, slotsInFlood) : this.#size;
    const free = size - this.#used;
    const least = this.#pace.isFlooded ? Math.min(togetherInFlood, Math.ceil(size / 2)) : 1;
    return free < least ? 0 : free;
  }

  /** Whether so many runs wait in memory that no more should. */
  get isCrowded(): boolean {
    return this.#resting >= this.#size * residentsPerSlot;
  }

  take(): void {
    this.#used += 1;
  }

  free(): void {
    this.#used -= 1;
  }

  /** All that a run has under way waits. */
  rest(): void {
    this.#used -= 1;
    this.#resting += 1;
  }

  /** It goes on, also where no slot is free: its wait is over. */
  goOn(): void {
    this.#used += 1;
    this.#resting -= 1;
  }
}
