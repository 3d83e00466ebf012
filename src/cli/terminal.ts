import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

/** How a piece of text is coloured. The words say the same, so that nothing is lost without colour. */
export type Tone = "strong" | "faint" | "good" | "busy" | "notable" | "bad";

/** A piece of a line. Control characters in it are made visible, so that no data can steer the terminal. */
export type Span = string | { readonly text: string; readonly tone: Tone };

/** Where a command talks to people and programs. */
export interface Terminal {
  /** Whether standard error is a terminal, where a person reads. */
  readonly isWatched: boolean;
  /** Whether that person can be asked. */
  readonly canAsk: boolean;
  /** A line of the answer, on standard output. */
  print(...line: readonly Span[]): void;
  /** One JSON document on standard output. */
  printJson(value: unknown): void;
  /** A line beside the answer, on standard error. */
  tell(...line: readonly Span[]): void;
  /** Shows what is being done: one line that changes on a terminal, else a line each. Null: it is done. */
  progress(text: string | null): void;
  /** Asks for a yes or no. Anything but yes is no. */
  confirm(question: string): Promise<boolean>;
}

/** The streams of a process. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

const formats = {
  strong: "bold",
  faint: "dim",
  good: "green",
  busy: "cyan",
  notable: "yellow",
  bad: "red",
} as const satisfies { readonly [name in Tone]: string };

/** Gives a text a tone. */
export function toned(tone: Tone, text: string): Span {
  return { text, tone };
}

/** The text of a span. */
export function textOf(span: Span): string {
  return typeof span === "string" ? span : span.text;
}

/** Talks on streams; with colour where the stream is a terminal, or as NO_COLOR and FORCE_COLOR say. */
export function createTerminal({ stdin, stdout, stderr }: Streams): Terminal {
  let shown = "";
  const eraseProgress = (): void => {
    if (shown) stderr.write("\r\u001B[2K");
  };
  for (const stream of [stdout, stderr]) stream.on("error", ignoreClosedPipe);
  return {
    isWatched: stderr.isTTY === true,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    print(...line) {
      eraseProgress();
      stdout.write(`${render(line, stdout)}\n`);
      if (shown) stderr.write(shown);
    },
    printJson(value) {
      stdout.write(`${toVisibleJson(value)}\n`);
    },
    tell(...line) {
      eraseProgress();
      stderr.write(`${render(line, stderr)}\n${shown}`);
    },
    progress(text) {
      eraseProgress();
      shown = text !== null && stderr.isTTY ? render([toned("faint", `${text} ...`)], stderr) : "";
      if (shown) stderr.write(shown);
      else if (text !== null) stderr.write(`${text}\n`);
    },
    async confirm(question) {
      const asking = createInterface({ input: stdin, output: stderr });
      try {
        return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim());
      } catch {
        // Ctrl-C or Ctrl-D instead of an answer.
        stderr.write("\n");
        return false;
      } finally {
        asking.close();
      }
    },
  };
}

function render(line: readonly Span[], stream: Writable): string {
  return line
    .map((span) => {
      const text = toVisible(textOf(span));
      // An empty text would still leave its codes.
      return typeof span === "string" || text === "" ? text : styleText(formats[span.tone], text, { stream });
    })
    .join("");
}

/** Whoever reads may stop early, as `head` does. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Control characters but line feed and tab, and those that turn the direction of text. */
// oxlint-disable-next-line no-control-regex
const steering = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

const toEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

function toVisible(text: string): string {
  return text.replaceAll(steering, toEscape);
}

/** JSON for people and programs. Escapes that JSON leaves out are put in, which changes no value. */
export function toVisibleJson(value: unknown): string {
  return toVisible(JSON.stringify(value, null, 2) ?? "null");
}
