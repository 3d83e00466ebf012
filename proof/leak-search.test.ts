import { describe, expect, it } from "vitest";
import { findLeaks } from "./leak-search.ts";
import { makePeople, type Planted } from "./leak-values.ts";

const value = 'Ada "Bee" Quill/7+';
const planted: readonly Planted[] = [{ name: "the value", forms: ["not there", value] }];
const base64At = (offset: number) => Buffer.from(`${"x".repeat(offset)}${value} and more`).toString("base64");

describe("the search for planted values", () => {
  it.each([
    ["as it is", `before ${value} after`],
    ["in other case", value.toUpperCase()],
    ["in JSON", JSON.stringify({ value })],
    ["in JSON inside of JSON", JSON.stringify({ body: JSON.stringify({ value }) })],
    ["in a URL", `https://example.com/?q=${encodeURIComponent(value)}`],
    ["in hexadecimal digits", Buffer.from(`..${value}..`).toString("hex")],
    ["in capital hexadecimal digits", Buffer.from(value).toString("hex").toUpperCase()],
    ["in base64", base64At(0)],
    ["in base64 one byte on", base64At(1)],
    ["in base64 two bytes on", base64At(2)],
    ["in base64url", base64At(0).replaceAll("+", "-").replaceAll("/", "_")],
  ])("finds one %s", (_form, text) => {
    expect(findLeaks(new Map([["a log", text]]), planted)).toEqual([{ place: "a log", value: "the value" }]);
  });

  it("finds nothing where there is nothing", () => {
    expect(findLeaks(new Map([["a log", "Ada Quill, base64 QWRhIFF1aWxs"]]), planted)).toEqual([]);
  });

  it("is given two people with fourteen values each, all of which stand in what they write", () => {
    for (const { lead, values } of makePeople(7)) {
      expect(values).toHaveLength(14);
      const found = findLeaks(new Map([["lead", JSON.stringify(lead)]]), values);
      expect(found.map(({ value: name }) => name)).toEqual(values.map(({ name }) => name));
    }
  });
});
