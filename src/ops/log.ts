import { Writable } from "node:stream";
import { type Level, pino } from "pino";
import type { Log, LogFields } from "../core/index.ts";

/** The only fields that a log line may carry; any other is dropped, so that no payload can slip in under a new name. */
const allowedFields = new Set([
  "address", "alive", "by", "code", "count", "error", "executor", "fingerprint", "flow", "folder", "from", "hash", "incident", "key", "kind", "method",
  "mode", "model", "ms", "name", "path", "pid", "port", "provider", "reason", "run", "seq", "simulated", "stack", "status", "step", "version",
  "word", "workspace",
]); // oxfmt-ignore

/** Longer text is cut: no log field needs more, but for a stack. */
const longestText = 300;
const longestStack = 4000;

/** What {@link createLog} takes. */
export interface LogOptions {
  /** Least level that is written. Default: `info`. */
  readonly level?: Level | undefined;
  /** Where lines go. Default: standard error. */
  readonly write?: ((line: string) => void) | undefined;
  /** `json` for machines, `text` for people. */
  readonly format: "json" | "text";
  /** Takes every live secret out of a text. */
  readonly scrub: (text: string) => string;
}

/** Makes the log of the application: events with allow-listed fields, scrubbed of secrets. */
export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const sink = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      const safe = options.scrub(line);
      write(options.format === "json" ? safe : toText(safe));
      done();
    },
  });
  const logger = pino(
    {
      level: options.level ?? "info",
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
    },
    sink,
  );
  return {
    debug: (event, fields) => logger.debug(clean(fields), event),
    info: (event, fields) => logger.info(clean(fields), event),
    warn: (event, fields) => logger.warn(clean(fields), event),
    error: (event, fields) => logger.error(clean(fields), event),
  };
}

function clean(fields: LogFields = {}): LogFields {
  const kept = Object.entries(fields).filter(([name, value]) => allowedFields.has(name) && value !== undefined);
  return Object.fromEntries(
    kept.map(([name, value]) => {
      const longest = name === "stack" ? longestStack : longestText;
      return [name, typeof value === "string" ? value.slice(0, longest) : value];
    }),
  );
}

/** One line for people: time, event, fields. Warnings and errors are marked by a word, not by colour alone. */
function toText(line: string): string {
  const { level, time, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const mark = level === "warn" || level === "error" ? `${level.toUpperCase()} ` : "";
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return `${String(time).slice(11, 23)}  ${mark}${String(event)}  ${rest.join(" ")}\n`;
}
