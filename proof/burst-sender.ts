import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { readAnswer } from "../bench/read-answer.ts";
import { leadsForm } from "../examples/connections.ts";
import { signSample } from "../src/triggers/index.ts";
import type { Acknowledged, Hook, Lead } from "./leads.ts";

/** What became of a burst. */
export interface BurstResult {
  readonly acknowledged: readonly Acknowledged[];
  /** Refusals with QUEUE_FULL and a time to come back. */
  readonly shed: number;
  /** Any other answer, by what it was. */
  readonly others: ReadonlyMap<string, number>;
  readonly elapsedMs: number;
}

/** What {@link sendBurst} takes. */
export interface BurstOptions {
  readonly hook: Hook;
  readonly leads: readonly Lead[];
  /** How many are held open, and so how many requests are under way at once. */
  readonly connections: number;
  /** Leads that have not been acknowledged after this time are given up. */
  readonly limitMs: number;
}

/** A lead that is to be sent, at once or when its time has come. */
interface Due {
  readonly lead: Lead;
  readonly notBefore: number;
}

/** Sends leads as fast as they are answered. One that is shed is sent again once the time told has passed; others go first. */
export async function sendBurst({ hook, leads, connections, limitMs }: BurstOptions): Promise<BurstResult> {
  const acknowledged: Acknowledged[] = [];
  const others = new Map<string, number>();
  const due: Due[] = leads.map((lead) => ({ lead, notBefore: 0 }));
  let shed = 0;
  let underway = 0;
  const began = performance.now();
  const isOver = (): boolean => performance.now() - began > limitMs;

  function settle({ lead }: Due, reply: Reply): void {
    if (reply.runId !== undefined && reply.status < 300) return void acknowledged.push({ lead, runId: reply.runId });
    const waitMs = reply.retryAfterSeconds * 1000;
    due.push({ lead, notBefore: performance.now() + (waitMs > 0 ? waitMs : 1000) });
    if (reply.status === 503 && reply.code === "QUEUE_FULL" && waitMs > 0) return void (shed += 1);
    const what = `${reply.status} ${reply.code ?? ""}`.trim();
    others.set(what, (others.get(what) ?? 0) + 1);
  }

  async function work(): Promise<void> {
    let line = await open(hook.url);
    while ((due.length > 0 || underway > 0) && !isOver()) {
      const item = due.shift();
      const leftMs = (item?.notBefore ?? Infinity) - performance.now();
      if (item && leftMs <= 0) {
        underway += 1;
        const reply = await line.ask(item.lead, hook).catch(() => null);
        underway -= 1;
        settle(item, reply ?? broken);
        if (!reply) line = await open(hook.url);
        continue;
      }
      if (item) due.unshift(item);
      await setTimeout(Math.min(leftMs, 50));
    }
    line.close();
  }

  await Promise.all(Array.from({ length: connections }, work));
  return { acknowledged, shed, others, elapsedMs: Math.round(performance.now() - began) };
}

interface Reply {
  readonly status: number;
  readonly retryAfterSeconds: number;
  readonly runId?: string;
  readonly code?: string;
}

const broken: Reply = { status: 0, retryAfterSeconds: 0, code: "the connection broke" };

/** A connection with one request under way at a time. `fetch` costs several times as much, and the sender shares the machine. */
async function open(url: string): Promise<{ ask(lead: Lead, hook: Hook): Promise<Reply>; close(): void }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay(true);
  await once(socket, "connect");
  // A break is seen by the request under way, or by the next one.
  socket.on("error", () => {});
  return {
    ask(lead, hook) {
      socket.write(toRequest(lead, hook));
      return readReply(socket);
    },
    close: () => void socket.destroy(),
  };
}

function toRequest({ payload, deliveryId }: Lead, { url, secret }: Hook): string {
  const { pathname, host } = new URL(url);
  const body = JSON.stringify(payload);
  const headers = signSample(leadsForm, secret, { body, sentAt: new Date(), deliveryId });
  const lines = Object.entries({ host, ...headers, "content-length": Buffer.byteLength(body) });
  return `POST ${pathname} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

async function readReply(socket: Socket): Promise<Reply> {
  const { status, head, body } = await readAnswer(socket);
  const retryAfter = /\r\nretry-after: (\d+)/i.exec(head)?.[1];
  const { runId, code } = JSON.parse(body) as Partial<Reply>;
  return { status, retryAfterSeconds: Number(retryAfter ?? 0), ...(runId && { runId }), ...(code && { code }) };
}
