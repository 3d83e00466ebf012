import type { SluiceError } from "../core/index.ts";
import { type EmbeddedPhase, startEmbeddedPostgres } from "./embedded/index.ts";

/** Where the data lives. */
export interface OpenDatabase {
  readonly kind: "embedded" | "external";
  readonly url: string;
  /** Main process of the bundled Postgres; null for an external one. */
  readonly postmasterPid: number | null;
  /** Stops the bundled Postgres, unless another process of ours uses it. */
  close(): Promise<void>;
}

/** What {@link openDatabase} takes. */
export interface DatabaseOptions {
  /** Address of a Postgres of your own; undefined: the bundled one. */
  readonly url: string | undefined;
  /** Where the bundled one keeps its data. */
  readonly dataFolder: string;
  /** See {@link startEmbeddedPostgres}. */
  readonly role: "owner" | "guest";
  readonly onProgress?: (phase: EmbeddedPhase) => void;
  /** Told when the bundled one died and could not be brought back; it is tried again every second. */
  readonly onFailure?: (error: SluiceError) => void;
}

/**
 * Gives the database: the one asked for, or the bundled one, started on first use.
 *
 * @throws DATABASE_* when the bundled one cannot be started.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  if (options.url !== undefined) {
    return { kind: "external", url: options.url, postmasterPid: null, close: async () => {} };
  }
  const { url: _none, ...embedded } = options;
  const postgres = await startEmbeddedPostgres(embedded);
  return {
    kind: "embedded",
    url: postgres.url,
    postmasterPid: postgres.postmasterPid,
    close: () => postgres.close(),
  };
}
