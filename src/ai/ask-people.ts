import { z } from "zod";
import {
  type Budget,
  type ErrorCode,
  formatStepPath,
  isRecord,
  type Json,
  type JsonObject,
  type ObjectRequest,
  type RunScope,
  type Schema,
  SluiceError,
  type StepPath,
  type TextRequest,
} from "../core/index.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** A question to a model with which it may come to a person. */
export interface PersonalQuestion<T> {
  /** The step's. */
  readonly name: string;
  readonly request: TextRequest | ObjectRequest<T>;
  readonly schema: JsonObject | null;
  /** What a person's answer is held against; absent where people are not asked. */
  readonly answer?: Schema<T>;
}

/** How long a person has. */
const patienceMs = 30 * 24 * 60 * 60_000;

/** More often than this is nobody asked about the budget of one call. */
const mostAllowances = 5;

/**
 * Asks, and where neither model nor money suffices, waits for a person as the call and the flow's budget say. The waits are
 * steps of the run: nothing is lost when it takes weeks.
 */
export async function askPeople<T>(
  options: Pick<GatewayOptions, "allowBudget" | "journalFor">,
  run: RunScope,
  question: PersonalQuestion<T>,
  ask: () => Promise<T>,
): Promise<T> {
  for (let allowed = 0; ; allowed += 1) {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      const mayAsk = thrown.code === "BUDGET_EXCEEDED" && allowed < mostAllowances;
      if (mayAsk && asksForMoney(run.flowSettings.budget)) await askForMoney(options, run, question.name, thrown);
      else return await askForAnswer(options, run, question, thrown);
    }
  }
}

function asksForMoney(budget: Budget | undefined): boolean {
  return budget?.whenSpent?.includes("ask") ?? false;
}

/** Waits until a person lets the call pass. @throws the refusal, when the person does not. */
async function askForMoney(
  options: Pick<GatewayOptions, "allowBudget">,
  run: RunScope,
  step: string,
  refusal: SluiceError,
): Promise<void> {
  const facts = factsOf(refusal);
  const { allow } = await run.waitForSignal(`${nameOf(step, facts)}: budget`, {
    schema: z.object({ allow: z.boolean() }),
    timeoutMs: patienceMs,
    question: { kind: "budget", step, ...facts },
  });
  if (!allow) throw refusal;
  await run.step({
    name: `${step}: budget raised`,
    kind: "code",
    execute: async ({ key }) => {
      await options.allowBudget(run.workspaceId, {
        account: facts.account,
        extraMicroUsd: facts.neededMicroUsd,
        key,
      });
      return null;
    },
  });
}

/** Waits for the value that no model could give. @throws the failure, where the call does not ask people. */
async function askForAnswer<T>(
  options: Pick<GatewayOptions, "journalFor">,
  run: RunScope,
  question: PersonalQuestion<T>,
  failure: SluiceError,
): Promise<T> {
  const { name, request, schema, answer } = question;
  const asks = "onInvalid" in request && request.onInvalid === "review";
  if (!asks || !answer || !(failure.code === "OUTPUT_INVALID" || failure.code === "OUTPUT_TRUNCATED")) throw failure;
  const facts = factsOf(failure);
  const said = await options.journalFor(run.workspaceId).lastAnswer(run.runId, facts.path);
  return run.waitForSignal(`${nameOf(name, facts)}: answer`, {
    schema: answer,
    timeoutMs: patienceMs,
    question: {
      kind: "answer",
      step: name,
      schema,
      complaint: complaintIn(said) ?? failure.message,
      issues: facts.issues ?? [],
      answer: said,
    },
  });
}

function complaintIn(said: Json): string | undefined {
  const complaint = isRecord(said) ? said["complaint"] : undefined;
  return typeof complaint === "string" ? complaint : undefined;
}

/** The step with its place, by which one question of a run is told from another: a wait takes the first value of its name. */
function nameOf(step: string, { path }: Facts): string {
  return `${step} (step ${formatStepPath(path)})`;
}

/** What the failures say that people are asked about: {@link withPlace} has put the path there, and others the rest. */
interface Facts extends JsonObject {
  readonly path: StepPath;
  readonly account: string;
  readonly neededMicroUsd: number;
}

function factsOf({ details }: SluiceError): Facts {
  return (isRecord(details) ? details : {}) as Facts;
}

/** Notes on a failure which step it is of, so that a question about it can be told from others of the run. */
export function withPlace(thrown: unknown, path: StepPath): unknown {
  if (!(thrown instanceof SluiceError) || !asked.has(thrown.code)) return thrown;
  const { code, message, hint, retryable, retryAfterMs } = thrown;
  return new SluiceError(code, { message, hint, retryable, retryAfterMs, details: { ...factsOf(thrown), path } });
}

/** Failures that people may be asked about. */
const asked: ReadonlySet<ErrorCode> = new Set(["BUDGET_EXCEEDED", "OUTPUT_INVALID", "OUTPUT_TRUNCATED"]);
