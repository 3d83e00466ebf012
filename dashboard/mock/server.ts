import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { ApiKeyView, OverviewView, RunDetailView, StatusView, StepView } from "../../src/server/api/schemas.ts";
import { analysis, flow, iso, makeRun, minute, otherFlow, toRow } from "./data.ts";
import { inventRuns, progress } from "./runs.ts";

/*
 * A stand-in of the admin listener with invented data: node dashboard/mock/server.ts [port] [empty]
 * Serves the built dashboard with the real server's content security policy, for screenshots.
 */

const [port = "4601", mood = ""] = process.argv.slice(2);
const runs = mood === "empty" ? [] : inventRuns();
let signedIn = mood !== "out";
const user = { id: "usr_1", email: "ada@northwind.example", name: "Ada Okafor", role: "admin" as const };
const keys: ApiKeyView[] =
  mood === "empty"
    ? []
    : [
        {
          id: "key_1",
          name: "website form",
          role: "operator",
          createdAt: iso(30 * 1440 * minute),
          lastUsedAt: iso(40_000),
          revokedAt: null,
        },
        {
          id: "key_2",
          name: "old importer",
          role: "builder",
          createdAt: iso(90 * 1440 * minute),
          lastUsedAt: null,
          revokedAt: iso(1440 * minute),
        },
      ];
const streams = new Set<ServerResponse>();
let cursor = 1;

const status: StatusView = {
  version: "0.1.0",
  startedAt: iso(190 * minute),
  sandbox: true,
  database: { kind: "embedded", version: "18.4" },
  queuedRuns: 1,
  models: [
    {
      name: "fast",
      provider: "simulated",
      model: "sluice-simulated",
      simulated: true,
      reason: "No provider key is set, and no model server was found on this machine.",
    },
    {
      name: "smart",
      provider: "anthropic",
      model: "claude-opus-5",
      simulated: false,
      reason: "ANTHROPIC_API_KEY is set.",
    },
  ],
};

function overview(): OverviewView {
  const counts: OverviewView["counts"] = {};
  for (const run of runs) counts[run.status] = (counts[run.status] ?? 0) + 1;
  return {
    needsAttention: runs.filter((run) => run.status === "failed" || run.status === "in_doubt").map(toRow),
    counts,
    ai: runs.length
      ? { calls: 187, failed: 4, inputTokens: 39_644, outputTokens: 10_846, costMicroUsd: 93_874, unpriced: 12 }
      : { calls: 0, failed: 0, inputTokens: 0, outputTokens: 0, costMicroUsd: 0, unpriced: 0 },
    minutesSaved: (counts.succeeded ?? 0) * 9,
    refusals: runs.length ? flow.refusals : [],
  };
}

function tell(topic: string, runId: string): void {
  const data = JSON.stringify({ topic, runId, data: {}, at: new Date().toISOString() });
  for (const stream of streams) stream.write(`id: ${cursor}\nevent: ${topic}\ndata: ${data}\n\n`);
  cursor += 1;
}

/** Lets a run go through its steps in real time. */
function play(run: RunDetailView, steps: StepView[]): void {
  for (const step of steps) {
    setTimeout(
      () => {
        run.status = "running";
        run.steps = [
          ...run.steps.filter(({ sequence }) => sequence !== step.sequence),
          {
            ...step,
            status: "running",
            finishedAt: null,
            durationMs: null,
            output: null,
            aiCalls: [],
            receipt: null,
            attempts: step.attempts.map((attempt) => ({ ...attempt, finishedAt: null })),
          },
        ];
        tell("step.running", run.id);
      },
      Date.parse(step.startedAt) - Date.now(),
    );
    setTimeout(
      () => {
        run.steps = run.steps.map((each) => (each.sequence === step.sequence ? step : each));
        tell("step.succeeded", run.id);
      },
      Date.parse(step.finishedAt ?? "") - Date.now(),
    );
  }
  const end = steps.at(-1)?.finishedAt ?? "";
  setTimeout(
    () => {
      Object.assign(run, {
        status: "succeeded",
        finishedAt: end,
        durationMs: Date.parse(end) - Date.parse(run.queuedAt),
        output: analysis,
        error: null,
      });
      tell("run.succeeded", run.id);
    },
    Date.parse(end) + 50 - Date.now(),
  );
}

function sendSample(): object {
  const run = makeRun({ agoMs: 0, took: null, status: "running", event: { sample: true, deliveryId: null } });
  run.id = `run_01k9x3${Date.now()}`;
  run.queuedAt = run.event.receivedAt = run.startedAt = new Date().toISOString();
  runs.unshift(run);
  tell("run.running", run.id);
  play(run, progress(Date.now(), run.id));
  return { runId: run.id, duplicate: false };
}

