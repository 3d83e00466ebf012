/** What {@link capBody} takes. */
export interface BodyLimits {
  /** Bytes after decompression. */
  readonly maxBytes: number;
  /** Gives the error that the reader sees when there are more. */
  readonly tooLarge: () => Error;
  /** Gives the error that the reader sees in place of the transport's. */
  readonly toError: (thrown: unknown) => unknown;
  /** Called once, when the body was read to its end, failed, or was given up. */
  readonly onEnd: () => void;
}

/** Passes a body on, chunk by chunk as it is read, and fails it when it grows over the limit. */
export function capBody(body: AsyncIterable<Uint8Array>, limits: BodyLimits): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  let received = 0;
  const fail = (controller: ReadableStreamDefaultController, error: unknown): void => {
    limits.onEnd();
    controller.error(error);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next();
          if (next.done === true) {
            limits.onEnd();
            controller.close();
            return;
          }
          received += next.value.byteLength;
          if (received <= limits.maxBytes) return controller.enqueue(next.value);
        } catch (thrown) {
          return fail(controller, limits.toError(thrown));
        }
        // Giving the rest up closes the socket: nothing more is received.
        await chunks.return?.().catch(() => undefined);
        fail(controller, limits.tooLarge());
      },
      async cancel() {
        limits.onEnd();
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
