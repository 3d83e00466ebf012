import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { samples } from "../examples/lead-routing/samples.ts";
import { leadsForm } from "../examples/connections.ts";
import { signSample } from "../src/triggers/index.ts";

/** A lead that the experiment sends, and what it may expect of it. */
export interface Lead {
  readonly deliveryId: string;
  readonly payload: {
    readonly name: string;
    readonly email: string;
    readonly company: string;
    readonly message: string;
  };
  /** Whether Slack is to hear of it. */
  readonly isHot: boolean;
}

/** A lead that the service has answered for. */
export interface Acknowledged {
  readonly lead: Lead;
  readonly runId: string;
  /** How its run ended, when that was waited for and came in time. */
  readonly status?: string;
}

/** A number in [0, 1) that depends on nothing but the seed and what it is drawn for. */
export function draw(seed: number, what: string): number {
  return createHash("sha256").update(`${seed}/${what}`).digest().readUInt32BE() / 2 ** 32;
}

/** Makes leads, half of them hot; every fourth is of the same person as the one before it. */
export function makeLeads(seed: number, round: string, count: number): Lead[] {
  return Array.from({ length: count }, (_item, at) => {
    const isHot = draw(seed, `${round}/${at}/hot`) < 0.5;
    const person = `person${at % 4 === 3 ? at - 1 : at}.${round}@example.com`;
    const { message, name } = isHot ? samples["urgent and large"] : samples.vague;
    return {
      deliveryId: `msg_${round}_${at}`,
      payload: { name, email: person, company: `Company ${round}.${at}`, message },
      isHot,
    };
  });
}

/** Where deliveries go; the address and the secret of a service outlive its processes. */
export interface Hook {
  readonly url: string;
  readonly secret: string;
}

/** How a sender sends. */
export interface Sending {
  /** To be answered when the run has ended. Default: as soon as the lead is stored. */
  readonly waitSeconds?: number;
  /** How long it is tried. Default: 15,000. */
  readonly patienceMs?: number;
}

const retryMs = 50;

/**
 * Sends a lead as a careful sender does: again and again until it is acknowledged, always under the same id.
 *
 * @throws Error when it was not acknowledged in time.
 */
export async function deliver(hook: Hook, lead: Lead, sending: Sending = {}): Promise<Acknowledged> {
  const { waitSeconds, patienceMs = 15_000 } = sending;
  const body = JSON.stringify(lead.payload);
  const url = waitSeconds === undefined ? hook.url : `${hook.url}?wait=${waitSeconds}`;
  let last: unknown = "nothing";
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await setTimeout(retryMs)) {
    const headers = signSample(leadsForm, hook.secret, { body, sentAt: new Date(), deliveryId: lead.deliveryId });
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(url, { method: "POST", headers, body, signal }).catch((error: unknown) => error);
    last = response instanceof Response ? response.status : response;
    // The connection may break between the status and the body: then nothing is acknowledged yet.
    const text = response instanceof Response ? await response.text().catch(() => "") : "";
    if (response instanceof Response && response.ok && text !== "") {
      const { runId, status } = JSON.parse(text) as { readonly runId: string; readonly status?: string };
      return { lead, runId, ...(status !== undefined && { status }) };
    }
  }
  throw new Error(
    `${lead.deliveryId} was not acknowledged within ${patienceMs / 1000} s; the last answer: ${String(last)}`,
  );
}

/** How leads are sent together. */
export interface Sendings extends Sending {
  /** How many are sent at a time. */
  readonly connections: number;
  /** Pause of each connection after an acknowledgement. Default: 0. */
  readonly pauseMs?: number;
  readonly onAcknowledged?: (acknowledged: Acknowledged) => void;
}

/** Sends leads, a few at a time. @throws Error when one was not acknowledged in time. */
export async function deliverAll(hook: Hook, leads: readonly Lead[], sendings: Sendings): Promise<Acknowledged[]> {
  const waiting = [...leads];
  const acknowledged: Acknowledged[] = [];
  async function send(): Promise<void> {
    for (let lead = waiting.shift(); lead; lead = waiting.shift()) {
      const answered = await deliver(hook, lead, sendings);
      acknowledged.push(answered);
      sendings.onAcknowledged?.(answered);
      if (sendings.pauseMs) await setTimeout(sendings.pauseMs);
    }
  }
  await Promise.all(Array.from({ length: sendings.connections }, send));
  return acknowledged;
}
