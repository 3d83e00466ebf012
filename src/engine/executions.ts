import type { Execution } from "./execution.ts";

/** What this process has under way. */
export class Executions {
  /** From the claim on; `execution` comes once the durable function has begun. */
  readonly #underWay = new Map<
    string,
    { readonly epoch: number; readonly flow: string; execution: Execution | null }
  >();

  /** A run was claimed, and is about to begin. */
  expect({ id, epoch, flow }: { readonly id: string; readonly epoch: number; readonly flow: string }): void {
    this.#underWay.set(id, { epoch, flow, execution: null });
  }

  add(execution: Execution): void {
    const entry = this.#underWay.get(execution.run.id);
    if (entry?.epoch === execution.run.epoch) entry.execution = execution;
  }

  /** Forgets an execution; a later one of the same run stays. */
  remove(id: string, epoch: number): void {
    if (this.#underWay.get(id)?.epoch === epoch) this.#underWay.delete(id);
  }

  find(id: string): Execution | null {
    return this.#underWay.get(id)?.execution ?? null;
  }

  get ids(): string[] {
    return [...this.#underWay.keys()];
  }

  get all(): { readonly id: string; readonly epoch: number }[] {
    return [...this.#underWay].map(([id, { epoch }]) => ({ id, epoch }));
  }

  /** How many runs of each flow. */
  countByFlow(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { flow } of this.#underWay.values()) counts.set(flow, (counts.get(flow) ?? 0) + 1);
    return counts;
  }
}
