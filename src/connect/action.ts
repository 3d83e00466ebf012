import {
  currentRun,
  digestOf,
  type ErrorCode,
  parseSchema,
  type ActionDeclaration,
  type Receipt,
  SluiceError,
  type StepAttempt,
  toJson,
  toSluiceError,
} from "../core/index.ts";
import { createActionContext, type ActionContext, type ConnectionSettings } from "./action-context.ts";
import { connectRuntime, type ReceiptJournal } from "./connect-runtime.ts";
import { wasNeverSent } from "./http/egress-error.ts";

/** One operation of a connector. Its name is the key under which it stands in the connection. */
export interface ActionDefinition<Input = unknown, Output = unknown> extends Omit<
  ActionDeclaration<Input, Output>,
  "name"
> {
  /**
   * Does it. What it gives is checked against `output`. An error that shows that nothing happened outside must say so by its code
   * (see toVendorError) or by `details.sent: "no"`; any other leaves the effect in doubt.
   */
  perform(context: ActionContext, input: Input): Promise<unknown>;
  /**
   * Finds what an earlier attempt of the same call did, by its idempotency key; undefined when it certainly did nothing. Asked
   * before a repeat. Without it, a repeat of a `write` is performed again with the same key, and that of an `irreversible` one refused.
   */
  lookup?(context: ActionContext, input: Input, since: { readonly firstTriedAt: Date }): Promise<unknown>;
}

/** Declares an action; ties the types of its schemas and functions together. */
export function defineAction<Input, Output>(
  definition: ActionDefinition<Input, Output>,
): ActionDefinition<Input, Output> {
  return definition;
}

/** An action of a connection. */
export interface BoundAction<Input, Output> {
  readonly settings: ConnectionSettings;
  readonly name: string;
  readonly definition: ActionDefinition<Input, Output>;
}

/**
 * Calls an action as a durable step of the present run. Anything but a read leaves a receipt.
 *
 * An attempt goes: intent recorded -> (when an earlier attempt may have had its effect: look for it, and answer with it) -> performed
 * -> output checked -> settled as `done`, `not_done` (refused, or never sent) or `unknown`. What a person said about an effect in
 * doubt comes before all of that.
 *
 * @throws OUTSIDE_RUN outside a flow's `run`; ACTION_INPUT_INVALID when the input does not fit; EFFECT_IN_DOUBT when an irreversible
 * effect, or one that cannot be looked for, may have happened; EFFECT_NOT_DONE when a person said that it is not to be done;
 * FLOW_CHANGED when the key has the receipt of another action; RESPONSE_INVALID; else what the action throws.
 */
export async function runAction<Input, Output>(action: BoundAction<Input, Output>, input: Input): Promise<Output> {
  const { settings, definition } = action;
  const what = `${settings.name}.${action.name}`;
  const run = currentRun(what);
  const runtime = run.service(connectRuntime);
  const checked = await parseSchema(definition.input, input, {
    code: "ACTION_INPUT_INVALID",
    what: `input of ${what}`,
  });
  const request = toJson(checked);
  return run.step({
    name: what,
    kind: "effect",
    input: request,
    output: definition.output,
    execute: async (attempt) => {
      const context = createActionContext(settings, action.name, runtime, attempt);
      const call: Call<Input, Output> = { definition, context, input: checked, attempt };
      if (definition.effect === "read") return perform(call);
      const earlier = await runtime.receipts.begin({
        key: attempt.key,
        runId: run.runId,
        stepPath: attempt.path,
        epoch: attempt.epoch,
        connection: settings.name,
        action: `${settings.connector}.${action.name}`,
        effect: definition.effect,
        requestDigest: digestOf(request),
        request,
      });
      return performOnce(call, earlier, runtime.receipts);
    },
  });
}

/** One attempt. */
interface Call<Input, Output> {
  readonly definition: ActionDefinition<Input, Output>;
  readonly context: ActionContext;
  readonly input: Input;
  readonly attempt: StepAttempt;
}

