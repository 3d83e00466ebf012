import { z } from "zod";
import {
  type Budget,
  isRecord,
  type Json,
  type JsonObject,
  type ObjectRequest,
  type RunScope,
  type Schema,
  SluiceError,
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
  options: Pick<GatewayOptions, "allowBudget">,
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
      else return await askForAnswer(run, question, thrown);
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
  const facts = isRecord(refusal.details) ? (refusal.details as JsonObject) : {};
  const { allow } = await run.waitForSignal(`${step}: budget`, {
    schema: z.object({ allow: z.boolean() }),
    timeoutMs: patienceMs,
    question: { kind: "budget", step, ...facts },
  });
  if (!allow) throw refusal;
  const { account, neededMicroUsd } = facts;
  await run.step({
    name: `${step}: budget raised`,
    kind: "code",
    execute: async ({ key }) => {
      await options.allowBudget(run.workspaceId, {
        account: String(account),
        extraMicroUsd: Number(neededMicroUsd),
        key,
      });
      return null;
    },
  });
}

/** Waits for the value that no model could give. @throws the failure, where the call does not ask people. */
async function askForAnswer<T>(run: RunScope, question: PersonalQuestion<T>, failure: SluiceError): Promise<T> {
  const { name, request, schema, answer } = question;
  const asks = "onInvalid" in request && request.onInvalid === "review";
  if (!asks || !answer || !(failure.code === "OUTPUT_INVALID" || failure.code === "OUTPUT_TRUNCATED")) throw failure;
  const issues: Json = isRecord(failure.details) ? ((failure.details["issues"] as Json | undefined) ?? []) : [];
  return run.waitForSignal(`${name}: answer`, {
    schema: answer,
    timeoutMs: patienceMs,
    question: { kind: "answer", step: name, schema, complaint: failure.message, issues },
  });
}
