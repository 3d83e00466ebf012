import type { Socket } from "node:net";

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
}

/**
 * Reads one HTTP answer to its end, for generators of load, which a client with all its checks would slow down. The
 * service answers with a content-length.
 *
 * @throws Error when the connection ends first.
 */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const end = (outcome: () => void): void => {
      socket.off("data", take).off("close", fail);
      outcome();
    };
    const fail = (): void => end(() => reject(new Error("the service closed the connection")));
    const take = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      const headEnd = text.indexOf("\r\n\r\n");
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (headEnd < 0 || text.length < headEnd + 4 + length) return;
      const [head, body] = [text.slice(0, headEnd), text.slice(headEnd + 4)];
      end(() => resolve({ status: Number(text.slice(9, 12)), head, body }));
    };
    if (socket.destroyed) return fail();
    socket.on("data", take).on("close", fail);
  });
}
