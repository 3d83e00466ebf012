import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { SluiceError, toSluiceError } from "../../core/index.ts";
import { databaseName } from "./cluster.ts";

/** What a server says about itself. */
export interface ServerAnswer {
  /** Its data directory. */
  readonly data: string;
  readonly version: string;
}

/** Nobody listens, the server starts, recovers or stops, or its last connection is taken: ask again. */
const passingCodes = new Set(["ECONNREFUSED", "ECONNRESET", "57P03", "57P01", "53300"]);

/** The address that everybody connects to; it holds the password. */
export async function connectionUrl(passwordFile: string, port: number): Promise<string> {
  const password = (await readFile(passwordFile, "utf8")).trim();
  return `postgresql://${databaseName}:${password}@127.0.0.1:${port}/${databaseName}`;
}

/**
 * Signs in and asks. `undefined` when the server cannot answer at the moment.
 *
 * @throws DATABASE_START_FAILED when it does not accept the stored password, or the password is lost
 */
export async function askServer(passwordFile: string, port: number): Promise<ServerAnswer | undefined> {
  const connectionString = await connectionUrl(passwordFile, port).catch((cause: unknown) => {
    throw refused(passwordFile, cause);
  });
  const client = new Client({ connectionString, connectionTimeoutMillis: 10_000 });
  // A server that dies between two answers rejects the query below; without a listener it would end this process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<ServerAnswer>(
      "SELECT current_setting('data_directory') AS data, current_setting('server_version') AS version",
    );
    return rows[0];
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === undefined || passingCodes.has(code)) return undefined;
    throw refused(passwordFile, error);
  } finally {
    await client.end();
  }
}

function refused(passwordFile: string, cause: unknown): SluiceError {
  return new SluiceError("DATABASE_START_FAILED", {
    message: `the bundled Postgres cannot be asked with the password of ${passwordFile}: ${toSluiceError(cause, "INTERNAL", true).message}`,
    hint: `Restore ${passwordFile} (it is made together with the data and belongs to it).`,
    cause,
  });
}
