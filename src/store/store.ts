import { CamelCasePlugin, Kysely, PostgresDialect, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Pool } from "pg";
import { SluiceError } from "../core/index.ts";
import { createAiCallWriter } from "./ai-call-writer.ts";
import { createAiCallStore } from "./ai-calls.ts";
import { createBatchLine, createBatchStore } from "./batches.ts";
import { createChangeStore } from "./changes.ts";
import { createApiKeyStore } from "./api-keys.ts";
import { createContentStore } from "./content-store.ts";
import { createKeyring, type Keyring } from "./content-keys.ts";
import { createCostStore } from "./costs.ts";
import { createEffectStore } from "./effects.ts";
import { createEventIntake, createEventStore } from "./events.ts";
import { createDispatchStore } from "./dispatch.ts";
import { createRefusalStore, createSampleStore } from "./flow-data.ts";
import { createPeopleStore, createSessionStore } from "./people.ts";
import { createPool, toStoreError } from "./pool.ts";
import { createProcessStore } from "./processes.ts";
import { createQuestionStore } from "./questions.ts";
import { createQueueStore } from "./queue.ts";
import { createBudgetStore } from "./budgets.ts";
import { createLedgerStore } from "./ledger.ts";
import { createLimitStore } from "./limits.ts";
import { readHeads } from "./ledger-rows.ts";
import { createRunKeys } from "./run-keys.ts";
import { createRunWriter } from "./run-changes.ts";
import { createRunStore } from "./runs.ts";
import { type Database, query, type Scope } from "./scope.ts";
import { refuseOtherKey } from "./settings.ts";
import { createSignalStore } from "./signals.ts";
import { createStepStore, createStepWriter } from "./steps.ts";
import type { Tables } from "./tables.ts";
import * as initial from "./migrations/0001-initial.ts";
import * as durable from "./migrations/0002-durable.ts";
import * as gateway from "./migrations/0003-gateway.ts";
import * as lookups from "./migrations/0004-lookups.ts";

/** In the order they are applied. A released migration is never edited. */
const migrations: { readonly [name: string]: Migration } = {
  "0001-initial": initial,
  "0002-durable": durable,
  "0003-gateway": gateway,
  "0004-lookups": lookups,
};

/** Oldest Postgres that is supported: `xid8` snapshots and `unlogged` identity columns of 14, and what is still maintained. */
const oldestVersion = 150_000;

/** What {@link openStore} takes. */
export interface StoreOptions {
  readonly url: string;
  /** The key-encryption key of the installation, 32 bytes; see `openMasterKey`. */
  readonly key: Buffer;
  /** Most connections of this process to our own tables. Default: 8. */
  readonly poolSize?: number;
  /**
   * Whether this process executes runs against the sandbox's stand-ins. It then takes only such runs, and real ones are
   * left to real processes, also on a shared database. Default: false.
   */
  readonly sandbox?: boolean;
  /** Told of connections that broke while idle. */
  readonly onError: (error: Error) => void;
}

/**
 * Opens the store and brings its tables up to date.
 *
 * @throws DATABASE_UNAVAILABLE when Postgres does not answer; DATABASE_TOO_OLD below 15; KEY_INVALID; KEY_MISMATCH when
 *   content is sealed with another key there.
 */
export async function openStore(options: StoreOptions) {
  const { url, onError } = options;
  const keyring = createKeyring(options.key);
  const common = { url, applicationName: "sluice", bigintAsNumber: true, onError };
  // Bringing tables up to date may take its time, and waits for another process that does it.
  const setup = createPool({ ...common, size: 1, queryTimeoutMs: 0 });
  try {
    const db = toDatabase(setup);
    await refuseOldServer(db);
    await migrate(db);
    await refuseOtherKey(db, keyring);
  } catch (thrown) {
    throw toStoreError(thrown);
  } finally {
    await setup.end();
  }
  const pool = createPool({ ...common, size: options.poolSize ?? 8 });
  return createStore(toDatabase(pool), pool, keyring, options.sandbox ?? false);
}

function toDatabase(pool: Pool): Database {
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  }).withSchema("sluice");
}

