import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flow, type FlowOptions } from "./flow.ts";
import { queueingOf } from "./queueing.ts";

interface Order {
  readonly customer: string;
}

const queueing = (limits: Partial<FlowOptions<Order, null>>, customer = "ada") =>
  queueingOf(
    flow({
      name: "orders",
      trigger: { kind: "call", payload: z.object({ customer: z.string() }), samples: {} },
      run: async () => null,
      ...limits,
    }),
    { customer },
  );

const under = (key: (order: Order) => string, customer?: string) =>
  queueing({ concurrency: { limit: 1, key } }, customer).concurrencyKey;

describe("how a run is queued", () => {
  it.each([
    ["interactive", 0],
    ["standard", 1],
    ["batch", 2],
  ] as const)("ranks %s as %i", (priority, rank) => {
    expect(queueing({ priority }).priority).toBe(rank);
  });

  it("is standard and under no key unless the flow says so", () => {
    expect(queueing({})).toEqual({ priority: 1, concurrencyKey: null });
  });

  it("counts under the flow's key of the payload, or with all others of the flow", () => {
    expect(under(({ customer }) => customer)).toBe("ada");
    expect(queueing({ concurrency: { limit: 1 } }).concurrencyKey).toBe("");
    expect(queueing({ rate: { limit: 1, per: "1s" } }).concurrencyKey).toBe("");
  });

  it("keeps of a key what a database can, and accepts the event all the same when there is none", () => {
    expect(under(({ customer }) => customer, "a\u0000b\ud800")).toBe("ab\ufffd");
    expect(under(() => "x".repeat(600))).toHaveLength(500);
    expect(under(() => (undefined as unknown as { id: string }).id)).toBe("");
    expect(under(() => undefined as unknown as string)).toBe("");
  });
});
