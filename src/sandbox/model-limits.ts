import { SluiceError } from "../core/index.ts";
import type { SandboxSystem } from "./exchange.ts";

const windowMs = 60_000;
/** What is allowed when nothing is said: more than anybody sends, and still a number for the headers. */
const requestsByDefault = 1_000_000;
const tokensByDefault = 1_000_000_000;
/** How many entries may have left a window before its list is cut. */
const maxLeft = 4096;

/**
 * What a model's stand-in allows within any 60 s, for each model of each vendor by itself. What goes beyond it is
 * answered with 429. Default of each: so much that nobody gets there.
 */
export interface ModelLimits {
  readonly requestsPerMinute?: number;
  /** Input and output together. */
  readonly tokensPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
}

const limitNames = ["requestsPerMinute", "tokensPerMinute", "inputTokensPerMinute", "outputTokensPerMinute"];

/** @throws CONFIG_INVALID when a limit is unknown or no whole number from 1. */
export function checkLimits(limits: ModelLimits): ModelLimits {
  const wrong = Object.entries(limits).find(
    ([name, value]) => value !== undefined && (!limitNames.includes(name) || !Number.isInteger(value) || value < 1),
  );
  if (wrong === undefined) return limits;
  throw new SluiceError("CONFIG_INVALID", {
    message: `limit ${wrong[0]} of the sandbox's models is ${JSON.stringify(wrong[1])}`,
    hint: `Use whole numbers from 1 for ${limitNames.join(", ")}.`,
  });
}

/** Requests and tokens within a window: as allowed, used or left. */
export interface WindowCounts {
  readonly requests: number;
  readonly tokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a vendor tells about its limits with an answer. */
export interface LimitStanding {
  readonly limit: WindowCounts;
  readonly remaining: WindowCounts;
  /** Until the oldest request leaves the window; after a refusal, until the refused request would fit. */
  readonly resetMs: number;
}

/** Whether a request may pass. */
export interface Admission {
  /** 0 when it may, and is counted. */
  readonly waitMs: number;
  /** Counts what was answered. */
  settle(outputTokens: number): void;
  standing(): LimitStanding;
}

/** The windows of all models. Refused requests are not counted, so that a client's own count can be compared. */
export class RateWindows {
  readonly #windows = new Map<string, RateWindow>();
  #limit: WindowCounts;

  /** @throws CONFIG_INVALID */
  constructor(limits: ModelLimits) {
    this.#limit = toCounts(checkLimits(limits));
  }

  /** What was counted stays counted. @throws CONFIG_INVALID */
  setLimits(limits: ModelLimits): void {
    this.#limit = toCounts(checkLimits(limits));
  }

  admit(system: SandboxSystem, model: string, inputTokens: number, now: Date): Admission {
    const key = `${system}/${model}`;
    const window = this.#windows.get(key) ?? new RateWindow();
    this.#windows.set(key, window);
    return window.admit(inputTokens, this.#limit, now.getTime());
  }
}

function toCounts(limits: ModelLimits): WindowCounts {
  return {
    requests: limits.requestsPerMinute ?? requestsByDefault,
    tokens: limits.tokensPerMinute ?? tokensByDefault,
    inputTokens: limits.inputTokensPerMinute ?? tokensByDefault,
    outputTokens: limits.outputTokensPerMinute ?? tokensByDefault,
  };
}

interface Entry {
  readonly atMs: number;
  readonly inputTokens: number;
  outputTokens: number;
}

/** The requests of one model in the last minute, the oldest first. */
class RateWindow {
  #entries: Entry[] = [];
  /** Index of the first entry that is still in the window. */
  #first = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #expiredAtMs = 0;

  admit(inputTokens: number, limit: WindowCounts, nowMs: number): Admission {
    this.#expire(nowMs);
    const waitMs = this.#waitMs(inputTokens, limit, nowMs);
    const entry: Entry = { atMs: nowMs, inputTokens, outputTokens: 0 };
    if (waitMs === 0) {
      this.#entries.push(entry);
      this.#inputTokens += inputTokens;
    }
    return {
      waitMs,
      settle: (outputTokens) => {
        // An answer that took longer than the window: its request is not in it any more.
        if (entry.atMs + windowMs <= this.#expiredAtMs) return;
        entry.outputTokens = outputTokens;
        this.#outputTokens += outputTokens;
      },
      standing: () => this.#standing(limit, waitMs, nowMs),
    };
  }

  /** Walks over what leaves the window, the oldest first, until the request fits. */
  #waitMs(inputTokens: number, limit: WindowCounts, nowMs: number): number {
    let { requests, inputTokens: input, outputTokens: output } = this.#used();
    const fits = () =>
      requests + 1 <= limit.requests &&
      input + inputTokens <= limit.inputTokens &&
      output < limit.outputTokens &&
      input + output + inputTokens <= limit.tokens;
    if (fits()) return 0;
    for (let index = this.#first; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry === undefined) break;
      [requests, input, output] = [requests - 1, input - entry.inputTokens, output - entry.outputTokens];
      if (fits()) return entry.atMs + windowMs - nowMs;
    }
    // Larger than the limit itself: it will never fit.
    return windowMs;
  }

  #standing(limit: WindowCounts, waitMs: number, nowMs: number): LimitStanding {
    const used = this.#used();
    const oldest = this.#entries[this.#first];
    return {
      limit,
      remaining: {
        requests: Math.max(0, limit.requests - used.requests),
        tokens: Math.max(0, limit.tokens - used.tokens),
        inputTokens: Math.max(0, limit.inputTokens - used.inputTokens),
        outputTokens: Math.max(0, limit.outputTokens - used.outputTokens),
      },
      resetMs: waitMs > 0 || oldest === undefined ? waitMs : oldest.atMs + windowMs - nowMs,
    };
  }

  #used(): WindowCounts {
    return {
      requests: this.#entries.length - this.#first,
      tokens: this.#inputTokens + this.#outputTokens,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
    };
  }

  #expire(nowMs: number): void {
    this.#expiredAtMs = nowMs;
    for (let entry = this.#entries[this.#first]; entry !== undefined; entry = this.#entries[this.#first]) {
      if (entry.atMs + windowMs > nowMs) break;
      this.#inputTokens -= entry.inputTokens;
      this.#outputTokens -= entry.outputTokens;
      this.#first += 1;
    }
    if (this.#first < maxLeft) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
