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

/** A flood of events becomes at most one reading of each list per this time. */
const listIntervalMs = 1000;
const runIntervalMs = 250;

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

/** Calls `run` soon after `ask`, and at most once per interval. */
function createThrottle(intervalMs: number, run: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastAt = 0;
  return {
    ask() {
      if (timer !== undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          lastAt = Date.now();
          run();
        },
        Math.max(30, lastAt + intervalMs - Date.now()),
      );
    },
    stop: () => clearTimeout(timer),
  };
}

/** Opens the stream of changes. `onRefused` is called a while after the server refused it. */
function connect(client: QueryClient, onRefused: () => void): () => void {
  const changedRuns = new Set<string>();
  const invalidate = (queryKey: string[]) => void client.invalidateQueries({ queryKey });
  const lists = createThrottle(listIntervalMs, () => {
    for (const key of ["runs", "overview", "flows", "flow"]) invalidate([key]);
  });
  const runs = createThrottle(runIntervalMs, () => {
    for (const id of changedRuns) invalidate(["run", id]);
    changedRuns.clear();
  });

  const source = new EventSource("/api/v1/changes");
  const onChange = (event: MessageEvent<string>) => {
    const { runId } = JSON.parse(event.data) as { runId: string | null };
    if (runId) {
      changedRuns.add(runId);
      runs.ask();
    }
    if (event.type.startsWith("run.")) lists.ask();
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
      invalidate([...sessionQuery.queryKey]);
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
    lists.stop();
    runs.stop();
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
