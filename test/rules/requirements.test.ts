import { describe, expect, it } from "vitest";
import { listFiles, readJson, readText } from "./files.ts";

interface Requirement {
  readonly id: string;
  readonly title: string;
  /** The version that first keeps it, or `later`. */
  readonly since: string;
}

const requirements = readJson("test/rules/requirements.json") as readonly Requirement[];
const due = requirements.filter(({ since }) => since !== "later");
const tests = listFiles("{src,test,examples}/**/*.test.ts");

/** A name of a test or a group that begins with citations: `it("[R1] [R3] never loses a lead"`. */
const citing = /\b(?:it|test|describe)\b(?:\.each\b[^"`]*)?\(\s*["`]((?:\[[A-Z]\d+\] )+)/g;

const citations = new Map<string, string[]>();
for (const path of tests) {
  for (const [, cited = ""] of readText(path).matchAll(citing)) {
    for (const [, id = ""] of cited.matchAll(/\[([A-Z]\d+)\]/g)) {
      citations.set(id, [...(citations.get(id) ?? []), path]);
    }
  }
}

describe("the promises", () => {
  it.each(due)("of $id are shown by tests: $title", ({ id }) => {
    expect(citations.get(id) ?? []).not.toEqual([]);
  });

  it("are cited by ids that exist", () => {
    const ids = requirements.map(({ id }) => id);
    expect([...citations].filter(([id]) => !ids.includes(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("that are for later, and those without a test, are these", (context) => {
    const open = requirements.filter(({ since }) => since === "later");
    const uncited = open.filter(({ id }) => !citations.has(id));
    void context.annotate(`for later: ${open.map(({ id }) => id).join(" ")}`);
    void context.annotate(`of them without a test yet: ${uncited.map(({ id }) => id).join(" ")}`);
    expect(open.every(({ title }) => title.length > 10)).toBe(true);
  });
});
