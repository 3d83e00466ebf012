import { z } from "zod";
import { AnyJson, time } from "./schema-parts.ts";

/*
 * What a run asks a person. Part of the shapes of the API: see schemas.ts.
 */

/** The effect in doubt that a person has to decide about before its run can go on. Answered by `ruleEffect`. */
export const EffectQuestionView = z.object({
  kind: z.literal("effect"),
  key: z.string(),
  action: z.string(),
  connection: z.string(),
  stepPath: z.string(),
  startedAt: time,
  attempts: z.int(),
  /** What was, or was to be, sent. */
  request: AnyJson,
  /** Why it is in doubt: the message of the run's error. */
  reason: z.string(),
});

const bySignal = {
  /** Path of the step that waits. */
  stepPath: z.string(),
  /** Name of the step that asks. */
  stepName: z.string(),
  /** Name of the signal that answers: see `sendSignal`. */
  signal: z.string(),
  startedAt: time,
};

/** An answer that no model could give. The signal's value must fit `schema`. */
export const AnswerQuestionView = z.object({
  kind: z.literal("answer"),
  ...bySignal,
  /** JSON Schema of the value. */
  schema: AnyJson,
  /** What the model said last; null when it said nothing usable. */
  answer: AnyJson,
  /** Why that was refused. */
  complaint: z.string(),
});

/** Money that a budget has no room for. The signal's value is `{ "allow": true }` or `{ "allow": false }`. */
export const BudgetQuestionView = z.object({
  kind: z.literal("budget"),
  ...bySignal,
  /** Such as `flow/lead-routing/2026-03-09`. */
  account: z.string(),
  limitMicroUsd: z.int(),
  spentMicroUsd: z.int(),
  /** The most that the call may cost. */
  neededMicroUsd: z.int(),
});

/** What a run asks a person. */
export const QuestionView = z.discriminatedUnion("kind", [EffectQuestionView, AnswerQuestionView, BudgetQuestionView]);

export type EffectQuestionView = z.infer<typeof EffectQuestionView>;
export type AnswerQuestionView = z.infer<typeof AnswerQuestionView>;
export type BudgetQuestionView = z.infer<typeof BudgetQuestionView>;
export type QuestionView = z.infer<typeof QuestionView>;
