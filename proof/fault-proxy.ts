import { EventEmitter, once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { StatementReader } from "./postgres-statements.ts";

/**
 * What goes wrong between a client and its upstream:
 * - `latency`: each direction is late by `ms`; what arrives while other bytes wait goes on with them.
 * - `refuse`: nothing listens any more (ECONNREFUSED), and open connections are reset, as when the server has died.
 * - `cut`: an orderly end (FIN) after `afterBytes` of a connection's answers.
 * - `half-open`: a new connection is accepted and is silent for good, also when the fault is over. Open ones go on.
 * - `trickle`: at most `bytes` in `intervalMs`, in each direction.
 * - `reset`: connections are reset (RST) at once. With `onStatement`, only one that executes a statement of Postgres that
 *   matches, and only when its answer comes: the server did it, and the client is not told.
 * - `black-hole`: open and new connections are silent in both directions. When it is over, held bytes go on, as they do
 *   after a short partition; with `forgets`, those connections stay silent, as behind a firewall that has forgotten them.
 */
export type Fault =
  | { readonly kind: "latency"; readonly ms: number }
  | { readonly kind: "refuse" }
  | { readonly kind: "cut"; readonly afterBytes: number }
  | { readonly kind: "half-open" }
  | { readonly kind: "trickle"; readonly bytes: number; readonly intervalMs: number }
  | { readonly kind: "reset"; readonly onStatement?: RegExp }
  | { readonly kind: "black-hole"; readonly forgets?: boolean };

/** A TCP proxy on loopback whose connections can be disturbed. */
export interface FaultProxy {
  readonly port: number;
  /** Begins a fault, or ends it (null); open connections are affected too. Resolves when it is in effect. */
  setFault(fault: Fault | null): Promise<void>;
  /** Connections of clients that are open now. */
  connections(): number;
  /** Connections that a fault has ended so far. */
  struck(): number;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

/** What all connections share. */
interface State {
  readonly upstream: { readonly host: string; readonly port: number };
  fault: Fault | null;
  struck: number;
  readonly links: Set<Link>;
}

/** Opens a proxy on a free port of 127.0.0.1, without a fault. */
export async function createFaultProxy(options: { readonly upstream: State["upstream"] }): Promise<FaultProxy> {
  const state: State = { ...options, fault: null, struck: 0, links: new Set() };
  const server = createServer({ allowHalfOpen: true }, (client) => void new Link(client, state).serve());
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async setFault(fault) {
      state.fault = fault;
      if (fault?.kind === "refuse") server.close();
      else if (!server.listening) await listen(server, port);
      for (const link of state.links) link.notice();
    },
    connections: () => [...state.links].filter((link) => link.isOpen).length,
    struck: () => state.struck,
    async close() {
      server.close();
      for (const link of state.links) link.reset();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

/** The longest that a connection can fall behind; a client that waits for answers never gets near it. */
const heldBytes = 64 * 2 ** 20;

/** One client's connection and its counterpart upstream. */
class Link {
  readonly #client: Socket;
  readonly #state: State;
  /** Fires when the proxy gives both sides up. */
  readonly #over = new AbortController();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #statements = new StatementReader();
  #upstream: Socket | null = null;
  /** Bytes of answers since the present fault began. */
  #answered = 0;
  #isResetByAnswer = false;
  #isForgotten = false;
  #hasClientLeft = false;

  constructor(client: Socket, state: State) {
    this.#client = client;
    this.#state = state;
    state.links.add(this);
    const left = (): void => {
      this.#hasClientLeft = true;
      this.#changes.emit("change");
    };
    // An error is followed by the close, which is where it is dealt with.
    client
      .on("error", () => {})
      .once("end", left)
      .once("close", left);
  }

  get isOpen(): boolean {
    return !this.#client.destroyed;
  }

  /** Passes bytes until both sides have ended, as the fault of the moment allows. */
  async serve(): Promise<void> {
    this.#isForgotten = this.#state.fault?.kind === "half-open";
    this.notice();
    try {
      const requests = hold(this.#client);
      await this.#untilPassable();
      const upstream = connect({ ...this.#state.upstream, allowHalfOpen: true }).on("error", () => {});
      this.#upstream = upstream;
      await Promise.all([this.#passRequests(requests, upstream), this.#passAnswers(hold(upstream), upstream)]);
    } catch {
      // One side has gone, and the other one learns of it as soon as anything can pass.
      await this.#untilPassable().catch(() => {});
    }
    this.#upstream?.destroy();
    if (!this.#client.writableEnded) this.#client.resetAndDestroy();
    if (!this.#client.closed) await once(this.#client, "close");
    this.#state.links.delete(this);
  }

  /** Adapts to a fault that begins or ends. */
  notice(): void {
    const { fault } = this.#state;
    this.#answered = 0;
    this.#isResetByAnswer = false;
    if (fault?.kind === "black-hole" && fault.forgets) this.#isForgotten = true;
    if (fault?.kind === "refuse" || (fault?.kind === "reset" && !fault.onStatement)) this.#strike();
    this.#changes.emit("change");
  }

  /** Ends both sides with RST. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#upstream?.destroy();
    this.#over.abort();
  }

  #strike(): void {
    this.#state.struck += 1;
    this.reset();
  }

  async #passRequests(requests: AsyncIterable<Buffer>, upstream: Socket): Promise<void> {
    await this.#pass(requests, upstream, (bytes) => {
      const { fault } = this.#state;
      const executed = this.#statements.read(bytes);
      if (fault?.kind !== "reset" || !fault.onStatement) return;
      const { onStatement } = fault;
      this.#isResetByAnswer ||= executed.some((text) => onStatement.test(text));
    });
    upstream.end();
  }

  async #passAnswers(answers: AsyncIterable<Buffer>, upstream: Socket): Promise<void> {
    await this.#pass(answers, this.#client, (bytes) => {
      if (this.#isResetByAnswer) this.#strike();
      this.#answered += bytes.length;
    });
    this.#client.end();
    upstream.destroy();
  }

  async #pass(source: AsyncIterable<Buffer>, to: Socket, look: (bytes: Buffer) => void): Promise<void> {
    for await (const bytes of source) {
      for (let at = 0; at < bytes.length;) {
        const piece = bytes.subarray(at, at + (await this.#allowed(to, bytes.length - at)));
        at += piece.length;
        look(piece);
        this.#over.signal.throwIfAborted();
        to.write(piece);
        if (this.#isCut(to)) this.#cut();
      }
    }
    await this.#untilPassable();
  }

  /** How many bytes may pass now, once the time that the fault takes is over. */
  async #allowed(to: Socket, waiting: number): Promise<number> {
    await this.#untilPassable();
    const { fault } = this.#state;
    const { signal } = this.#over;
    if (fault?.kind === "latency") await setTimeout(fault.ms, null, { signal });
    if (fault?.kind === "cut" && to === this.#client) return Math.max(0, fault.afterBytes - this.#answered);
    if (fault?.kind !== "trickle") return waiting;
    await setTimeout(fault.intervalMs, null, { signal });
    return fault.bytes;
  }

  #isCut(to: Socket): boolean {
    const { fault } = this.#state;
    return fault?.kind === "cut" && to === this.#client && this.#answered >= fault.afterBytes;
  }

  #cut(): never {
    this.#state.struck += 1;
    this.#client.end();
    throw new Error("the connection was cut");
  }

  async #untilPassable(): Promise<void> {
    const { signal } = this.#over;
    while (this.#isForgotten || this.#state.fault?.kind === "black-hole") {
      if (this.#hasClientLeft && this.#state.fault?.kind !== "black-hole") throw new Error("the client has left");
      await once(this.#changes, "change", { signal });
    }
    signal.throwIfAborted();
  }
}

/** Reads a socket whether or not its bytes can go on, so that its end is noticed meanwhile. */
function hold(socket: Socket): AsyncIterable<Buffer> {
  // Whoever reads it gets the error as well; nobody does so once the other side has gone.
  const held = new PassThrough({ highWaterMark: heldBytes }).on("error", () => {});
  socket.once("close", () => {
    if (!socket.readableEnded) held.destroy(new Error("the connection broke"));
  });
  return socket.pipe(held);
}
