import { chmod, mkdir, open, readFile, truncate, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../core/index.ts";
import type { SandboxCall } from "./exchange.ts";

const recordFile = (folder: string) => join(folder, "calls.jsonl");

/** The calls of a record, and how many bytes of the file they fill. What follows is a line that was never finished. */
interface ReadRecord {
  readonly calls: readonly SandboxCall[];
  readonly completeBytes: number;
}

/**
 * Reads the record of a sandbox's folder: every call that was answered, in the order of arrival as far as it was decided
 * at once. Works also while the sandbox runs, and when it is dead. A torn last line is left out; no file gives no calls.
 *
 * @throws CONFIG_INVALID when a line before the last is not a call.
 */
export async function readCalls(folder: string): Promise<readonly SandboxCall[]> {
  return (await readRecord(folder)).calls;
}

async function readRecord(folder: string): Promise<ReadRecord> {
  const bytes = await readFile(recordFile(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const completeBytes = bytes.lastIndexOf("\n") + 1;
  const lines = bytes.toString("utf8", 0, completeBytes).split("\n").slice(0, -1);
  return { calls: lines.map((line, index) => parseLine(line, index + 1, folder)), completeBytes };
}

function parseLine(line: string, lineNumber: number, folder: string): SandboxCall {
  try {
    return JSON.parse(line) as SandboxCall;
  } catch (error) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `line ${lineNumber} of ${recordFile(folder)} is not a recorded call`,
      hint: "The file was changed by hand or the disk is damaged. Move it away to start with an empty sandbox.",
      cause: error,
    });
  }
}

/**
 * When a call is answered.
 * - `durable`: when its line is on disk (fsync). The only one that an experiment may rely on.
 * - `buffered`: at once; the line is written soon after, without fsync. The last ones may be missing after the end.
 * - `none`: at once; nothing is written.
 */
export type Recording = "durable" | "buffered" | "none";

/** The append-only record of one running sandbox. One process per folder. */
export class CallRecord {
  readonly #file: FileHandle;
  readonly #recording: Recording;
  #batch: string[] = [];
  #written: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;

  private constructor(file: FileHandle, recording: Recording) {
    this.#file = file;
    this.#recording = recording;
  }

  /** Opens the record of a folder, makes both where they are missing, cuts off a torn last line, and gives what was recorded. */
  static async open(
    folder: string,
    recording: Recording = "durable",
  ): Promise<{ record: CallRecord; calls: readonly SandboxCall[] }> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { calls, completeBytes } = await readRecord(folder);
    const file = await open(recordFile(folder), "a", 0o600);
    // The record holds what people wrote, also when an earlier umask or copy left it readable.
    await chmod(recordFile(folder), 0o600);
    await truncate(recordFile(folder), completeBytes);
    return { record: new CallRecord(file, recording), calls };
  }

  /**
   * Appends a call. Resolves when it is on disk (fsync); calls that arrive meanwhile share the next fsync.
   * Order in the file is the order of the calls of this method. Resolves at once unless `durable`.
   */
  append(call: SandboxCall): Promise<void> {
    if (this.#recording === "none") return Promise.resolve();
    this.#batch.push(`${JSON.stringify(call)}\n`);
    this.#nextWrite ??= this.#written.then(() => this.#writeBatch());
    // A write that fails still ends the process, as an unhandled rejection.
    return this.#recording === "durable" ? this.#nextWrite : Promise.resolve();
  }

  /** Closes the file when all that was appended is on disk. */
  async close(): Promise<void> {
    await (this.#nextWrite ?? this.#written);
    await this.#file.close();
  }

  async #writeBatch(): Promise<void> {
    const text = this.#batch.join("");
    this.#batch = [];
    this.#written = this.#nextWrite ?? this.#written;
    this.#nextWrite = undefined;
    await this.#file.appendFile(text);
    if (this.#recording === "durable") await this.#file.datasync();
  }
}
