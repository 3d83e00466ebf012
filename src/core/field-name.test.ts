import { describe, expect, it } from "vitest";
import { toFieldName } from "./field-name.ts";

describe("the name of a field", () => {
  it.each([
    "email",
    "first_name",
    "firstName",
    "address-line-2",
    "größe",
    "a/b",
    "x.y",
    "$ref",
    "First name",
    "0",
    "2024",
    "",
  ])("is the key %j itself", (key) => {
    expect(toFieldName(key)).toBe(key);
  });

  it.each([
    "jane@example.com",
    "What does jane@example.com want?",
    "07700900123",
    "AB12 34-56C",
    "two\nlines",
    "x".repeat(65),
  ])("is * for the key %j, which may be somebody's data", (key) => {
    expect(toFieldName(key)).toBe("*");
  });
});
