import type { IncomingMessage } from "node:http";
import type { Context } from "hono";

/** A request as it arrived, before anything interprets it. */
export interface RawRequest {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  /** `?` and the query exactly as sent; empty when there is none. */
  readonly search: string;
  /** A header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** The first of the given headers that the request has more than once. */
  findRepeated(names: readonly string[]): string | undefined;
  /**
   * Takes in the body piece by piece, until `take` gives false or the body ends.
   * Resolves to false when the sender went away before the end.
   */
  readBody(take: (chunk: Uint8Array) => boolean): Promise<boolean>;
  /** Fires when the sender goes away. */
  signal(): AbortSignal;
}

/**
 * Gives the request that a handler serves. Under the Node adapter it reads Node's own message: that alone knows about
 * repeated headers, and saves building a web stream for each body.
 */
export function toRawRequest(context: Context): RawRequest {
  const bindings = context.env as { incoming?: IncomingMessage } | undefined;
  return bindings?.incoming ? fromNode(context, bindings.incoming) : fromWeb(context);
}

function fromNode(context: Context, incoming: IncomingMessage): RawRequest {
  const { rawHeaders } = incoming;
  return {
    ...commonParts(context, incoming.url ?? ""),
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    findRepeated: (names) => names.find((name) => countOf(name, rawHeaders) > 1),
    readBody: (take) => readStream(incoming, take),
  };
}

/** Node's message joins or drops the copies of a header; its raw list (name, value, name, value) still has them all. */
function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) count += 1;
  }
  return count;
}

function readStream(incoming: IncomingMessage, take: (chunk: Uint8Array) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (complete: boolean): void => {
      incoming.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      resolve(complete);
    };
    const onData = (chunk: Buffer): void => {
      if (take(chunk)) return;
      incoming.pause();
      finish(true);
    };
    const onEnd = (): void => finish(true);
    const onGone = (): void => finish(incoming.readableEnded);
    incoming.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
    if (incoming.readableEnded || incoming.destroyed) onGone();
  });
}

function fromWeb(context: Context): RawRequest {
  const { headers, body, url } = context.req.raw;
  return {
    ...commonParts(context, url),
    header: (name) => headers.get(name) ?? undefined,
    // Web headers are joined with ", ", which none of the headers that may stand once contains.
    findRepeated: (names) => names.find((name) => headers.get(name)?.includes(", ")),
    readBody: (take) => readWebStream(body, take),
  };
}

async function readWebStream(
  body: ReadableStream<Uint8Array> | null,
  take: (chunk: Uint8Array) => boolean,
): Promise<boolean> {
  const reader = body?.getReader();
  for (;;) {
    const read = await reader?.read().catch(() => null);
    if (read === null) return false;
    if (read === undefined || read.done) return true;
    if (!take(read.value)) {
      await reader?.cancel();
      return true;
    }
  }
}

function commonParts(context: Context, target: string): Pick<RawRequest, "method" | "path" | "search" | "signal"> {
  const query = target.indexOf("?");
  return {
    method: context.req.method,
    path: context.req.path,
    search: query === -1 ? "" : target.slice(query),
    signal: () => context.req.raw.signal,
  };
}
