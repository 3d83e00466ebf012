import { describe, expect, test } from "vitest";
import { mustAppearIn } from "./checks.ts";

describe("a check that texts appear in the source", () => {
  const source = "We  need\n500 seats before the END of March.";
  const check = mustAppearIn(source, (answer: { quotes: string[] }) => answer.quotes);

  test("holds for what stands there, whatever its white space and capitals", () => {
    expect(check({ quotes: ["need 500 seats", "the end of march"] })).toBe(true);
    expect(check({ quotes: [] })).toBe(true);
  });

  test("names what does not stand there", () => {
    expect(check({ quotes: ["500 seats", "600 seats"] })).toBe(
      'These do not stand in the source word for word: "600 seats".',
    );
  });

  test("takes one text as well", () => {
    const one = mustAppearIn(source, (answer: string) => answer);
    expect([one("March"), one("April")]).toEqual([true, expect.stringContaining('"April"')]);
  });
});
