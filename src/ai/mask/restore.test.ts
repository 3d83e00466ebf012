import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createStreamRestorer, restoreText, restoreValue } from "./index.ts";

const originals = { PERSON_1: "Jane", PERSON_12: "John", EMAIL_1: "PERSON_1", NI_NUMBER_1: "AB 12 34 56 C" };

test("the longest placeholder counts, unknown ones stay, and what is restored is not restored again", () => {
  expect(restoreText("PERSON_12, PERSON_1. PERSON_123 EMAIL_1 person_1 xPERSON_1y", originals)).toBe(
    "John, Jane. PERSON_123 PERSON_1 person_1 xJaney",
  );
  expect(restoreText("PERSON_1", Object.create({ PERSON_1: "inherited" }) as Record<string, string>)).toBe("PERSON_1");
});

test("every string of a value is restored, names of fields too, and nothing else is touched", () => {
  const date = new Date(0);
  const value = { PERSON_1: ["hi EMAIL_1", 1, null, { deep: "NI_NUMBER_1" }], date, flag: true };
  expect(restoreValue(value, originals)).toEqual({
    Jane: ["hi PERSON_1", 1, null, { deep: "AB 12 34 56 C" }],
    date,
    flag: true,
  });
  const hostile = JSON.parse('{"__proto__": {"polluted": "PERSON_1"}}') as object;
  expect(JSON.stringify(restoreValue(hostile, originals))).toBe('{"__proto__":{"polluted":"Jane"}}');
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});

test("a stream in any pieces gives what the whole text gives, and holds back no more than a placeholder", () => {
  const parts = fc.constantFrom(
    "PERSON_1",
    "PERSON_12",
    "PERSON_",
    "EMAIL_1",
    "NI_",
    "NI_NUMBER_1",
    "P",
    "1",
    "2",
    "_",
    " ",
    "😀",
    "ok",
  );
  const pieces = fc.array(fc.tuple(parts, fc.nat(3)), { maxLength: 20 });
  fc.assert(
    fc.property(pieces, (chosen) => {
      const text = chosen.map(([part]) => part).join("");
      const restorer = createStreamRestorer(originals);
      let given = "";
      let at = 0;
      for (const [, size] of chosen) {
        given += restorer.push(text.slice(at, at + size));
        at += size;
      }
      given += restorer.push(text.slice(at)) + restorer.end();
      expect(given).toBe(restoreText(text, originals));
    }),
    { numRuns: 2000 },
  );
});

test("a stream gives at once what cannot be a placeholder", () => {
  const restorer = createStreamRestorer(originals);
  expect(restorer.push("Dear PER")).toBe("Dear ");
  expect(restorer.push("SON_1")).toBe("");
  expect(restorer.push(", hello")).toBe("Jane, hello");
  expect(restorer.push(" PERSON_1")).toBe(" ");
  expect(restorer.end()).toBe("Jane");
});
