import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LivenessWatch, lockFreeForMs, longestGapMs, silentForMs } from "./liveness.ts";

const sight = (beat: number, lockFree = false, executor = "exe_a") => ({ executor, beat, lockFree });
const second = 1000;

describe("the watch over other processes", () => {
  it("takes a process for dead once its lock has been free between two looks", () => {
    const watch = new LivenessWatch();
    expect(watch.look([sight(1)], 0)).toEqual([]);
    expect(watch.look([sight(1, true)], second)).toEqual([]);
    expect(watch.look([sight(1, true)], 2 * second)).toEqual(["exe_a"]);
  });

  it("spares one whose connection broke and that beats on", () => {
    const watch = new LivenessWatch();
    watch.look([sight(1, true)], 0);
    watch.look([sight(2, true)], 0.5 * second);
    expect(watch.look([sight(2, true)], second)).toEqual([]);
    expect(watch.look([sight(3)], 2 * second)).toEqual([]);
    expect(watch.look([sight(3, true)], 3 * second)).toEqual([]);
  });

  it("takes a frozen one for dead when its beat stood still, although its lock is held", () => {
    const watch = new LivenessWatch();
    const looks = silentForMs / second;
    for (let at = 0; at < looks; at += 1) expect(watch.look([sight(7)], at * second)).toEqual([]);
    expect(watch.look([sight(7)], silentForMs)).toEqual(["exe_a"]);
  });

  it("judges nobody after it was away itself", () => {
    const watch = new LivenessWatch();
    watch.look([sight(1)], 0);
    const backMs = longestGapMs + 60 * second;
    expect(watch.look([sight(1, true)], backMs)).toEqual([]);
    expect(watch.look([sight(2)], backMs + second)).toEqual([]);
  });

  it("[R1] finds every dead process in time, and no living one, whatever the times of looks and beats", () => {
    const schedule = fc.array(fc.integer({ min: 200, max: longestGapMs }), { minLength: 30, maxLength: 80 });
    fc.assert(
      fc.property(schedule, fc.nat(20), fc.boolean(), (gaps, diesAt, freesLock) => {
        const watch = new LivenessWatch();
        let nowMs = 0;
        let diedAtMs = Infinity;
        for (const [at, gap] of gaps.entries()) {
          nowMs += gap;
          if (at === diesAt) diedAtMs = nowMs;
          const isDead = nowMs >= diedAtMs;
          // The living one beats at least at every look; a dead one never again.
          const sights = [sight(at, false, "exe_b"), sight(Math.min(at, diesAt), isDead && freesLock)];
          const dead = watch.look(sights, nowMs);
          const dueMs = diedAtMs + (freesLock ? lockFreeForMs : silentForMs) + longestGapMs;
          // Certainly found when due, and nobody else ever.
          expect(dead.filter((executor) => !isDead || executor !== "exe_a")).toEqual([]);
          expect(dead.length).toBeGreaterThanOrEqual(nowMs >= dueMs ? 1 : 0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
