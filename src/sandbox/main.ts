/** The sandbox's process. Started by `startSandbox`, which talks to it over IPC; ends when that channel closes. */
import { randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { SluiceError, toSluiceError } from "../core/index.ts";
import { simulatedBrain, type Brain } from "./brain.ts";
import { readOrMakeCredentials } from "./credentials.ts";
import { FaultPlan } from "./fault-plan.ts";
import type { FromSandbox, Ready, StartSettings, ToSandbox } from "./messages.ts";
import { CallRecord } from "./record.ts";
import { SandboxServer } from "./server.ts";
import { SandboxState } from "./state.ts";

// A Ctrl-C reaches the whole group: the application then finishes its runs, and needs the sandbox until it closes it.
process.on("SIGINT", () => {});
// The channel closes when the parent closes it and when the parent dies, however it dies.
process.on("disconnect", () => process.exit(0));

const settings = JSON.parse(process.argv[2] ?? "{}") as StartSettings;
try {
  const { server, ready } = await start(settings);
  process.on("message", (request: ToSandbox) => tell(answer(server, request)));
  tell({ ready });
} catch (error) {
  tell({ failed: toSluiceError(error, "INTERNAL", true).toJSON() });
  process.disconnect?.();
}

async function start(asked: StartSettings): Promise<{ server: SandboxServer; ready: Ready }> {
  const { folder, seed, faults, port, brain, recording, latencyMs, limits, batchDelayMs } = asked;
  const plan = new FaultPlan(seed, faults);
  const { record, calls } = await CallRecord.open(folder, recording);
  const state = new SandboxState();
  for (const call of calls) if (call.effect) state.apply(call.effect);
  const credentials = await readOrMakeCredentials(folder);
  const controlToken = randomBytes(24).toString("hex");
  const server = new SandboxServer({
    folder,
    record,
    state,
    credentials,
    controlToken,
    brain: brain === null ? simulatedBrain : await loadBrain(brain),
    seed,
    plan,
    latencyMs,
    limits,
    batchDelayMs,
    lastNumber: calls.reduce((last, call) => Math.max(last, call.number), 0),
  });
  return { server, ready: { origin: await listen(server, port), controlToken, credentials } };
}

async function listen(server: SandboxServer, port: number): Promise<string> {
  try {
    return await server.listen(port);
  } catch (error) {
    throw new SluiceError("PORT_IN_USE", {
      message: `the sandbox cannot listen on 127.0.0.1:${port}: ${(error as NodeJS.ErrnoException).code}`,
      hint: "Leave the port out to have a free one chosen, or stop what uses it.",
      cause: error,
    });
  }
}

async function loadBrain(path: string): Promise<Brain> {
  const module = (await import(pathToFileURL(path).href)) as { answer?: unknown };
  if (typeof module.answer === "function") return module.answer as Brain;
  throw new SluiceError("CONFIG_INVALID", {
    message: `the brain ${path} exports no function named answer`,
    hint: 'Write: export function answer(request) { return { content: "..." }; }',
  });
}

function answer(server: SandboxServer, request: ToSandbox): FromSandbox {
  const { id } = request;
  try {
    if (request.command === "setFaults") server.setFaults(request.rules);
    else if (request.command === "setLimits") server.setLimits(request.limits);
    else return { id, result: server[request.command]() };
    return { id, result: null };
  } catch (error) {
    return { id, error: toSluiceError(error).toJSON() };
  }
}

function tell(message: FromSandbox): void {
  process.send?.(message);
}
