import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelsConfig } from "../ai/index.ts";
import { type App, createApp } from "../app.ts";
import type { Config } from "../config.ts";
import {
  type AiCallRecord,
  type AnyFlow,
  Cleanup,
  digestOf,
  type Json,
  parseSchema,
  type Receipt,
  SluiceError,
  type SluiceErrorJson,
} from "../core/index.ts";
import { type Sandbox, startSandbox } from "../sandbox/index.ts";
import type { RunRecord, StepRecord } from "../store/index.ts";
import { signSample } from "../triggers/index.ts";
import { createTestDatabase } from "./test-database.ts";

/** What {@link startTestApp} takes. */
export interface TestAppOptions {
  readonly config: Config;
  /** Where its data lies. Default: a temporary folder, removed by `close`. */
  readonly folder?: string;
  /** Secrets by name. Those that are missing are made up; nothing is taken from the environment of the test. */
  readonly environment?: { readonly [name: string]: string };
  /**
   * Default: the simulated model, under every name that the configuration gives, so that a test never reaches a provider.
   * To test what happens when a provider fails, point a model at `openaiUrl` of a {@link TestAppOptions.sandbox}.
   */
  readonly models?: ModelsConfig;
  /** One that runs already; `close` leaves it running. Default: one of its own. */
  readonly sandbox?: Sandbox;
}

/** A run that has ended, with all that it left on record. */
export interface TestRun {
  readonly id: string;
  readonly status: RunRecord["status"];
  /** What the flow returned; null unless it succeeded. */
  readonly output: Json;
  readonly error: SluiceErrorJson | null;
  /** In the order of their calls. */
  readonly steps: readonly StepRecord[];
  /** Every request to a model: what was sent, and what came back. */
  readonly aiCalls: readonly AiCallRecord[];
  /** The receipts of what was done outside. */
  readonly effects: readonly Receipt[];
}

/** How a delivery is to be sent. */
export interface SendOptions {
  /** The same id again is a repeat of the delivery. Default: a new one. */
  readonly deliveryId?: string;
  /** Sent in place of the payload's JSON, and signed. */
  readonly body?: string;
}

/** How a delivery was answered. */
export interface TestAnswer {
  /** HTTP status: 202 for a new delivery, 200 for a repeat, or that of a refusal. */
  readonly status: number;
  /** Of an accepted delivery. */
  readonly runId?: string;
  /** Code of a refusal. */
  readonly code?: string;
}

/** An application under test. */
export interface TestApp {
  readonly app: App;
  /** The stand-ins: what they received, and faults to play. */
  readonly sandbox: Sandbox;
  /**
   * Starts a flow with a payload and waits for its end. A failed run is given, not thrown.
   *
   * @throws FLOW_UNKNOWN, PAYLOAD_INVALID; STEP_FAILED when the run has not ended within 15 s.
   */
  run(flowName: string, payload: Json): Promise<TestRun>;
  /** Sends a payload to the flow's webhook as its sender would: signed, through the checks of the public listener. @throws FLOW_UNKNOWN */
  send(flowName: string, payload: Json, options?: SendOptions): Promise<TestAnswer>;
  /** Waits for the end of a run, such as one that a delivery began. @throws RUN_UNKNOWN; STEP_FAILED when it has not ended within 15 s. */
  ended(runId: string): Promise<TestRun>;
  /** Stops everything and removes its data. */
  close(): Promise<void>;
}

/** A flow under test has no business to take longer. */
const patienceMs = 15_000;

/**
 * Starts an application for tests: the real engine, database and HTTP, with stand-ins of the outside systems in a
 * process of their own and the simulated model. Its Postgres is the bundled one, or a new database on the server that
 * `SLUICE_TEST_DATABASE_URL` names, which starts faster. One at a time in a process.
 *
 * @throws as createApp.
 *
 * @example
 * const test = await startTestApp({ config });
 * await test.sandbox.setFaults([{ system: "slack", kind: "service_unavailable", times: 1 }]);
 * const run = await test.run("lead-routing", { name: "Ada", email: "ada@example.com", company: "Acme", message: "Hello" });
 * expect(run.status).toBe("succeeded");
 * expect(await test.sandbox.hubspotContacts()).toHaveLength(1);
 * await test.close();
 */
export function startTestApp(options: TestAppOptions): Promise<TestApp> {
  return Cleanup.during((cleanup) => openTestApp(options, cleanup));
}

