import { styleText } from "node:util";

/** How a line's label is coloured. The word itself says it too. */
export type Tone = "plain" | "good" | "busy" | "notable" | "bad";

/** Where the story is told. */
export interface Terminal {
  /** Whether the story may quote leads and answers. Not where it may be kept as a log. */
  readonly quotes: boolean;
  /** A line that begins a part. */
  heading(text: string): void;
  /** A paragraph, wrapped. */
  text(text: string): void;
  /** A quotation, wrapped and indented; nothing where `quotes` is false. */
  quote(text: string): void;
  /** Something that happened just now: seconds since the start, one word, and what there is to say, a line each. */
  event(label: string, lines: string | readonly string[], tone?: Tone): void;
  /** A named fact, for summaries. */
  fact(label: string, text: string, tone?: Tone): void;
  gap(): void;
}

/** Column where the words after a label begin. */
const textColumn = 21;
const labelWidth = 11;
const widest = 100;

const styles = { good: "green", busy: "cyan", notable: "yellow", bad: "red" } as const;

/** Tells the story on a stream; without colour where the stream is no terminal or NO_COLOR is set. */
export function createTerminal(stream: NodeJS.WriteStream, quotes: boolean): Terminal {
  const width = Math.min(stream.columns || 80, widest);
  const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text, { stream });
  const write = (line = ""): void => {
    stream.write(`${line.replaceAll("SIMULATED", style(["bold", "yellow"], "SIMULATED"))}\n`);
  };
  const labelled = (lead: string, label: string, lines: string | readonly string[], tone: Tone): void => {
    const room = Math.max(20, width - textColumn - 1);
    const wrapped = [lines].flat().flatMap((line) => wrap(line, room));
    const padded = label.padEnd(labelWidth);
    const start = `${style("dim", lead)}${tone === "plain" ? padded : style(styles[tone], padded)}`;
    for (const [at, line] of wrapped.entries()) write(`${at === 0 ? start : " ".repeat(textColumn)}${line}`);
  };
  return {
    quotes,
    heading: (text) => write(style("bold", text)),
    text: (text) => {
      for (const line of wrap(text, width - 1)) write(line);
    },
    quote: (text) => {
      if (!quotes) return;
      for (const line of wrap(`“${text}”`, width - 6)) write(`   ${style("italic", line)}`);
    },
    event: (label, lines, tone = "plain") => {
      labelled(`${(performance.now() / 1000).toFixed(2).padStart(6)} s  `, label, lines, tone);
    },
    fact: (label, text, tone = "plain") => labelled("  ", label.padEnd(textColumn - 2), text, tone),
    gap: () => write(),
  };
}

/** Writes to stdout; resolves when all of it is on its way, so that the process may end. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Breaks a text between words. A word that is longer than a line, such as an address, stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
