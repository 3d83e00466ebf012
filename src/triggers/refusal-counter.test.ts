import { describe, expect, it } from "vitest";
import { createRefusalCounter } from "./refusal-counter.ts";

describe("the counter of refusals", () => {
  it("writes what it counted together, and again what could not be written", async () => {
    const written: [string, string, number][] = [];
    let isAway = true;
    let failures = 0;
    const counter = createRefusalCounter({
      async write(...row) {
        if (isAway) throw new Error("away");
        written.push(row);
      },
      onFailed: () => (failures += 1),
    });
    for (let at = 0; at < 3; at += 1) counter.count("leads", "QUEUE_FULL");
    counter.count("crm/leads", "SIGNATURE_INVALID");
    await expect.poll(() => failures).toBeGreaterThanOrEqual(2);
    isAway = false;
    counter.count("leads", "QUEUE_FULL");
    await counter.close();
    expect(new Map(written.map(([path, code, times]) => [`${path} ${code}`, times]))).toEqual(
      new Map([
        ["leads QUEUE_FULL", 4],
        ["crm/leads SIGNATURE_INVALID", 1],
      ]),
    );
  });
});
