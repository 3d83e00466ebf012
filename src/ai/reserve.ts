import { type Budget, type Priority, type RunScope, SluiceError } from "../core/index.ts";
import { type ModelClaim, rankOfLane } from "../store/index.ts";
import { type HostedModelSpec, isSimulated, modelIdOf, type ModelSpec, type ResolvedModel } from "./model-spec.ts";
import { costMicroUsd, goesInBatch } from "./prices.ts";
import { bucketOf, credentialOf } from "./route.ts";

/** The most that a call can use. */
export interface Reservation {
  /** Bound of the input: one token for each byte of UTF-8, since no tokenizer makes more. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Whole micro-dollars; null when the model's price is unknown. */
  readonly costMicroUsd: number | null;
}

/** What is to be reserved for. */
export interface Load {
  /** All that is sent, in pieces. */
  readonly texts: readonly string[];
  /** Bytes of files; each counts as a token at most. */
  readonly fileBytes: number;
  readonly maxOutputTokens: number;
  readonly lane: Priority;
}

/** Stage 4, the worst case of a call: what budgets set aside until it is known what it cost. */
export async function reserve(
  spec: ModelSpec,
  { texts, fileBytes, maxOutputTokens, lane }: Load,
): Promise<Reservation> {
  const inputTokens = texts.reduce((sum, text) => sum + Buffer.byteLength(text), fileBytes);
  const usage = { inputTokens, outputTokens: maxOutputTokens, cachedInputTokens: 0, reasoningTokens: 0 };
  return { inputTokens, outputTokens: maxOutputTokens, costMicroUsd: await costMicroUsd(spec, usage, { lane }) };
}

/** Limits of money over all flows. */
export interface OverallBudget {
  readonly perDayUsd?: number;
  readonly perMonthUsd?: number;
}

/** Whose limits and budgets a call counts against. */
export interface Claimant {
  readonly run: RunScope;
  readonly ticket: string;
  readonly model: ResolvedModel;
  readonly lane: Priority;
  readonly overall: OverallBudget | undefined;
  /** Digest of the key's value; null for a model without a key. */
  readonly credentialVersion: string | null;
  readonly now: Date;
}

const minuteMs = 60_000;
/** Share of every limit that only the interactive lane may use, where nothing else is configured. */
export const usualInteractiveShare = 0.2;
/** How much longer than its deadline a call may be under way, as the database sees it. */
const leaseMarginMs = 30_000;
/** English text has about four characters for a token; what a model really makes of it is learned. */
const bytesPerToken = 4;

/** What a call takes of limits and budgets; null when there are none, for a model that nothing limits. */
export function toClaim(
  key: string,
  { run, ticket, model, lane, overall, credentialVersion, now }: Claimant,
  reservation: Reservation,
  tokensPerByte: number,
): ModelClaim | null {
  const { spec } = model;
  if (isSimulated(spec)) return null;
  const accounts = accountsOf(run, spec, overall, now);
  const modelLimits = goesInBatch(spec, lane) ? {} : (spec.limits ?? {});
  const { requestsPerMinute, tokensPerMinute, inputTokensPerMinute, outputTokensPerMinute } = modelLimits;
  const limits = (
    [
      ["requests", requestsPerMinute],
      ["tokens", tokensPerMinute],
      ["input_tokens", inputTokensPerMinute],
      ["output_tokens", outputTokensPerMinute],
    ] as const
  ).flatMap(([kind, limit]) => (limit === undefined ? [] : [{ kind, limit, perMs: minuteMs }]));
  return {
    key,
    ticket,
    credential: credentialOf(spec),
    credentialVersion,
    bucket: bucketOf(spec, lane),
    lane: rankOfLane(lane),
    limits,
    concurrency: modelLimits.concurrency ?? null,
    interactiveShare: modelLimits.interactiveShare ?? usualInteractiveShare,
    amounts: {
      requests: 1,
      input_tokens: Math.ceil(reservation.inputTokens * tokensPerByte),
      output_tokens: reservation.outputTokens,
    },
    leaseMs: (spec.timeoutMs ?? minuteMs) + leaseMarginMs,
    accounts,
    costMicroUsd: accounts.length === 0 ? null : costFor(model, spec, run.flowSettings.budget, reservation),
  };
}

/** How many tokens a byte makes, as long as nothing was learned. */
export const usualTokensPerByte = 1 / bytesPerToken;

/** @throws MODEL_PRICE_UNKNOWN when a budget cannot be held because the price is not known. */
function costFor(
  model: ResolvedModel,
  spec: HostedModelSpec,
  budget: Budget | undefined,
  reservation: Reservation,
): number {
  if (reservation.costMicroUsd !== null) return reservation.costMicroUsd;
  if (budget?.allowUnknownPrice) return 0;
  throw new SluiceError("MODEL_PRICE_UNKNOWN", {
    message: `the price of ${spec.provider} model ${modelIdOf(spec)} ("${model.name}") is unknown, so that no budget can be held`,
    hint: "Nothing was sent. Give the model a price in the configuration, or allow it with budget: { allowUnknownPrice: true }.",
  });
}

const microUsd = (usd: number): number => Math.round(usd * 1_000_000);

/** Accounts that a call is paid from, with what may be spent of each. Days and months are those of UTC. */
function accountsOf(run: RunScope, spec: HostedModelSpec, overall: OverallBudget | undefined, now: Date) {
  const day = now.toISOString().slice(0, 10);
  const month = day.slice(0, 7);
  const { budget } = run.flowSettings;
  const credential = credentialOf(spec);
  return (
    [
      [`run/${run.runId}`, budget?.perRunUsd],
      [`flow/${run.flow}/${day}`, budget?.perDayUsd],
      [`flow/${run.flow}/${month}`, budget?.perMonthUsd],
      [`key/${credential}/${day}`, spec.budget?.perDayUsd],
      [`key/${credential}/${month}`, spec.budget?.perMonthUsd],
      [`all/${day}`, overall?.perDayUsd],
      [`all/${month}`, overall?.perMonthUsd],
    ] as const
  ).flatMap(([account, limitUsd]) => (limitUsd === undefined ? [] : [{ account, limitMicroUsd: microUsd(limitUsd) }]));
}

/** When an account has new money: the next day or month of UTC; null for that of a run. */
export function renewalOf(account: string): Date | null {
  const period = /\/(\d{4})-(\d{2})(?:-(\d{2}))?$/.exec(account);
  if (!period) return null;
  const [year, month, day] = period.slice(1).map(Number) as [number, number, number | undefined];
  return day === undefined || Number.isNaN(day)
    ? new Date(Date.UTC(year, month, 1))
    : new Date(Date.UTC(year, month - 1, day + 1));
}
