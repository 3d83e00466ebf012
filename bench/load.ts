/**
 * The load generator, in a process of its own: sends signed deliveries over many connections and times the answers. By
 * hand it prints what it found:
 *
 *   node --conditions=sluice-source bench/load.ts '{ "url": "http://127.0.0.1:4600/hooks/leads", ... }'
 */
import { Socket } from "node:net";
import { once } from "node:events";
import { percentile } from "./report.ts";
import { signLead } from "./lead.ts";
import { readAnswer } from "./read-answer.ts";

/** What it is started with, as JSON in its first argument. */
export interface LoadSettings {
  /** Such as `http://127.0.0.1:4600/hooks/leads`. */
  readonly url: string;
  readonly secret: string;
  readonly connections: number;
  /** Most deliveries. */
  readonly count: number;
  /** Ends earlier when this is over. */
  readonly limitMs: number;
  /** Tells the ids of different loads apart. */
  readonly prefix: string;
  /** Status of an acknowledgement. Default: 202. */
  readonly status?: number;
}

/** What it tells at the end. */
export interface LoadResult {
  readonly acknowledged: number;
  /** Answered otherwise. */
  readonly refused: number;
  /** When the first delivery was sent, in milliseconds since 1970. */
  readonly beganAt: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as LoadSettings;
// Signed before the clock starts: what signing costs is the sender's business.
const requests = Array.from({ length: settings.count }, (_item, at) => toRequest(`${settings.prefix}${at}`));
const result = await generate();
if (process.send) process.send(result);
else process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.disconnect?.();

function toRequest(deliveryId: string): Buffer {
  const { pathname, host } = new URL(settings.url);
  const { body, headers } = signLead(settings.secret, deliveryId);
  const lines = Object.entries({ host, ...headers, "content-length": Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`);
}

async function generate(): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: settings.connections }, connect));
  const acknowledgement = settings.status ?? 202;
  const beganAt = Date.now();
  const began = performance.now();
  const timesMs: number[] = [];
  let next = 0;
  let refused = 0;
  async function send(socket: Socket): Promise<void> {
    while (next < requests.length && performance.now() - began < settings.limitMs) {
      const sentAt = performance.now();
      const status = await exchange(socket, requests[next++]!);
      if (status === acknowledgement) timesMs.push(performance.now() - sentAt);
      else refused += 1;
    }
  }
  await Promise.all(sockets.map(send));
  const elapsedMs = performance.now() - began;
  for (const socket of sockets) socket.destroy();
  const [p50Ms, p99Ms] = [percentile(timesMs, 0.5), percentile(timesMs, 0.99)];
  return { acknowledged: timesMs.length, refused, beganAt, elapsedMs, p50Ms, p99Ms };
}

async function connect(): Promise<Socket> {
  const { hostname, port } = new URL(settings.url);
  const socket = new Socket().setNoDelay(true);
  socket.connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

/** Sends a request and reads its answer to the end; gives the status. */
async function exchange(socket: Socket, request: Buffer): Promise<number> {
  socket.write(request);
  return (await readAnswer(socket)).status;
}
