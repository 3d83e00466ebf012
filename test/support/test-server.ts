import { Hono } from "hono";
import { z } from "zod";
import { flow, secret, type Json, type LogFields } from "../../src/core/index.ts";
import { createToken, digestOfToken } from "../../src/server/auth/token.ts";
import { createServer, type FlowInfo, type ServerOptions, type ServerPorts } from "../../src/server/index.ts";
import { createPool, migrateRun, openStore, type Role, ruleEffect, type Workspace } from "../../src/store/index.ts";
import { signatures, webhook } from "../../src/triggers/index.ts";
import { testDatabase, testKey } from "./database.ts";

const Lead = z.object({ name: z.string().min(1), email: z.email(), message: z.string().default("") });

const leads = webhook({
  path: "leads",
  payload: Lead,
  verify: signatures.standardWebhooks(secret("LEADS_SECRET")),
  samples: { urgent: { name: "Ada", email: "ada@example.com", message: "today" } },
});

/** A flow that the server shows; nothing runs it. */
const leadRouting: FlowInfo = {
  flow: flow({
    name: "lead-routing",
    description: "Routes leads",
    trigger: leads,
    minutesSaved: 4,
    run: async () => null,
  }),
  trigger: leads,
};

/** One line that the server logged. */
export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

/** What a test sends besides method and path. */
export interface TestRequest {
  /** Sent as JSON, unless it is a text, which is sent as it is. */
  readonly body?: Json;
  readonly headers?: { readonly [name: string]: string };
  /** Uses an API key of this role. */
  readonly as?: Role;
}

const defaults: ServerOptions = {
  publicHost: "127.0.0.1",
  publicPort: 0,
  adminHost: "127.0.0.1",
  adminPort: 0,
  allowedHosts: ["sluice.example.com"],
  dashboardFolder: null,
  secureCookies: false,
};

/** Starts a server on a database of its own, with stand-ins for the engine and the hooks. */
export async function startTestServer(
  options: Partial<ServerOptions> = {},
  replace: (workspace: Workspace) => Partial<ServerPorts> = () => ({}),
) {
  const database = await testDatabase();
  const store = await openStore({ url: database.url, key: testKey, onError: () => {} });
  const pool = createPool({
    url: database.url,
    size: 2,
    applicationName: "test",
    bigintAsNumber: true,
    onError: () => {},
  });
  const workspace = store.workspace("default");
  const log: LogLine[] = [];
  const engineCalls: string[] = [];
  const ports: ServerPorts = {
    workspace,
    flows: () => [leadRouting],
    engine: {
      resume: async (id) => void engineCalls.push(`resume ${id}`),
      cancel: async (id) => void engineCalls.push(`cancel ${id}`),
      signal: async (id, name, value) => {
        engineCalls.push(`signal ${id} ${name} ${JSON.stringify(value)}`);
        return workspace.signals.send(id, name, value);
      },
      accept(event) {
        engineCalls.push(`accept ${event.flow}`);
        return workspace.events.accept(event);
      },
      migrate: (id) => migrateRun(workspace, id),
      recheck: (flow) => workspace.runs.recheck(flow, "present"),
      rule: (id, word) => ruleEffect(workspace, id, word),
    },
    gateway: {
      models: async () => [],
      test: async () => [],
      resume: async () => false,
      dataMap: async ({ from, to }) => ({ from: from.toISOString(), to: to.toISOString(), flows: [] }),
    },
    ledger: { ...workspace.ledger, verify: () => workspace.ledger.verify() },
    status: async () => ({
      version: "1.2.3",
      startedAt: new Date().toISOString(),
      sandbox: true,
      database: { kind: "embedded", version: await store.serverVersion() },
      models: [],
      queuedRuns: 0,
    }),
    isReady: async () => true,
    hooks: new Hono().post("/hooks/leads", (context) => context.json({ runId: "run_1", duplicate: false }, 202)),
    log: {
      debug: () => {},
      info: (event, fields = {}) => void log.push({ level: "info", event, fields }),
      warn: (event, fields = {}) => void log.push({ level: "warn", event, fields }),
      error: (event, fields = {}) => void log.push({ level: "error", event, fields }),
    },
    publicUrl: "https://hooks.example.com",
    ...replace(workspace),
  };
  let closed: Promise<void> | undefined;
  const closeDatabase = async (): Promise<void> => {
    await pool.end();
    await store.close();
    await database.drop();
  };
  const server = await createServer(ports, { ...defaults, ...options }).catch(async (failure: unknown) => {
    await closeDatabase();
    throw failure;
  });
  const keys = new Map<Role, Promise<string>>();

  async function createKey(role: Role): Promise<string> {
    const token = createToken("sk_");
    await workspace.apiKeys.create({ id: `key_${role}`, name: role, role, tokenDigest: digestOfToken(token) });
    return token;
  }

  /** The API key of a role, made on first use. */
  function keyOf(role: Role): Promise<string> {
    const key = keys.get(role) ?? createKey(role);
    keys.set(role, key);
    return key;
  }

  return {
    ...server,
    store,
    workspace,
    log,
    engineCalls,
    keyOf,
    /** Runs SQL on the test's database, to age what is stored. */
    sql: async (text: string): Promise<void> => void (await pool.query(text)),
    /** Calls the API. */
    async api(method: string, path: string, { body, headers = {}, as }: TestRequest = {}): Promise<Response> {
      return fetch(`${server.adminUrl}/api/v1${path}`, {
        method,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(as && { authorization: `Bearer ${await keyOf(as)}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
    },
    close: (): Promise<void> => (closed ??= server.close().then(closeDatabase)),
  };
}

/** A running test server. */
export type TestServer = Awaited<ReturnType<typeof startTestServer>>;
