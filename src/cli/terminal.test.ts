import * as fc from "fast-check";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { formatTable } from "./table.ts";
import { createTerminal, textOf, toned } from "./terminal.ts";
import { agoText, durationText } from "./time-text.ts";

function createStreams(isTTY: boolean) {
  const stream = () => Object.assign(new PassThrough(), { isTTY });
  return { stdin: stream(), stdout: stream(), stderr: stream() };
}

describe("the terminal", () => {
  it("lets no data steer it: control characters are shown as escapes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (data) => {
        const streams = createStreams(false);
        createTerminal(streams).print(data, toned("bad", data));
        streams.stdout.end();
        const printed = stripVTControlCharacters(await text(streams.stdout));
        // oxlint-disable-next-line no-control-regex
        expect(printed).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
      }),
      { numRuns: 200 },
    );
  });

  it("prints JSON that gives back the same value", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const streams = createStreams(false);
        createTerminal(streams).printJson(value);
        streams.stdout.end();
        expect(JSON.stringify(JSON.parse(await text(streams.stdout)))).toBe(JSON.stringify(value));
      }),
      { numRuns: 100 },
    );
  });

  it("shows progress as one changing line on a terminal, and as lines elsewhere", async () => {
    const shown: string[] = [];
    for (const isTTY of [true, false]) {
      const streams = createStreams(isTTY);
      const terminal = createTerminal(streams);
      terminal.progress("one");
      terminal.progress("two");
      terminal.progress(null);
      terminal.tell("done");
      streams.stderr.end();
      shown.push(stripVTControlCharacters(await text(streams.stderr)));
    }
    expect(shown).toEqual(["one ...\rtwo ...\rdone\n", "one\ntwo\ndone\n"]);
  });

  it("takes anything but yes for no", async () => {
    for (const [answer, expected] of [
      ["y\n", true],
      ["YES\n", true],
      ["\n", false],
      ["yeah\n", false],
    ] as const) {
      const streams = createStreams(true);
      const question = createTerminal(streams).confirm("Sure?");
      streams.stdin.write(answer);
      expect(await question).toBe(expected);
    }
  });
});

const toLines = (lines: ReturnType<typeof formatTable>) => lines.map((line) => line.map(textOf).join(""));

describe("a table", () => {
  it("aligns columns by their widest cell, numbers by their end, and leaves no space behind", () => {
    const rows = [
      ["a", "10", toned("good", "ok")],
      ["long one", "7", ["in ", toned("bad", "parts")]],
    ];
    expect(toLines(formatTable(rows, { headings: ["name", "n", ""], numbers: [1] }))).toEqual([
      "name       n  ",
      "a         10  ok",
      "long one   7  in parts",
    ]);
  });
});

describe("times", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [59_400, "59 s"],
    [59_600, "1 min"],
    [250_000, "4 min 10 s"],
    [12_000_000, "3 h 20 min"],
    [187_200_000, "2 d 4 h"],
  ])("%d ms is %s", (ms, expected) => expect(durationText(ms)).toBe(expected));

  it("tells how long ago something was, and the date from a day on", () => {
    const now = new Date(2026, 2, 9, 14, 5, 33);
    const ago = (seconds: number) => agoText(new Date(now.getTime() - seconds * 1000), now);
    expect([0, 12, 61, 3 * 3600, 86_400].map(ago)).toEqual([
      "just now",
      "12 s ago",
      "1 min ago",
      "3 h ago",
      "2026-03-08 14:05",
    ]);
  });
});
