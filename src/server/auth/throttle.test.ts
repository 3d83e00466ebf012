import { describe, expect, it } from "vitest";
import { SluiceError } from "../../core/index.ts";
import { createThrottle } from "./throttle.ts";

function waitOf(run: () => void): number {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown.retryAfterMs ?? -1;
    throw thrown;
  }
  return 0;
}

describe("the throttle", () => {
  it("doubles the wait with each try beyond the free ones, up to five minutes", () => {
    let now = 0;
    const throttle = createThrottle(() => now);
    const waits: number[] = [];
    for (let round = 0; round < 13; round += 1) {
      throttle.take([{ key: "a", free: 3 }]);
      const wait = waitOf(() => throttle.take([{ key: "a", free: 3 }]));
      if (wait === 0) continue;
      waits.push(wait);
      now += wait;
    }
    expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(Math.max(...waits)).toBe(300_000);
  });

  it("does not count tries that it refused", () => {
    let now = 0;
    const throttle = createThrottle(() => now);
    throttle.take([{ key: "a", free: 1 }]);
    for (let round = 0; round < 5; round += 1) expect(waitOf(() => throttle.take([{ key: "a", free: 1 }]))).toBe(1000);
    now = 1000;
    expect(waitOf(() => throttle.take([{ key: "a", free: 1 }]))).toBe(0);
  });

  it("forgets after a quarter of an hour, and at once when told to", () => {
    let now = 0;
    const throttle = createThrottle(() => now);
    const take = () => throttle.take([{ key: "a", free: 1 }]);
    take();
    expect(waitOf(take)).toBe(1000);
    throttle.forget("a");
    expect(waitOf(take)).toBe(0);
    now += 15 * 60_000;
    expect(waitOf(take)).toBe(0);
    expect(waitOf(take)).toBe(1000);
  });

  it("gives a try back to an address that somebody welcome used", () => {
    const throttle = createThrottle(() => 0);
    for (let round = 0; round < 10; round += 1) {
      throttle.take([{ key: "office", free: 2 }]);
      throttle.giveBack("office");
    }
    expect(waitOf(() => throttle.take([{ key: "office", free: 2 }]))).toBe(0);
  });

  it("remembers no more keys than it may, and drops the ones untouched for longest", () => {
    const throttle = createThrottle(() => 0, 2);
    const take = (key: string) => throttle.take([{ key, free: 1 }]);
    for (const key of ["a", "b", "c"]) take(key);
    expect(waitOf(() => take("b"))).toBe(1000);
    expect(waitOf(() => take("a"))).toBe(0);
  });
});
