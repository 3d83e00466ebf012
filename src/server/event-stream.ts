import type { ChangeRecord } from "../store/index.ts";
import type { ChangeView } from "./api/schemas.ts";
import type { ChangeHub, ChangeListener } from "./change-hub.ts";

/** What {@link openEventStream} takes. */
export interface EventStreamOptions {
  readonly changes: ChangeHub;
  /** Id of the last event that the client got; null for a new client. */
  readonly lastEventId: string | null;
  /** Only events of this run; null: all. */
  readonly runId: string | null;
  /** Cuts the connection, for a client that does not read. */
  readonly disconnect: () => void;
  /** Default: {@link defaultTimes}. */
  readonly times?: StreamTimes;
}

/** Times of a stream in milliseconds. */
export interface StreamTimes {
  /** Between signs of life, so that proxies keep the connection and both sides notice when it is gone. */
  readonly heartbeatMs: number;
  /** A stream ends after this long. The client comes back by itself, and is asked again who it is. */
  readonly longestMs: number;
}

const defaultTimes: StreamTimes = { heartbeatMs: 15_000, longestMs: 5 * 60_000 };

/** How soon a client comes back, in milliseconds. */
const retryMs = 2000;

/** A client with this much unread is cut off; a page of 500 events is about a fifth of it. */
const mostUnreadBytes = 512 * 1024;

/**
 * Answers with a stream of live events. Each carries its cursor as id; signs of life carry the present one, so that a
 * client that got no event for long can still go on from there.
 *
 * @throws QUEUE_FULL, SHUTTING_DOWN, DATABASE_UNAVAILABLE
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function openEventStream(options: EventStreamOptions): Promise<Response> {
  const { changes, lastEventId, runId, times = defaultTimes } = options;
  const stream = createStream(options.disconnect);
  let place = "";
  const listener: ChangeListener = {
    onChanges(all, cursor) {
      place = cursor;
      const own = runId === null ? all : all.filter((change) => change.runId === runId);
      stream.write(own.map((change) => toEvent(change.cursor, toView(change))).join(""));
    },
    onReset(cursor) {
      place = cursor;
      stream.write(toEvent(cursor, { topic: "reset", runId: null, data: null, at: new Date().toISOString() }));
    },
    onEnd: () => stream.end(),
  };
  const subscription = await changes.subscribe(listener, lastEventId);
  place ||= subscription.cursor;
  const heartbeat = setInterval(() => stream.write(`:\nid: ${place}\n\n`), times.heartbeatMs);
  const end = setTimeout(() => stream.end(), times.longestMs);
  stream.onEnd(() => {
    clearInterval(heartbeat);
    clearTimeout(end);
    subscription.leave();
  });
  stream.write(`retry: ${retryMs}\nid: ${subscription.cursor}\n\n`);
  if (subscription.reset) listener.onReset(subscription.cursor);
  return new Response(stream.body, {
    // The last one asks nginx not to collect events before it passes them on.
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

function toEvent(id: string, view: ChangeView): string {
  return `id: ${id}\nevent: ${view.topic}\ndata: ${JSON.stringify(view)}\n\n`;
}

function toView({ topic, runId, data, at }: ChangeRecord): ChangeView {
  return { topic, runId, data, at: at.toISOString() };
}

/** A body that is written from outside. After its end, writes do nothing. */
function createStream(disconnect: () => void) {
  const encoder = new TextEncoder();
  const ended = new AbortController();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => void (controller = given),
      cancel: () => ended.abort(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: mostUnreadBytes }),
  );
  function end(): void {
    if (ended.signal.aborted) return;
    ended.abort();
    controller?.close();
  }
  return {
    body,
    end,
    write(text: string): void {
      if (ended.signal.aborted || text === "") return;
      controller?.enqueue(encoder.encode(text));
      if ((controller?.desiredSize ?? 0) > 0) return;
      end();
      disconnect();
    },
    /** Calls back once, however it ends; at once when it has ended. */
    onEnd(callback: () => void): void {
      if (ended.signal.aborted) callback();
      else ended.signal.addEventListener("abort", callback, { once: true });
    },
  };
}
