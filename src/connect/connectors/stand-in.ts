import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "../../core/index.ts";

/** A call as a stand-in received it. */
export interface StandInCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** JSON, or a form's fields. */
  readonly body: { readonly [name: string]: Json };
}

/** An answer; `lost` resets the connection in its place. */
export interface StandInAnswer {
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: Json;
  readonly lost?: boolean;
}

/** A stand-in of an outside system on loopback, for the tests of one connector. */
export interface StandIn {
  readonly origin: string;
  readonly calls: readonly StandInCall[];
  close(): void;
}

/** Starts a {@link StandIn} that answers as the function says. */
export async function startStandIn(answer: (call: StandInCall) => StandInAnswer): Promise<StandIn> {
  const calls: StandInCall[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const text = Buffer.concat(chunks).toString();
    const call = { method, url, headers, body: parseBody(headers["content-type"] ?? "", text) };
    calls.push(call);
    const { status = 200, headers: more = {}, body = null, lost = false } = answer(call);
    if (lost) {
      response.socket?.resetAndDestroy();
      return;
    }
    const isText = typeof body === "string";
    response.writeHead(status, { "content-type": isText ? "text/html" : "application/json", ...more });
    response.end(isText ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function parseBody(contentType: string, text: string): StandInCall["body"] {
  if (contentType.startsWith("application/json")) return JSON.parse(text) as StandInCall["body"];
  return Object.fromEntries(new URLSearchParams(text));
}