/** The open store. */
export type Store = Awaited<ReturnType<typeof openStore>>;

/** Everything that belongs to one workspace. The only way to its rows. */
export type Workspace = ReturnType<typeof createWorkspace>;

function createStore(db: Database, pool: Pool, keyring: Keyring, sandbox: boolean) {
  const keys = createRunKeys(db, keyring);
  const intake = createEventIntake({ db, keyring, keys });
  const writeRun = createRunWriter(db, keys);
  const writeStep = createStepWriter(db, keys);
  const shared = { intake, writeRun, writeStep, pool, sandbox };
  // Asked for by every event and every run.
  const workspaces = new Map<string, Workspace>();
  return {
    /** The rows of one workspace. */
    workspace(workspaceId: string): Workspace {
      const workspace = workspaces.get(workspaceId) ?? createWorkspace({ db, workspaceId, keyring, keys }, shared);
      workspaces.set(workspaceId, workspace);
      return workspace;
    },
    /** Limits of models, of all workspaces together. */
    limits: createLimitStore(db),
    /** For the engine: runs of all workspaces. */
    dispatch: createDispatchStore(db, sandbox, { keyring, keys }),
    /** Where the ledgers of all workspaces end now. */
    ledgerHeads: () => readHeads(db),
    /** For the gateway: requests of the batch lane, of all workspaces. */
    batches: createBatchLine(db, keys, sandbox),
    /** For the engine: which processes live. */
    processes: createProcessStore(db, pool, sandbox),
    /** For whoever seals content of a run elsewhere. */
    keyring,
    /** Resolves when the database answers. @throws DATABASE_UNAVAILABLE */
    ping: (): Promise<void> => query(async () => void (await sql`select 1`.execute(db))),
    /** The server's version, such as `18.4`. */
    serverVersion: (): Promise<string> =>
      query(async () => {
        const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(
          db,
        );
        return rows[0]?.version ?? "unknown";
      }),
    /** Removes live events older than an hour. */
    trimChanges: (): Promise<void> =>
      query(async () => void (await sql`delete from sluice.changes where at < now() - interval '1 hour'`.execute(db))),
    close: (): Promise<void> => pool.end(),
  };
}

/** What the workspaces of a store share. */
interface Shared {
  readonly intake: ReturnType<typeof createEventIntake>;
  readonly writeRun: ReturnType<typeof createRunWriter>;
  readonly writeStep: ReturnType<typeof createStepWriter>;
  readonly pool: Pool;
  readonly sandbox: boolean;
}

function createWorkspace(scope: Scope, { intake, writeRun, writeStep, pool, sandbox }: Shared) {
  return {
    id: scope.workspaceId,
    events: createEventStore(scope, intake, sandbox),
    runs: createRunStore(scope, writeRun),
    steps: createStepStore(scope, writeStep),
    aiCalls: createAiCallStore(scope, createAiCallWriter(pool, scope.workspaceId)),
    batches: createBatchStore(scope, sandbox),
    effects: createEffectStore(scope),
    signals: createSignalStore(scope),
    queue: createQueueStore(scope, sandbox),
    questions: createQuestionStore(scope),
    costs: createCostStore(scope),
    ledger: createLedgerStore(scope),
    budgets: createBudgetStore(scope),
    content: createContentStore(scope),
    samples: createSampleStore(scope),
    refusals: createRefusalStore(scope),
    people: createPeopleStore(scope),
    sessions: createSessionStore(scope),
    apiKeys: createApiKeyStore(scope),
    changes: createChangeStore(scope),
  };
}

async function refuseOldServer(db: Database): Promise<void> {
  const { rows } = await sql<{ number: string; version: string }>`
    select current_setting('server_version_num') as number, current_setting('server_version') as version`.execute(db);
  const { number = "0", version = "unknown" } = rows[0] ?? {};
  if (Number(number) >= oldestVersion) return;
  throw new SluiceError("DATABASE_TOO_OLD", {
    message: `the database is Postgres ${version}, expected 15 or later`,
    hint: "Point SLUICE_DATABASE_URL at a newer server, or unset it to use the bundled one.",
  });
}

async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({
    db: db.withoutPlugins(),
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: "sluice",
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
