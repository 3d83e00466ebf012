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

  it("asks to wait for between a second and a minute, and less when the queue drains", () => {
    const gauge = new QueueGauge(100);
    gauge.set(100);
    expect(refusal(gauge)?.retryAfterMs).toBe(60_000);
    for (let at = 0; at < 10; at += 1) {
      gauge.set(100_000);
      gauge.set(100);
    }
    expect(refusal(gauge)?.retryAfterMs).toBe(1000);
  });
});