async function performOnce<Input, Output>(
  call: Call<Input, Output>,
  earlier: Receipt | null,
  receipts: ReceiptJournal,
): Promise<Output> {
  const { key, epoch } = call.attempt;
  // The process died after the effect was settled and before its step was recorded, or a person said that it was done.
  if (earlier?.state === "done")
    return checkOutput(call.definition, call.context, earlier.response, ruledHint(earlier));
  if (earlier?.ruling?.word === "not_done") throw notDone(call);
  const output = await outputOf(call, earlier).catch(async (thrown: unknown) => {
    const error = toSluiceError(thrown);
    // What this attempt did not do, an earlier one may still have done.
    const state = mayHaveHappened(earlier) || !certainlyNotDone(error) ? "unknown" : "not_done";
    await receipts.settle(key, { state, response: { ...error.toJSON() }, epoch });
    if (state === "unknown" && isUnrepeatable(call)) throw inDoubt(call, error);
    throw call.attempt.signal.aborted ? thrown : error;
  });
  await receipts.settle(key, { state: "done", response: toJson(output), epoch });
  return output;
}

async function outputOf<Input, Output>(call: Call<Input, Output>, earlier: Receipt | null): Promise<Output> {
  const found = await findEarlier(call, earlier);
  return found === undefined ? perform(call) : found;
}

async function perform<Input, Output>({ definition, context, input }: Call<Input, Output>): Promise<Output> {
  return checkOutput(definition, context, await definition.perform(context, input));
}

/** Gives what an earlier attempt did; undefined when the effect may be performed. */
async function findEarlier<Input, Output>(
  call: Call<Input, Output>,
  earlier: Receipt | null,
): Promise<Output | undefined> {
  const { definition, context, input } = call;
  if (!mayHaveHappened(earlier)) return undefined;
  if (definition.lookup === undefined) {
    if (isUnrepeatable(call)) throw inDoubt(call);
    return undefined;
  }
  try {
    const found = await definition.lookup(context, input, { firstTriedAt: earlier.startedAt });
    return found === undefined ? undefined : await checkOutput(definition, context, found);
  } catch (thrown) {
    const error = toSluiceError(thrown);
    // Looking may succeed later. Where it cannot, sending again could double the effect.
    throw error.retryable ? error : inDoubt(call, error);
  }
}

function checkOutput<Input, Output>(
  definition: ActionDefinition<Input, Output>,
  context: ActionContext,
  output: unknown,
  hint?: string,
): Promise<Output> {
  const what = `answer to ${context.what}`;
  return parseSchema(definition.output, output, { code: "RESPONSE_INVALID", what, ...(hint && { hint }) });
}

/** Where the answer is a person's, they can give another one. */
function ruledHint({ key, runId, ruling }: Receipt): string | undefined {
  if (ruling?.word !== "done") return undefined;
  return `Say what it answered, in a shape that fits: sluice runs rule ${runId} --key ${key} --done --output FILE`;
}

function mayHaveHappened(earlier: Receipt | null): earlier is Receipt {
  return earlier?.state === "intent" || earlier?.state === "unknown";
}

function isUnrepeatable<Input, Output>({ definition }: Call<Input, Output>): boolean {
  return definition.effect === "irreversible" && definition.lookup === undefined;
}

const refusals: ReadonlySet<ErrorCode> = new Set([
  "SECRET_MISSING",
  "CONFIG_INVALID",
  "CONNECTION_AUTH_FAILED",
  "ACTION_RATE_LIMITED",
  "ACTION_REJECTED",
]);

function certainlyNotDone(error: SluiceError): boolean {
  return refusals.has(error.code) || wasNeverSent(error);
}

function notDone<Input, Output>({ context }: Call<Input, Output>): SluiceError {
  return new SluiceError("EFFECT_NOT_DONE", {
    message: `${context.what} was not done: a person said that it did not happen and is not to`,
    hint: "The flow may handle this error; otherwise the run ends here.",
    details: { key: context.idempotencyKey },
  });
}

function inDoubt<Input, Output>({ context }: Call<Input, Output>, cause?: SluiceError): SluiceError {
  if (cause?.code === "EFFECT_IN_DOUBT") return cause;
  const reason = cause === undefined ? "" : `: ${cause.code}`;
  return new SluiceError("EFFECT_IN_DOUBT", {
    message: `${context.what} may have had its effect in an earlier attempt, and that cannot be settled${reason}`,
    hint: "Look in the outside system whether it happened, then answer: sluice runs rule RUN --done, --not-done or --try-again",
    details: { key: context.idempotencyKey, ...(cause !== undefined && { reason: cause.code }) },
    cause,
  });
}
