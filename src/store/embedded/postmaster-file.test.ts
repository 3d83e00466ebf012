import { assert, nat, property, string } from "fast-check";
import { expect, test } from "vitest";
import { parsePostmasterFile } from "./postmaster-file.ts";

const file = (status: string): string =>
  ["4711", "/data", "1764000000", "5433", "", "127.0.0.1", "  12345   678", status, ""].join("\n");

test("reads pid, port and status", () => {
  expect(parsePostmasterFile(file("ready   "))).toEqual({ pid: 4711, port: 5433, isReady: true });
  expect(parsePostmasterFile(file("starting"))).toEqual({ pid: 4711, port: 5433, isReady: false });
});

test("an incomplete file is none", () => {
  expect(parsePostmasterFile("")).toBeUndefined();
  expect(parsePostmasterFile("4711\n/data\n")).toBeUndefined();
});

test("never takes nonsense for a server", () => {
  assert(
    property(string(), (text) => {
      const parsed = parsePostmasterFile(text);
      return parsed === undefined || (parsed.pid > 0 && parsed.port > 0);
    }),
  );
  assert(
    property(nat(10), (lines) => {
      const cut = file("ready").split("\n").slice(0, lines).join("\n");
      expect(parsePostmasterFile(cut)?.isReady ?? false).toBe(lines >= 8);
    }),
  );
});
