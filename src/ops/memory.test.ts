import { describe, expect, it } from "vitest";
import { giveMemoryBack } from "./memory.ts";

describe("memory", () => {
  it("that work left behind is given back when the process idles", async () => {
    const memory = giveMemoryBack();
    let garbage: string[][] | null = Array.from({ length: 400 }, (_item, row) =>
      Array.from({ length: 2000 }, (_value, at) => `${row}/${at}`),
    );
    const before = process.memoryUsage().heapUsed;
    expect(garbage).toHaveLength(400);
    garbage = null;
    await expect.poll(() => before - process.memoryUsage().heapUsed, { timeout: 15_000 }).toBeGreaterThan(20e6);
    memory.close();
  });
});