async function openTestApp(options: TestAppOptions, cleanup: Cleanup): Promise<TestApp> {
  const folder = options.folder ?? (await makeFolder(cleanup));
  const sandbox = options.sandbox ?? (await startSandbox({ folder: join(folder, "sandbox") }));
  if (!options.sandbox) cleanup.add(() => sandbox.close());
  const config = { ...options.config, models: options.models ?? simulateAll(options.config.models) };
  const app = await createApp({
    config,
    folder,
    environment: { ...(await chooseDatabase(options, cleanup)), ...options.environment },
    sandbox,
    listen: { publicPort: 0, adminPort: 0 },
    log: { write: () => {} },
  });
  cleanup.add(() => app.close());
  const ended = (runId: string): Promise<TestRun> => awaitRun(app, runId);
  return {
    app,
    sandbox,
    ended,
    run: async (flowName, payload) => ended(await start(app, findFlow(config, flowName), payload)),
    send: (flowName, payload, sending = {}) => send(app, findFlow(config, flowName), payload, sending),
    close: () => cleanup.close(),
  };
}

async function makeFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  // When this is root, Postgres runs as another user, who must be able to enter.
  await chmod(folder, 0o711);
  return folder;
}

async function chooseDatabase(
  { environment = {} }: TestAppOptions,
  cleanup: Cleanup,
): Promise<{ readonly [name: string]: string }> {
  const server = process.env["SLUICE_TEST_DATABASE_URL"];
  if (!server || environment["SLUICE_DATABASE_URL"]) return {};
  const database = await createTestDatabase(server);
  cleanup.add(() => database.drop());
  return { SLUICE_DATABASE_URL: database.url };
}

function simulateAll(models: ModelsConfig = {}): ModelsConfig {
  const names = ["fast", "smart", ...Object.keys(models)];
  return Object.fromEntries(names.map((name) => [name, { provider: "simulated" }]));
}

function findFlow({ flows }: Config, name: string): AnyFlow {
  const flow = flows.find((candidate) => candidate.name === name);
  if (flow) return flow;
  throw new SluiceError("FLOW_UNKNOWN", {
    message: `flow "${name}" is not in the configuration under test`,
    hint: `Its flows are: ${flows.map((candidate) => candidate.name).join(", ") || "none"}.`,
  });
}

/** Begins a run as an accepted delivery does; gives its id. */
async function start({ workspace, engine }: App, { name, trigger }: AnyFlow, payload: Json): Promise<string> {
  await parseSchema(trigger.payload, payload, { code: "PAYLOAD_INVALID", what: `the payload for flow ${name}` });
  const { runId } = await engine.accept(workspace.id, {
    flow: name,
    source: "test",
    dedupKey: randomUUID(),
    deliveryId: null,
    bodyDigest: digestOf(payload),
    payload,
    sample: false,
    receivedAt: new Date(),
  });
  return runId;
}

async function send(app: App, { trigger }: AnyFlow, payload: Json, options: SendOptions): Promise<TestAnswer> {
  if (trigger.kind !== "webhook") throw new SluiceError("HOOK_UNKNOWN", { message: "the flow has no webhook" });
  const { path, verify } = trigger;
  const { body = JSON.stringify(payload), deliveryId } = options;
  const url = `${app.publicUrl}/hooks/${path}`;
  const request = { body, sentAt: new Date(), url, ...(deliveryId !== undefined && { deliveryId }) };
  const [secret] = "secrets" in verify ? verify.secrets : [];
  const headers =
    secret && "secrets" in verify
      ? signSample(verify, app.revealSecret(secret), request)
      : { "content-type": "application/json" };
  const response = await app.fetch?.(new Request(url, { method: "POST", headers, body }));
  const answer = (await response?.json()) as Omit<TestAnswer, "status"> | undefined;
  return { ...answer, status: response?.status ?? 0 };
}

async function awaitRun({ workspace, engine }: App, runId: string): Promise<TestRun> {
  const run = await engine.waitForEnd(workspace.id, runId, patienceMs, new AbortController().signal);
  if (!run) throw await notEnded(await workspace.runs.find(runId), runId);
  const { status, output } = run;
  const error = run.error as SluiceErrorJson | null;
  const [steps, aiCalls, effects] = await Promise.all([
    workspace.steps.ofRun(runId),
    workspace.aiCalls.ofRun(runId),
    workspace.effects.ofRun(runId),
  ]);
  return { id: runId, status, output, error, steps, aiCalls, effects };
}

async function notEnded(run: RunRecord | null, runId: string): Promise<SluiceError> {
  if (!run) return new SluiceError("RUN_UNKNOWN", { message: `run "${runId}" does not exist` });
  return new SluiceError("STEP_FAILED", {
    message: `run "${runId}" is still ${run.status} after ${patienceMs / 1000} s`,
    hint: "A wait or a retry may be longer than that; look at its steps through app.workspace.",
  });
}
