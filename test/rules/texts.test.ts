import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { listFiles, readText } from "./files.ts";

const thisFile = "test/rules/texts.test.ts";
const documents = listFiles("**/*.md");
const texts = [...listFiles("**/*.{ts,tsx,css,html,json,jsonc,cjs,md}"), ".npmrc", ".ci/run"];

/** What only holds on the machine where it was written, or points at one host of packages. */
const places = [/(?<![\w.])\/work\//, /(?<![\w.])\/root\//, /(?<![\w.])\/home\/\w/, /registry\.npmjs\.org/];

describe("no file", () => {
  it("names a place on its author's machine, or a host of packages", () => {
    const found = texts
      .filter((path) => path !== thisFile)
      .flatMap((path) => places.filter((place) => place.test(readText(path))).map((place) => `${path}: ${place}`));
    expect(found).toEqual([]);
    expect(texts.length).toBeGreaterThan(300);
  });

  it("switches off the limits of size", () => {
    const limits = /oxlint-disable(-next-line|-line)?[^\n]*\bmax-/;
    expect(texts.filter((path) => path !== thisFile && limits.test(readText(path)))).toEqual([]);
  });
});

/** Targets of the links and pictures of a document, but for those elsewhere. */
function linksOf(path: string): string[] {
  const text = readText(path).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, "");
  const found = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)];
  return found.map(([, link, attribute]) => link ?? attribute ?? "").filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that a document's headings get. */
function anchorsOf(path: string): Set<string> {
  const headings = [...readText(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("links of documents", () => {
  it.each(documents)("of %s lead somewhere", (path) => {
    const broken = linksOf(path).filter((link) => {
      const [target = "", anchor] = link.split("#");
      const file = target === "" ? path : join(dirname(path), target);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).has(anchor));
    });
    expect(broken).toEqual([]);
  });

  it("are found at all", () => {
    expect(documents.flatMap(linksOf).length).toBeGreaterThan(10);
  });
});
