import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCli } from "../src/cli/fixtures/run-cli.ts";
import { routes } from "../src/server/api/routes.ts";
import { readAllTables } from "../test/support/stored-text.ts";
import type { Client, Role } from "./leak-client.ts";
import type { Begun } from "./leak-deliveries.ts";
import type { Stage } from "./leak-stage.ts";
import type { ServiceProcess } from "./service-process.ts";

/** Answers that hold content, for whoever may read it: of runs, questions and samples. */
const contentRoutes: ReadonlySet<string> = new Set([
  "getRun",
  "listRuns",
  "listQuestions",
  "getFlow",
  "saveSample",
  "cancelRun",
  "ruleEffect",
]);

/** Whether a place that was heard may hold content: routes of content, for anybody but nobody; and `runs show`. */
export function mayHoldContent(place: string): boolean {
  const [route = "", who] = place.split(" for ");
  return (contentRoutes.has(route) && who !== "anonymous") || place.startsWith("sluice runs show");
}

const readers: readonly Role[] = ["anonymous", "viewer", "auditor", "session"];

/** Asks every route of the API as everybody, with somebody's data in all bodies, and every page. */
export async function readEverything(stage: Stage, service: ServiceProcess, begun: readonly Begun[]): Promise<void> {
  const client = stage.client(service);
  const { body: failures } = await client.ask("admin", "listFailures", "/api/v1/failures");
  const [fingerprint] = /[0-9a-f]{8,}/.exec(JSON.stringify(failures)) ?? ["none"];
  for (const route of routes) {
    if (route.id === "streamChanges") continue;
    const { method, id: name } = route;
    // What acts is asked only by those who may not.
    for (const who of method === "GET" ? readers : (["anonymous"] as const)) {
      const ids = name === "getRun" && who !== "anonymous" ? begun.map(({ runId }) => runId) : [begun[0]?.runId ?? ""];
      for (const id of ids) {
        const path = fill(route.path, { id, fingerprint, name: "leads", sample: "kept" });
        const body = method === "GET" ? {} : { body: stage.people[0].lead };
        await client.ask(who, name, `/api/v1${path}`, { method, ...body });
      }
    }
  }
  await readPages(service, client);
}

function fill(path: string, parameters: { readonly [name: string]: string }): string {
  const filled = path.replaceAll(/:(\w+)/g, (_whole, name: string) => encodeURIComponent(parameters[name] ?? ""));
  return filled === "/setup" ? "/setup?token=none" : filled;
}

/** What stands beside the API, and what refuses. */
async function readPages({ publicUrl }: ServiceProcess, client: Client): Promise<void> {
  for (const path of [
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/metrics",
    "/",
    "/runs",
    "/api/v1/none",
    "/api/v1/costs?by=none",
  ]) {
    await client.ask("anonymous", `page ${path}`, path);
    await client.ask("session", `page ${path}`, path);
  }
  for (const path of ["/healthz", "/readyz", "/", "/hooks/leads", "/metrics"]) await fetch(`${publicUrl}${path}`);
}

/** Asks with somebody's data in the address, whose answers may say it again to whoever asked: what is logged of it counts. */
export async function askAbout(stage: Stage, service: ServiceProcess): Promise<void> {
  const [{ lead }] = stage.people;
  const [email, name] = [lead.email, lead.name].map(encodeURIComponent);
  const authorization = `Bearer ${keyOf(stage, "auditor")}`;
  const paths = [
    `ledger?subject=${email}`,
    `ledger?kind=${name}`,
    `runs/${email}`,
    `flows/${name}`,
    `${email}`,
    `setup?token=${email}`,
  ];
  for (const path of paths) {
    await fetch(`${service.adminUrl}/api/v1/${path}`, { headers: { authorization } });
    await fetch(`${service.adminUrl}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${lead.name}`, cookie: `sluice_session=${email}` },
    });
  }
  const headers = { "content-type": "application/json", origin: service.adminUrl };
  const body = JSON.stringify({ email: lead.email, password: lead.phone });
  await fetch(`${service.adminUrl}/api/v1/session`, { method: "POST", headers, body });
}

/** Runs the commands that read; all that they print is heard. */
export async function readCommands(stage: Stage, begun: readonly Begun[], isShort: boolean): Promise<void> {
  const config = fileURLToPath(new URL("leak.config.ts", import.meta.url));
  const failed = begun.find(({ flow }) => flow === "broken")?.runId ?? "";
  const all = [
    ["runs", "list", "--limit", "200"],
    ["runs", "failures"],
    ["runs", "show", begun[0]?.runId ?? ""],
    ["runs", "show", failed, "--json"],
    ["models"],
    ["limits"],
    ["costs"],
    ["ledger", "search", "--limit", "200", "--json"],
    ["ledger", "export"],
    ["ledger", "verify"],
    ["flows", "data-map", "--json"],
    ["flows", "data-map", "--markdown"],
    ["doctor", "--debug"],
  ];
  for (const argv of isShort ? all.filter(([word]) => word === "runs" || word === "ledger") : all) {
    const { out, err } = await runCli([...argv, "--config", config, "--folder", stage.lab.folder], {
      in: stage.lab.folder,
      environment: { ...stage.environment },
    });
    stage.hear(`sluice ${argv.join(" ")}`, out + err);
  }
}

/** Listens to live events until it is told to stop. */
export async function listenToChanges(stage: Stage, { adminUrl }: ServiceProcess): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  const headers = { authorization: `Bearer ${keyOf(stage, "viewer")}` };
  const response = await fetch(`${adminUrl}/api/v1/changes`, { headers, signal: stopping.signal });
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of response.body ?? [])
      stage.hear("streamChanges for viewer", decoder.decode(chunk, { stream: true }));
  })();
  // The service may be killed meanwhile, and the end is an abort.
  const ended = reading.catch(() => {});
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** In the order of {@link openStage}. */
function keyOf({ secrets }: Stage, role: "viewer" | "auditor"): string {
  return secrets.find(({ name }) => name === "API keys")?.forms[role === "viewer" ? 0 : 1] ?? "";
}

/** All rows of all tables, by table. */
export function dumpTables(stage: Stage): Promise<ReadonlyMap<string, string>> {
  return stage.lab.withDatabase(({ query }) =>
    readAllTables({ query: async (text: string) => ({ rows: await query(text) }) } as never),
  );
}

/** Every file of the folder but those of the outside systems and Postgres' own, whose log counts: logs, heads of the ledger, whatever there is. */
export async function readFiles(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const own = names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/^(?:postgres|outside)\//.test(path.slice(folder.length + 1)) || path.endsWith(".log"));
  const texts = await Promise.all(
    own.map(async (path) => [path.slice(folder.length + 1), await readFile(path, "latin1")] as const),
  );
  return new Map(texts);
}

/** What the stand-ins of models were given, by system. */
export async function readModels(stage: Stage): Promise<Map<string, string>> {
  const calls = (await stage.lab.sandbox.calls()).filter(({ system }) =>
    ["openai", "anthropic", "cohere"].includes(system),
  );
  const texts = [...Map.groupBy(calls, ({ system }) => system)].map(
    ([system, ofSystem]) => [`requests to ${system}`, JSON.stringify(ofSystem)] as const,
  );
  return new Map([...texts, ["requests to the mirror", stage.mirror.received.join("\n")]]);
}
