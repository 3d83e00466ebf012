import { describe, expect, it } from "vitest";
import { minimise } from "./minimise.ts";

const payload = { answers: { "Your name": "Jane Smith", "What does jane@example.com want?": "a quote for pumps" } };

describe("where fields come from", () => {
  it("is told by the paths of the event, without keys that hold somebody's data", () => {
    const { origins, availableFields } = minimise({ name: "Jane Smith", wish: "a quote for pumps" }, payload);
    expect(origins).toEqual([
      { name: "name", sources: ["answers.Your name"] },
      { name: "wish", sources: ["answers.*"] },
    ]);
    expect(availableFields).toBe(2);
  });
});
