import { connect } from "node:net";

/** An HTTP request as bytes, for what a proper client refuses to send. */
export interface RawRequest {
  /** Request line and headers, without the empty line. */
  readonly head: readonly string[];
  readonly body?: Buffer;
  /** Sends the body in chunks of this size instead of with a length. */
  readonly chunkBytes?: number;
}

/** What came back. */
export interface RawAnswer {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  readonly text: string;
}

const patienceMs = 10_000;

/** Sends a request over a connection of its own. Reads while it writes: an answer may come before the body is through. */
export function sendRaw(origin: string, { head, body = Buffer.alloc(0), chunkBytes }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const framing = chunkBytes === undefined ? `content-length: ${body.length}` : "transfer-encoding: chunked";
  const lines = [head[0] ?? "", `host: ${hostname}:${port}`, "connection: close", framing, ...head.slice(1)];
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let received = "";
    const finish = (): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(parse(received));
    };
    const late = setTimeout(finish, patienceMs);
    socket.setEncoding("latin1").on("data", (text: string) => (received += text));
    // A server that has refused may end the connection while the body is still being sent.
    socket.on("error", finish).on("close", finish);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    for (const part of frame(body, chunkBytes)) socket.write(part);
  });
}

function* frame(body: Buffer, chunkBytes: number | undefined): Generator<Buffer | string> {
  if (chunkBytes === undefined) {
    yield body;
    return;
  }
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    yield `${chunk.length.toString(16)}\r\n`;
    yield chunk;
    yield "\r\n";
  }
  yield "0\r\n\r\n";
}

function parse(received: string): RawAnswer {
  const end = received.indexOf("\r\n\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0),
    text: end < 0 ? "" : Buffer.from(received.slice(end + 4), "latin1").toString("utf8"),
  };
}
