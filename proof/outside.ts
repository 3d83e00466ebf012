import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A call to an outside system, as it arrived. */
export interface OutsideCall {
  /** ISO 8601. */
  readonly at: string;
  /** What was asked for, such as `charge`. */
  readonly kind: string;
  /** Of what: the id that the payload of the run has. */
  readonly id: string;
  readonly idempotencyKey: string | null;
  /** Whether it changed something; a repeat with a known key does not where the system drops repeats. */
  readonly hadEffect: boolean;
}

/** An outside system of the experiment's own, in the process of the experiment, which nobody kills. */
export interface Outside {
  readonly origin: string;
  readonly calls: readonly OutsideCall[];
  close(): Promise<void>;
}

/**
 * Starts it. `POST /effects/{kind}` with `{ "id" }` does something and answers with its number; the kind `keyed` drops
 * repeats of an `idempotency-key`, every other kind does it again. `GET /effects/{kind}?key=KEY` finds what was done.
 */
export async function startOutside(): Promise<Outside> {
  const calls: OutsideCall[] = [];
  const server = createServer((request, response) => {
    void answer(calls, request).then((body) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(calls: OutsideCall[], request: IncomingMessage): Promise<object> {
  const url = new URL(request.url ?? "/", "http://outside");
  const kind = url.pathname.split("/").at(-1) ?? "";
  const find = (key: string | null): number =>
    calls.findIndex((call) => call.kind === kind && call.hadEffect && call.idempotencyKey === key);
  if (request.method === "GET") {
    const found = find(url.searchParams.get("key"));
    return { number: found < 0 ? null : found };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { id } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { readonly id: string };
  const header = request.headers["idempotency-key"];
  const idempotencyKey = typeof header === "string" ? header : null;
  const before = kind === "keyed" && idempotencyKey !== null ? find(idempotencyKey) : -1;
  calls.push({ at: new Date().toISOString(), kind, id, idempotencyKey, hadEffect: before < 0 });
  return { number: before < 0 ? calls.length - 1 : before };
}
