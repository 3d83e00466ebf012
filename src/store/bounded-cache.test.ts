import { expect, it } from "vitest";
import { BoundedCache } from "./bounded-cache.ts";

it("keeps what is asked for again and again, and forgets what is not", () => {
  const cache = new BoundedCache<number, string>(10);
  cache.set(0, "kept");
  cache.set(-1, "forgotten");
  for (let key = 1; key <= 100; key += 1) {
    cache.set(key, "passing");
    expect(cache.get(0)).toBe("kept");
  }
  expect(cache.get(-1)).toBeUndefined();
  cache.delete(0);
  expect(cache.get(0)).toBeUndefined();
  expect(Array.from({ length: 9 }, (_, at) => cache.get(100 - at))).toEqual(Array(9).fill("passing"));
});
