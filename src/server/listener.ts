import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { SluiceError } from "../core/index.ts";
import { toProblem } from "../triggers/index.ts";

/** Answers a request. The second argument tells about the connection; absent when there is none. */
export type FetchHandler = (request: Request, environment?: unknown) => Response | Promise<Response>;

/** An open port. */
export interface Listener {
  /** Such as `http://127.0.0.1:4600`. */
  readonly url: string;
  /** Stops accepting at once, and resolves when all requests have ended or were cut off after the given time. */
  close(graceMs: number): Promise<void>;
}

/** What {@link listen} takes. */
export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly fetch: FetchHandler;
  /** Put on answers to requests that are too broken to reach `fetch`. */
  readonly headers: { readonly [name: string]: string };
}

/** A sender gets this long for its head and its whole request; slower ones only hold connections. */
const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 };

/** Longer than the usual 60 s of load balancers, so that they never reuse a connection that we are closing. */
const keepAliveTimeoutMs = 65_000;

/**
 * Opens a port.
 *
 * @throws PORT_IN_USE; CONFIG_INVALID when the address is not one of this machine or the port needs more rights.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const answer = getRequestListener(options.fetch, { errorHandler: () => answerUnreadable(options.headers) });
  const server = createServer({ ...timeouts, keepAliveTimeout: keepAliveTimeoutMs }, (incoming, outgoing) => {
    void answer(incoming, outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(toListenError(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  return { url: urlOf(server), close: (graceMs) => close(server, graceMs) };
}

/** A request whose address or host cannot be made out. */
function answerUnreadable(headers: { readonly [name: string]: string }): Response {
  const error = new SluiceError("HOST_NOT_ALLOWED", {
    message: "the address or host of the request cannot be read",
    hint: "Send one Host header and a path that starts with a slash.",
  });
  return toProblem(error, headers);
}

function toListenError(error: NodeJS.ErrnoException, { host, port }: ListenOptions): SluiceError {
  if (error.code === "EADDRINUSE") {
    return new SluiceError("PORT_IN_USE", {
      message: `port ${port} of ${host} is in use by another program`,
      hint: "Stop that program, perhaps another sluice, or choose another port.",
      cause: error,
    });
  }
  return new SluiceError("CONFIG_INVALID", {
    message: `cannot listen on ${host}, port ${port} (${error.code ?? error.name})`,
    hint: "Use an address of this machine, such as 127.0.0.1, and a port above 1023.",
    cause: error,
  });
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  // An address that stands for all of this machine's cannot be opened in a browser.
  const host = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : family === "IPv6" ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose request ends meanwhile would stay open for its next one.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cutOff);
}
