import { describe, expect, it } from "vitest";
import { Cleanup } from "./cleanup.ts";

describe("closing", () => {
  it("goes backwards, tries all, and tells the first failure", async () => {
    const closed: string[] = [];
    const cleanup = new Cleanup();
    cleanup.add(() => void closed.push("first"));
    cleanup.add(() => {
      throw new Error("the middle one does not close");
    });
    cleanup.add(async () => void closed.push("last"));
    await expect(cleanup.close()).rejects.toThrow("the middle one does not close");
    expect(closed).toEqual(["last", "first"]);
  });

  it("happens once", async () => {
    let closed = 0;
    const cleanup = new Cleanup();
    cleanup.add(() => void (closed += 1));
    await cleanup.close();
    await cleanup.close();
    expect(closed).toBe(1);
  });

  it("is left to the caller when opening went well", async () => {
    let closed = 0;
    const opened = await Cleanup.during(async (cleanup) => {
      cleanup.add(() => void (closed += 1));
      return cleanup;
    });
    expect(closed).toBe(0);
    await opened.close();
    expect(closed).toBe(1);
  });

  it("follows a failure half-way, which is what the caller hears of", async () => {
    let closed = 0;
    const opening = Cleanup.during(async (cleanup) => {
      cleanup.add(() => void (closed += 1));
      cleanup.add(() => {
        throw new Error("nor does it close");
      });
      throw new Error("the second part does not open");
    });
    await expect(opening).rejects.toThrow("the second part does not open");
    expect(closed).toBe(1);
  });
});
