import { setTimeout } from "node:timers/promises";
import { leadsForm } from "../examples/connections.ts";
import { signSample } from "../src/triggers/index.ts";
import type { Acknowledged, Hook, Lead } from "./leads.ts";
import { answerLimitMs, type Look } from "./probe.ts";

/** An answer to a delivery, or what came instead of one. */
export interface Answer extends Look {
  /** Of a problem document, such as `DATABASE_UNAVAILABLE`; else empty. */
  readonly code: string;
  readonly retryAfter: string | null;
}

/** Sends leads at a steady rate, and each again and again until it is acknowledged. */
export interface Sender {
  /** All answers so far. */
  readonly answers: readonly Answer[];
  /** What was acknowledged so far. */
  readonly acknowledged: readonly Acknowledged[];
  /** Begins no more leads, goes on with those under way for a while, and gives those that were never acknowledged. */
  finish(patienceMs: number): Promise<readonly Lead[]>;
}

/** What {@link startSender} takes. */
export interface SenderOptions {
  readonly hook: Hook;
  /** Those that can be sent, in order. */
  readonly leads: readonly Lead[];
  readonly perSecond: number;
  /** Between an answer and the next try. Default: 1,000. */
  readonly retryMs?: number;
}

/** Begins to send. */
export function startSender({ hook, leads, perSecond, retryMs = 1000 }: SenderOptions): Sender {
  const answers: Answer[] = [];
  const acknowledged: Acknowledged[] = [];
  const underway = new Map<Lead, Promise<void>>();
  const gaveUp = new AbortController();
  let next = 0;

  async function deliver(lead: Lead): Promise<void> {
    while (!gaveUp.signal.aborted) {
      const { answer, runId } = await post(hook, lead, gaveUp.signal);
      // What the end of the experiment broke off is nobody's answer.
      if (!gaveUp.signal.aborted) answers.push(answer);
      if (runId !== null) {
        acknowledged.push({ lead, runId });
        underway.delete(lead);
        return;
      }
      await setTimeout(retryMs);
    }
  }

  const ticking = setInterval(() => {
    const lead = leads[next++];
    if (lead) underway.set(lead, deliver(lead));
  }, 1000 / perSecond);
  return {
    answers,
    acknowledged,
    async finish(patienceMs) {
      clearInterval(ticking);
      const patience = setTimeout(patienceMs, null, { ref: false });
      await Promise.race([Promise.all(underway.values()), patience]);
      gaveUp.abort();
      return [...underway.keys()];
    },
  };
}

/** One request, signed anew. The run's id comes with the whole answer only: one that breaks off has acknowledged nothing. */
async function post(
  hook: Hook,
  lead: Lead,
  gaveUp: AbortSignal,
): Promise<{ readonly answer: Answer; readonly runId: string | null }> {
  const body = JSON.stringify(lead.payload);
  const headers = signSample(leadsForm, hook.secret, { body, sentAt: new Date(), deliveryId: lead.deliveryId });
  const beganAt = performance.now();
  try {
    const signal = AbortSignal.any([gaveUp, AbortSignal.timeout(answerLimitMs)]);
    const response = await fetch(hook.url, { method: "POST", headers, body, signal });
    const { runId = null, code = "" } = (await response.json()) as { runId?: string; code?: string };
    const { status } = response;
    const retryAfter = response.headers.get("retry-after");
    return {
      answer: { beganAt, endedAt: performance.now(), status, code, retryAfter },
      runId: response.ok ? runId : null,
    };
  } catch {
    return { answer: { beganAt, endedAt: performance.now(), status: null, code: "", retryAfter: null }, runId: null };
  }
}

/** What is wrong with the answers of a time in which nothing can be stored, or its end: sentences, one for each kind of answer. */
export function findBadAnswers(answers: readonly Answer[]): string[] {
  const bad = answers.filter(({ status, retryAfter }) => {
    const isAcknowledged = status === 200 || status === 202;
    return !isAcknowledged && !(status === 503 && /^[1-9]\d*$/.test(retryAfter ?? ""));
  });
  const kinds = Map.groupBy(bad, ({ status, code, retryAfter }) =>
    status === null ? "no answer" : `${status} ${code} with Retry-After ${retryAfter}`,
  );
  return [...kinds].map(([kind, { length }]) => `${length} deliveries got ${kind}, not 503 with Retry-After`);
}
