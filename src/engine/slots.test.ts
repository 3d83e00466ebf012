import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";
import { Slots } from "./slots.ts";

function flooded(): Pace {
  const pace = new Pace();
  for (let event = 0; event < 200; event += 1) pace.note();
  return pace;
}

function taken(slots: Slots, count: number): number {
  for (let run = 0; run < count; run += 1) slots.take();
  return slots.room;
}

describe("the room for runs", () => {
  it("is what is free while events come in slowly", () => {
    expect(taken(new Slots(100, new Pace()), 99)).toBe(1);
  });

  it("is small in a flood, and given out by threes", () => {
    const slots = new Slots(100, flooded());
    expect(slots.room).toBe(8);
    expect(taken(slots, 5)).toBe(3);
    expect(taken(slots, 1)).toBe(0);
    slots.free();
    expect(slots.room).toBe(3);
  });

  it("of a process that executes few runs is given out by fewer, so that it never waits for all to end", () => {
    expect(taken(new Slots(1, flooded()), 0)).toBe(1);
    expect(taken(new Slots(3, flooded()), 1)).toBe(2);
    expect(taken(new Slots(3, flooded()), 2)).toBe(0);
  });
});
