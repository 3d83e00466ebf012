import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { gatewayApi, type CostKey, type LedgerFilter, type Period } from "./gateway-api.ts";

/** No event tells of limits: they are read again and again while they are looked at. */
export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: gatewayApi.models,
  refetchInterval: 3000,
});

export const costsQuery = (by: CostKey, period: Period) =>
  queryOptions({
    queryKey: ["costs", by, period.from.getTime(), period.to.getTime()],
    // What was told before stays until the new is there, and knows what it is told by.
    queryFn: async () => ({ by, ...(await gatewayApi.costs(by, period)) }),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });

export const ledgerQuery = (filter: LedgerFilter) =>
  infiniteQueryOptions({
    queryKey: ["ledger", filter],
    queryFn: ({ pageParam }) => gatewayApi.ledger(filter, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    // A subject is personal: what was found about one is not kept once the page is left.
    gcTime: 0,
  });
