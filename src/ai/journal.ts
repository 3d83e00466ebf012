import type { AiCallIntent, AiCallOutcome } from "../store/index.ts";

/** Where the gateway records its calls: the `aiCalls` of a workspace's store. */
export interface AiJournal {
  /** Records what is about to be sent. Durable when it resolves. */
  begin(intent: AiCallIntent): Promise<void>;
  /** Records how the call of that id ended. */
  settle(id: string, outcome: AiCallOutcome): Promise<void>;
  /** How many calls the step has recorded, in all its attempts and processes. */
  countOfStep(runId: string, stepPath: string): Promise<number>;
}
