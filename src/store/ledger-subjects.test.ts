import { describe, expect, it } from "vitest";
import { candidateIndexes, erasureDigest, subjectIndex, subjectIndexes } from "./ledger-subjects.ts";

/** Shows what is indexed, which the real one is there to hide. */
const open = { blindIndex: (kind: string, value: string) => `${kind}=${value}` };

const digest = (text: string): string => erasureDigest(candidateIndexes(open, text));

describe("the blind index of a person", () => {
  it.each([
    ["email", " Jane.Doe@Company.COM ", "jane.doe@company.com"],
    ["email", "jane@company.com", "ｊane@company.com"],
    ["phone", "+44 20 7946 0958", "(020) 7946-0958"],
    ["phone", "0044 20 79460958", "020 7946 0958"],
    ["name", "Doe, Jane", "jane  DOE"],
    ["name", "José Núñez", "Jose Nunez"],
    ["name", "O'Neil", "o’neil"],
    ["id", "QQ 12 34 56 C", "qq123456c"],
    ["id", "GB33 BUKB 2020 1555 5555 55", "GB33-BUKB-20201555555555"],
  ] as const)("of kind %s is the same for %j and %j", (kind, one, other) => {
    expect(subjectIndex(open, kind, one)).not.toBeNull();
    expect(subjectIndex(open, kind, one)).toBe(subjectIndex(open, kind, other));
  });

  it("differs for different people, and for the same text of different kinds", () => {
    expect(subjectIndex(open, "email", "jane@a.com")).not.toBe(subjectIndex(open, "email", "jane@b.com"));
    expect(subjectIndex(open, "phone", "020 7946 0958")).not.toBe(subjectIndex(open, "phone", "020 7946 0959"));
    expect(subjectIndex(open, "name", "Jane")).not.toBe(subjectIndex(open, "id", "Jane"));
  });

  it("does not exist for a text that cannot be of its kind", () => {
    expect(subjectIndex(open, "email", "jane")).toBeNull();
    expect(subjectIndex(open, "phone", "12345")).toBeNull();
    expect(subjectIndex(open, "phone", "order 12345678")).toBeNull();
    expect(subjectIndex(open, "name", " - ")).toBeNull();
  });

  it("is made of the values that masking finds and that tell a person from others, each once", () => {
    const values = [
      { kind: "EMAIL", value: "jane@company.com" },
      { kind: "EMAIL", value: "JANE@company.com" },
      { kind: "PERSON", value: "Jane Doe" },
      { kind: "COMPANY", value: "Company" },
      { kind: "POSTCODE", value: "SW1A 1AA" },
    ] as const;
    expect(subjectIndexes(open, values)).toEqual(["subject.email=jane@company.com", "subject.name=doe jane"]);
  });

  it.each([
    ["EMAIL", "jane@company.com"],
    ["PHONE", "+44 20 7946 0958"],
    ["PERSON", "Jane Doe"],
    ["NHS_NUMBER", "943 476 5919"],
  ] as const)("of a %s is among those tried for the text as somebody types it", (kind, value) => {
    expect(candidateIndexes(open, ` ${value.toUpperCase()}`)).toEqual(
      expect.arrayContaining(subjectIndexes(open, [{ kind, value }])),
    );
  });

  it("leads to one digest for an erasure, however the person is written", () => {
    expect(digest("Jane@company.com")).toBe(digest("jane@COMPANY.com "));
    expect(digest("jane@company.com")).not.toBe(digest("john@company.com"));
  });
});
