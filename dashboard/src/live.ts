import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { sessionQuery } from "./queries.ts";

/** Whether changes arrive as they happen. */
export type LiveState = "connecting" | "live" | "lost";

const topics = [
  ...["queued", "running", "waiting", "succeeded", "failed", "cancelled", "in_doubt", "duplicate"].map(
    (state) => `run.${state}`,
  ),
  ...["running", "waiting", "succeeded", "failed"].map((state) => `step.${state}`),
];

/** A flood of events becomes at most one reading of each list per this time, counted from the end of the one before. */
const listIntervalMs = 1000;
const runIntervalMs = 250;
/** Counting over all failed or queued runs costs more than reading a page of a list. */
const countIntervalMs = 2500;

/** How long a connection may be away before that is called a loss, and until a refused one is asked for again. */
const troubleMs = 5000;
const reconnectMs = 5000;

let state: LiveState = "connecting";
const listeners = new Set<() => void>();

function setState(next: LiveState): void {
  state = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The state of the live connection. */
export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => state);

/**
 * Calls `run` soon after `ask`, and once per interval at most. The next call waits for the one before: a reading that takes
 * longer than the interval would otherwise be begun anew for ever and never be shown.
 */
function createThrottle(intervalMs: number, run: () => Promise<unknown>) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastAt = 0;
  let busy = false;
  let asked = false;
  let stopped = false;
  function ask(): void {
    asked = true;
    if (busy || stopped || timer !== undefined) return;
    timer = setTimeout(() => void turn(), Math.max(30, lastAt + intervalMs - Date.now()));
  }
  async function turn(): Promise<void> {
    timer = undefined;
    asked = false;
    busy = true;
    await run().catch(() => {});
    busy = false;
    lastAt = Date.now();
    if (asked) ask();
  }
  function stop(): void {
    stopped = true;
    clearTimeout(timer);
  }
  return { ask, stop };
}

/** Opens the stream of changes. `onRefused` is called a while after the server refused it. */
function connect(client: QueryClient, onRefused: () => void): () => void {
  const changedRuns = new Set<string>();
  const invalidate = (queryKeys: string[][]) =>
    Promise.all(queryKeys.map((queryKey) => client.invalidateQueries({ queryKey })));
  const lists = createThrottle(listIntervalMs, () => invalidate([["runs"], ["overview"], ["flows"], ["flow"]]));
  const counts = createThrottle(countIntervalMs, () =>
    invalidate([["failures"], ["failure"], ["queue"], ["questions"]]),
  );
  const runs = createThrottle(runIntervalMs, () => {
    const changed = [...changedRuns].map((id) => ["run", id]);
    changedRuns.clear();
    return invalidate(changed);
  });

  const source = new EventSource("/api/v1/changes");
  const onChange = (event: MessageEvent<string>) => {
    const { runId } = JSON.parse(event.data) as { runId: string | null };
    if (runId) {
      changedRuns.add(runId);
      runs.ask();
    }
    if (!event.type.startsWith("run.")) return;
    lists.ask();
    counts.ask();
  };
  for (const topic of topics) source.addEventListener(topic, onChange);
  source.addEventListener("reset", () => void client.invalidateQueries());
  let trouble: ReturnType<typeof setTimeout> | undefined;
  source.addEventListener("open", () => {
    clearTimeout(trouble);
    trouble = undefined;
    setState("live");
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) {
      clearTimeout(trouble);
      setState("lost");
      // A refused stream is not tried again by the browser; the session tells whether it was for want of one.
      void invalidate([[...sessionQuery.queryKey]]);
      trouble = setTimeout(onRefused, reconnectMs);
    } else if (trouble === undefined) {
      // The server ends streams now and then; the browser comes back by itself, from where it was.
      setState("connecting");
      trouble = setTimeout(() => setState("lost"), troubleMs);
    }
  });
  return () => {
    source.close();
    clearTimeout(trouble);
    for (const throttle of [lists, counts, runs]) throttle.stop();
  };
}

/**
 * Keeps everything that is shown up to date while the calling component is mounted. A hidden page lets its stream go: a
 * browser holds few connections to one server, and a dozen forgotten tabs would block the one that is looked at.
 */
export function useLiveUpdates(client: QueryClient): void {
  useEffect(() => {
    let disconnect: (() => void) | null = null;
    const stop = () => {
      disconnect?.();
      disconnect = null;
    };
    const start = () => {
      stop();
      setState("connecting");
      disconnect = connect(client, restart);
    };
    const restart = () => {
      start();
      void client.invalidateQueries();
    };
    const onVisibility = () => (document.hidden ? stop() : restart());
    start();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      stop();
    };
  }, [client]);
}
