import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { type Json, SluiceError, toSluiceError } from "../core/index.ts";
import { maxBodyBytes, parseJson } from "../triggers/index.ts";
import { UsageError } from "./failure.ts";
import type { CommandContext } from "./project.ts";

/** What is read, for messages. */
export interface JsonInput {
  /** A file, or `-` for standard input. */
  readonly source: string;
  /** Such as `the payload`. */
  readonly what: string;
  /** Such as `--payload`. */
  readonly option: string;
}

/** Reads a JSON document that an option names. @throws UsageError, BODY_NOT_JSON, BODY_TOO_LARGE above 1 MB */
export async function readJsonInput({ stdin, workingFolder }: CommandContext, input: JsonInput): Promise<Json> {
  const { source, what } = input;
  const body = source === "-" ? await buffer(stdin) : await readInputFile(resolve(workingFolder, source), input);
  if (body.length > maxBodyBytes) {
    throw new SluiceError("BODY_TOO_LARGE", {
      message: `${what} has ${body.length} bytes; ${maxBodyBytes} are allowed, as for a webhook`,
      hint: "Send less, such as ids to fetch the rest by.",
    });
  }
  try {
    return parseJson(body);
  } catch (cause) {
    // Its own words speak of the request of a webhook.
    throw new SluiceError("BODY_NOT_JSON", {
      message: toSluiceError(cause).message.replace("the body", source === "-" ? "standard input" : source),
      hint: "Give one JSON document in UTF-8.",
      cause,
    });
  }
}

async function readInputFile(file: string, { what, option }: JsonInput): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new UsageError(
      `${what} ${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`,
      `Check the path given as ${option}; it is looked for from the working directory.`,
    );
  }
}
