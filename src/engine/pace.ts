/** Over which time the pace is measured. */
const windowMs = 100;
/** Events in one window that are a flood: 1,000 a second. */
const floodCount = 100;

/** How fast events come in. */
export class Pace {
  #windowStart = 0;
  #count = 0;
  #lastCount = 0;

  /** An event came in. */
  note(): void {
    this.#turn();
    this.#count += 1;
  }

  get isFlooded(): boolean {
    this.#turn();
    return Math.max(this.#count, this.#lastCount) >= floodCount;
  }

  #turn(): void {
    const now = performance.now();
    const passed = Math.floor((now - this.#windowStart) / windowMs);
    if (passed === 0) return;
    this.#lastCount = passed === 1 ? this.#count : 0;
    this.#count = 0;
    this.#windowStart = now;
  }
}
