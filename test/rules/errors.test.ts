import { describe, expect, it } from "vitest";
import { type ErrorCode, errorCodes } from "../../src/core/index.ts";
import { listFiles, readText } from "./files.ts";

const codes = Object.keys(errorCodes) as ErrorCode[];
/** Each heading with the text below it. */
const sections = new Map(
  readText("docs/errors.md")
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section.slice(section.indexOf("\n"))]),
);
const sources = listFiles("src/**/*.ts")
  .filter((path) => !/\.test\.ts$|\/fixtures\/|^src\/core\/errors\.ts$/.test(path))
  .map(readText)
  .join("\n");

/** The check of Node's version cannot load the registry: it runs on Nodes that do not know TypeScript. */
const writtenOut: readonly ErrorCode[] = ["NODE_TOO_OLD"];

describe("the document of errors", () => {
  it("has a heading for each code and for nothing else", () => {
    expect([...sections.keys()].toSorted()).toEqual(codes.toSorted());
  });

  it.each(codes)("says of %s what it means, its HTTP status, and whether it is tried again", (code) => {
    const text = sections.get(code) ?? "";
    const { status, retryable } = errorCodes[code];
    const [meaning = "", facts] = text.trim().split("\n\n");
    expect(meaning.length).toBeGreaterThan(40);
    expect(facts).toBe(`HTTP ${status}${retryable ? "; tried again" : ""}.`);
  });
});

describe("the registry of errors", () => {
  it("has no code that nothing can answer with", () => {
    const dead = codes.filter((code) => !sources.includes(`"${code}"`) && !writtenOut.includes(code));
    expect(dead).toEqual([]);
    for (const code of writtenOut) expect(sources).toContain(code);
  });
});
