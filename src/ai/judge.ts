import { z } from "zod";
import { toJsonSchema } from "../core/index.ts";
import { askCandidates } from "./ask-candidates.ts";
import type { Prepared } from "./ask-step.ts";
import { askText } from "./ask-text.ts";
import { composePrompt } from "./prompt.ts";
import { route } from "./route.ts";
import { refuseByCheck, validateObject, type Verdict } from "./validate.ts";

const Judgement = z.object({ meets_criteria: z.boolean(), reason: z.string() });

const instructions =
  "Another model worked on the data and gave the text in the field proposed_answer. Judge only whether that answer meets the " +
  "criteria below, going by the data. Give the reason in one sentence.\n\nCriteria:\n";

/**
 * Asks a second model whether an answer meets the criteria. It sees the same fields, masked, and the answer as the first model
 * gave it. Its requests are recorded and paid for in the same step.
 */
export async function judgeAnswer<T>(
  { step, masked, maskLater }: Prepared,
  judge: { readonly criteria: string; readonly model?: string },
  given: { readonly answer: string; readonly verdict: Verdict<T> },
): Promise<Verdict<T>> {
  const { options } = step;
  const candidates = route(options.models, { name: judge.model ?? "smart", kind: "text", ...step.needs });
  const criteria = await maskLater(judge.criteria);
  const schema = toJsonSchema(Judgement);
  const fields = { ...masked.fields, proposed_answer: given.answer };
  const question = {
    request: {},
    prompt: composePrompt(instructions + criteria, fields, schema),
    files: [],
    lane: step.lane,
    maskComplaint: maskLater,
    validate: (answer: Parameters<typeof validateObject>[0]) =>
      validateObject(answer, { schema: Judgement, checks: [], restore: (value) => value }),
  };
  const choosing = { earlier: step.earlier, now: options.now ?? (() => new Date()), random: Math.random };
  const judgement = await askCandidates(candidates, choosing, (model, position) =>
    askText(step, question, model, position),
  );
  return judgement.meets_criteria ? given.verdict : { ok: false, refusal: refuseByCheck(judgement.reason).refusal };
}
