import { pause } from "./timer.ts";

const pollMs = 10;

/** The attempts of steps that do something outside this process, so that an end in good order cuts none of them off. */
export class Attempts {
  #underWay = 0;
  #draining = false;

  /** Whether no more attempts may begin. */
  get isDraining(): boolean {
    return this.#draining;
  }

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
  }

  /** Lets no more begin, and resolves when those under way have ended, at the latest after a time in milliseconds. */
  async drain(atMostMs: number): Promise<void> {
    this.#draining = true;
    const limit = AbortSignal.timeout(atMostMs);
    while (this.#underWay > 0 && !limit.aborted) await pause(pollMs, limit);
  }
}
