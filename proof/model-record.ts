import type { Json } from "../src/core/index.ts";
import type { SandboxCall } from "../src/sandbox/index.ts";

/** A request for text to a model, as the provider's stand-in recorded it. */
export interface ModelRequest {
  readonly number: number;
  /** When it had arrived, in milliseconds since 1970. */
  readonly atMs: number;
  /** Whose limits it counts against: the vendor with the model. */
  readonly bucket: string;
  /** Which run it is of: the field `case` that the flow sends. */
  readonly caseName: string;
  readonly fault: string | null;
  /** HTTP status of the answer; null when the connection was reset without one. */
  readonly status: number | null;
  /** How long the answer asks to wait; null when it does not. */
  readonly waitMs: number | null;
  /** What the provider charges for; null when nothing was worked, or its answer does not tell. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
}

/** US dollars for a million tokens, which are micro-dollars for a token. */
export interface Price {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
}

/** The requests for text of a record, in the order of arrival. */
export function toModelRequests(calls: readonly SandboxCall[]): ModelRequest[] {
  return calls
    .filter(({ method, path }) => method === "POST" && /\/(?:chat\/completions|messages)$/.test(path))
    .map(toRequest);
}

function toRequest(call: SandboxCall): ModelRequest {
  const asked = JSON.stringify(call.body);
  const model = /"model":"([^"]+)"/.exec(asked)?.[1] ?? "";
  return {
    number: call.number,
    atMs: Date.parse(call.at),
    bucket: `${call.system}/${model}`,
    // The data stands as JSON inside of a JSON text.
    caseName: /\\"case\\":\\"([^"\\]+)\\"/.exec(asked)?.[1] ?? "",
    fault: call.fault,
    status: call.status,
    waitMs: call.status === 429 ? readWaitMs(call) : null,
    usage: readUsage(call.response),
  };
}

/** What a request costs its sender, in whole micro-dollars, rounded up as bills are; 0 where nothing was worked. */
export function chargeOf({ usage }: Pick<ModelRequest, "usage">, price: Price): number {
  if (usage === null) return 0;
  const { inputTokens, outputTokens } = usage;
  const microUsd = inputTokens * price.inputUsdPerMillion + outputTokens * price.outputUsdPerMillion;
  return Math.ceil(Number(microUsd.toFixed(6)));
}

/** The counts of OpenAI or Anthropic, of an answer as one document or as a stream: the last that the latter tells count. */
function readUsage(response: Json): ModelRequest["usage"] {
  const text = typeof response === "string" ? response : JSON.stringify(response);
  const inputTokens = lastNumber(text, /"(?:prompt|input)_tokens":(\d+)/g);
  const outputTokens = lastNumber(text, /"(?:completion|output)_tokens":(\d+)/g);
  return inputTokens === null || outputTokens === null ? null : { inputTokens, outputTokens };
}

function lastNumber(text: string, pattern: RegExp): number | null {
  const found = [...text.matchAll(pattern)].at(-1)?.[1];
  return found === undefined ? null : Number(found);
}

/**
 * The wait of a refusal in the forms that the stand-ins use. Written apart from the gateway's own reading, so that what one
 * of them misses shows.
 */
function readWaitMs({ at, responseHeaders: headers = {}, response }: SandboxCall): number | null {
  const nowMs = Date.parse(at);
  const body = JSON.stringify(response);
  const waits = [
    toNumber(headers["retry-after-ms"]),
    toNumber(headers["retry-after"], 1000),
    Date.parse(headers["retry-after"] ?? "") - nowMs,
    toDurationMs(/"retryDelay":"([^"]+)"/.exec(body)?.[1]),
    toDurationMs(headers["x-ratelimit-reset-requests"]),
    Date.parse(headers["anthropic-ratelimit-requests-reset"] ?? "") - nowMs,
    toDurationMs(/try again in ([\dhms.]+[hms])/.exec(body)?.[1]),
  ];
  return waits.find((wait) => wait > 0) ?? null;
}

function toNumber(text: string | undefined, unit = 1): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * unit : NaN;
}

const unitsMs: { readonly [unit: string]: number } = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `1m30s`, `20ms`. */
function toDurationMs(text = ""): number {
  const parts = [...text.matchAll(/([\d.]+)(ms|[hms])/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitsMs[unit] ?? NaN), 0);
}
