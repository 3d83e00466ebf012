import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { api, type Role, type RunFilter } from "./api.ts";
import { readRuns } from "./run-batch.ts";

/*
 * What the pages read. Live events make these stale (live.ts), so nothing polls except where no event tells.
 */

export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: api.session, staleTime: 300_000 });

export const statusQuery = queryOptions({ queryKey: ["status"], queryFn: api.status, staleTime: 60_000 });

export const overviewQuery = queryOptions({ queryKey: ["overview"], queryFn: api.overview, refetchInterval: 60_000 });

export const flowsQuery = queryOptions({ queryKey: ["flows"], queryFn: api.flows });

export const flowQuery = (name: string) => queryOptions({ queryKey: ["flow", name], queryFn: () => api.flow(name) });

export const runQuery = (id: string) => queryOptions({ queryKey: ["run", id], queryFn: () => api.run(id) });

/** Failures of one kind together. */
export const failuresQuery = queryOptions({ queryKey: ["failures"], queryFn: api.failures, refetchInterval: 60_000 });

export const failureQuery = (fingerprint: string) =>
  queryOptions({ queryKey: ["failure", fingerprint], queryFn: () => api.failure(fingerprint) });

/** What runs ask people: whether an effect happened, for an answer, for money. */
export const questionsQuery = queryOptions({
  queryKey: ["questions"],
  queryFn: api.questions,
  refetchInterval: 60_000,
});

/** Runs that begin and end tell of themselves; processes that die do not. */
export const queueQuery = queryOptions({ queryKey: ["queue"], queryFn: api.queue, refetchInterval: 5000 });

/** Runs read anew, for a preview of what is about to be done with them. */
export const freshRunsQuery = (ids: readonly string[]) =>
  queryOptions({ queryKey: ["preview", ...ids], queryFn: () => readRuns(ids), staleTime: 0, gcTime: 0 });

export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: api.keys });

export const runsQuery = (filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ["runs", filter],
    queryFn: ({ pageParam }) => api.runs(filter, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

const permitted: { readonly [right in "act" | "keys" | "audit" | "erase"]: readonly Role[] } = {
  act: ["admin", "builder", "operator"],
  keys: ["admin"],
  audit: ["admin", "auditor"],
  erase: ["admin"],
};

/** Whether the signed-in person may start, resume and cancel runs (`act`), manage keys (`keys`), read the ledger (`audit`), or `erase` people from it. The server decides again. */
export function useMay(right: keyof typeof permitted): boolean {
  const { data: user } = useQuery(sessionQuery);
  return user !== undefined && permitted[right].includes(user.role);
}
