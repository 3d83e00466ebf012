import { digestOf, type Json, SluiceError, toJson, toSluiceError } from "../core/index.ts";
import type { Execution } from "./execution.ts";
import { persist } from "./persist.ts";
import type { StepPlace, StepWork } from "./step.ts";

/**
 * Performs work that cannot be taken back, at most once: its intent is durable before it begins. When an earlier attempt
 * did not come to its end, or this one fails in a way that does not show that nothing happened (`details.sent: "no"`), a
 * person has to look.
 *
 * @throws EFFECT_IN_DOUBT; EFFECT_NOT_DONE when a person said that it is not to be done; the work's own error when nothing happened.
 */
export async function performIrreversible<T>(execution: Execution, step: StepWork<T>, place: StepPlace): Promise<T> {
  const { effects } = execution.workspace;
  const settle = (state: "done" | "not_done" | "unknown", response: Json): Promise<void> =>
    persist(() => effects.settle(place.key, { state, response, epoch: place.epoch }), execution.host.closing);
  const input = step.input ?? null;
  const intent = { key: place.key, runId: execution.run.id, stepPath: place.path, epoch: place.epoch };
  const earlier = await effects.begin({
    ...intent,
    connection: "step",
    action: step.name,
    effect: "irreversible",
    requestDigest: digestOf(input),
    request: input,
  });
  if (earlier?.state === "done") return earlier.response as T;
  if (earlier?.ruling?.word === "not_done") throw notDone(step.name, place.key);
  if (earlier && earlier.state !== "not_done") {
    await settle("unknown", earlier.response);
    throw inDoubt(step.name, place.key);
  }
  try {
    const value = await step.execute(place);
    await settle("done", toJson(value));
    return value;
  } catch (thrown) {
    if (execution.hasLeft) throw thrown;
    const error = toSluiceError(thrown, "STEP_FAILED", true);
    const nothingHappened = (error.details as { sent?: unknown } | undefined)?.sent === "no";
    await settle(nothingHappened ? "not_done" : "unknown", toJson(error.toJSON()));
    throw nothingHappened ? error : inDoubt(step.name, place.key, error);
  }
}

function inDoubt(name: string, key: string, cause?: SluiceError): SluiceError {
  return new SluiceError("EFFECT_IN_DOUBT", {
    message: `${name} may have happened, and that cannot be settled${cause ? `: ${cause.code}` : ""}`,
    hint: "Look whether it happened, then answer: sluice runs rule RUN --done, --not-done or --try-again",
    details: { key },
    cause,
  });
}

/** Tells a flow that a person decided against an effect. */
function notDone(name: string, key: string): SluiceError {
  return new SluiceError("EFFECT_NOT_DONE", {
    message: `${name} was not done: a person said that it did not happen and is not to`,
    hint: "The flow may handle this error; otherwise the run ends here.",
    details: { key },
  });
}