function resume(run: RunDetailView): object {
  Object.assign(run, {
    status: "running",
    finishedAt: null,
    durationMs: null,
    resumes: run.resumes + 1,
    failedStep: null,
    error: null,
    resume: { possible: false, fromStep: null, effects: [] },
  });
  const [, , last] = progress(Date.now() - 2600, run.id);
  const before = run.steps.find(({ sequence }) => sequence === 2);
  if (last)
    play(run, [
      {
        ...last,
        startedAt: last.startedAt,
        attempts: [...(before?.attempts ?? []), ...last.attempts.map((each) => ({ ...each, number: 2 }))],
      },
    ]);
  tell("run.running", run.id);
  return toRow(run);
}

const problem = (status: number, code: string, detail: string, hint: string) => ({
  status,
  body: { type: `https://sluice.dev/errors/${code}`, title: code, status, code, detail, hint },
});
const ok = (body: unknown, status = 200) => ({ status, body });

function answer(method: string, url: URL, body: { [key: string]: unknown }): { status: number; body: unknown } {
  const path = url.pathname.replace("/api/v1", "");
  const [, room = "", id = "", , sub = ""] = path.split("/");
  const action = path.split("/").at(-1);
  if (path === "/setup")
    return method === "GET"
      ? ok({ live: url.searchParams.get("token") === "good" })
      : problem(401, "SETUP_LINK_INVALID", "The setup link has expired.", "Restart Sluice; it prints a new one.");
  if (path === "/session" && method === "POST") {
    signedIn = body["password"] === "correct horse battery";
    return signedIn
      ? ok(user)
      : problem(
          401,
          "SIGN_IN_FAILED",
          "No account has this e-mail with this password.",
          "Check both. An administrator can set a new password with: sluice users",
        );
  }
  if (!signedIn) return problem(401, "UNAUTHENTICATED", "You are not signed in.", "Sign in.");
  if (path === "/session" && method === "DELETE") signedIn = false;
  if (path === "/session") return method === "DELETE" ? ok(undefined, 204) : ok(user);
  if (path === "/status") return ok(status);
  if (path === "/overview") return ok(overview());
  const run = runs.find((each) => each.id === id);
  if (room === "flows" && action === "send") return ok(sendSample(), 202);
  if (room === "flows" && id === "")
    return ok({
      items: runs.length ? [flow, otherFlow] : [{ ...flow, counts: {}, lastRunAt: null, medianMs: null }],
      next: null,
    });
  if (room === "flows" && sub === "")
    return id === flow.name
      ? ok(flow)
      : id === otherFlow.name
        ? ok(otherFlow)
        : problem(404, "FLOW_UNKNOWN", "no such flow", "");
  if (room === "runs" && id === "") return ok(page(url.searchParams));
  if (room === "runs" && !run)
    return problem(404, "RUN_UNKNOWN", `run "${id}" does not exist`, "List runs with: sluice runs");
  if (run && action === "resume") return ok(resume(run), 202);
  if (run && action === "cancel")
    return ok(Object.assign(run, { status: "cancelled", finishedAt: new Date().toISOString() }), 202);
  if (run) return ok(run);
  if (room === "keys" && method === "POST")
    return ok({ ...keys[0], name: body["name"], token: "sk_7Gq2mXc9v4LrTz1bNw8kYp5sHd3fJa6e" }, 201);
  return room === "keys"
    ? method === "DELETE"
      ? ok(undefined, 204)
      : ok({ items: keys, next: null })
    : problem(404, "NOT_FOUND", "nothing here", "");
}

function page(query: URLSearchParams): object {
  const wanted = query.get("status")?.split(",");
  const all = runs.filter(
    (run) => (!query.get("flow") || run.flow === query.get("flow")) && (!wanted || wanted.includes(run.status)),
  );
  const from = query.get("before") ? all.findIndex((run) => run.id === query.get("before")) + 1 : 0;
  const items = all.slice(from, from + 50);
  return { items: items.map(toRow), next: from + 50 < all.length ? items.at(-1)?.id : null };
}

const types: { [extension: string]: string } = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".html": "text/html; charset=utf-8",
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const root = join(import.meta.dirname, "../../dist/dashboard");
  const name = extname(path) ? path : "/index.html";
  const file = await readFile(join(root, name)).catch(() => null);
  response.writeHead(file ? 200 : 404, {
    "content-type": types[extname(name)] ?? "text/plain",
    "content-security-policy": policy,
  });
  response.end(file ?? "");
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (!url.pathname.startsWith("/api/")) return serveFile(url.pathname, response);
  if (url.pathname === "/api/v1/changes") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": hello\n\n");
    streams.add(response);
    request.on("close", () => streams.delete(response));
    return undefined;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = chunks.length ? (JSON.parse(Buffer.concat(chunks).toString()) as { [key: string]: unknown }) : {};
  const result = answer(request.method ?? "GET", url, body);
  response.writeHead(result.status, { "content-type": "application/json" });
  response.end(result.body === undefined ? "" : JSON.stringify(result.body));
}

createServer((request, response) => void handle(request, response)).listen(Number(port), "127.0.0.1");
