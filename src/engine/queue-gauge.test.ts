import { describe, expect, it } from "vitest";
import { SluiceError } from "../core/index.ts";
import { QueueGauge } from "./queue-gauge.ts";

function refusal(gauge: QueueGauge): SluiceError | null {
  try {
    gauge.check();
    return null;
  } catch (error) {
    return error as SluiceError;
  }
}

describe("the gauge of the queue", () => {
  it("counts what was queued here since the last count, and refuses above the limit", () => {
    const gauge = new QueueGauge(3);
    gauge.set(1);
    expect(refusal(gauge)).toBeNull();
    gauge.add();
    gauge.add();
    expect(gauge.length).toBe(3);
    expect(refusal(gauge)).toMatchObject({ code: "QUEUE_FULL", status: 503, retryable: true });
    gauge.set(2);
    expect(refusal(gauge)).toBeNull();
  });

  it("asks to wait for one to three seconds as long as it knows nothing, and then as the queue drains", () => {
    const gauge = new QueueGauge(100);
    gauge.set(100);
    const first = Array.from({ length: 50 }, () => refusal(gauge)?.retryAfterMs ?? 0);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...first)).toBeLessThanOrEqual(3000);
    // Not all come back together.
    expect(new Set(first).size).toBeGreaterThan(10);
  });
});
