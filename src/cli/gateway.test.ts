import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../test/support/database.ts";
import { createApp } from "../app.ts";
import { createProject } from "./fixtures/project.ts";
import { type CliSurroundings, runCli } from "./fixtures/run-cli.ts";
import { loadConfig } from "./load-config.ts";

/** `leads` is run by the simulated model before the tests begin; `tickets` never is. */
const flowSource = () => `
import { call, flow, secret, z } from "sluice";
import { slackConnection } from "sluice/slack";

export const slack = slackConnection({ name: "slack", token: secret("CLI_SLACK_TOKEN") });
const payload = z.object({ email: z.email(), message: z.string() });
const samples = { jane: { email: "jane.doe@example.com", message: "Write to jane.doe@example.com | today" } };
const send = (name) => async ({ message }, { ai }) => ai.text(name, { instructions: "Summarise.", send: { message, tone: "kind" } });

export const leads = flow({ name: "leads", trigger: call({ payload, samples }), run: send("summarise lead") });
export const tickets = flow({ name: "tickets", trigger: call({ payload, samples }), run: send("summarise ticket") });
`;

let folder: string;
let database: TestDatabase;
let model: Server;
let modelCalls = 0;
let config = "sluice.config.ts";
const environment = () => ({ SLUICE_DATABASE_URL: database.url, MODEL_KEY: "key-of-a-model" });

beforeAll(async () => {
  folder = await createProject(flowSource, "leads, tickets");
  database = await testDatabase();
  await runLead();
  model = await startModel();
  await configureModels((model.address() as AddressInfo).port);
  config = "models.config.ts";
});

afterAll(async () => {
  model.closeAllConnections();
  model.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** Runs the flow once with the simulated model. */
async function runLead(): Promise<void> {
  const app = await createApp({
    config: await loadConfig(join(folder, "sluice.config.ts")),
    folder: join(folder, ".sluice"),
    environment: environment(),
    sandbox: true,
    listen: null,
    log: { write: () => {} },
  });
  try {
    expect((await run(["run", "leads", "--sample", "jane"])).code).toBe(0);
  } finally {
    await app.close();
  }
}

/** A server that answers every chat with "ok". */
async function startModel(): Promise<Server> {
  const message = { role: "assistant", content: "ok" };
  const usage = { prompt_tokens: 12, completion_tokens: 1, total_tokens: 13 };
  const answer = { id: "1", created: 1, model: "m-1", choices: [{ index: 0, message, finish_reason: "stop" }], usage };
  const server = createServer((_request, response) => {
    modelCalls += 1;
    response.setHeader("content-type", "application/json");
    response.setHeader("x-ratelimit-limit-requests", "60");
    response.setHeader("x-ratelimit-remaining-requests", "59");
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** `fast` is the server of the test, with one that does not answer behind it. */
const configureModels = (port: number): Promise<void> =>
  writeFile(
    // Another name: a module that was loaded stays as it was.
    join(folder, "models.config.ts"),
    `
import { defineConfig, secret } from "sluice";
import { leads, tickets, slack } from "./flow.ts";
const here = {
  provider: "openai-compatible", model: "m-1", baseUrl: "http://127.0.0.1:${port}/v1", apiKey: secret("MODEL_KEY"), region: "eu",
  price: { inputUsdPerMillion: 0.25, outputUsdPerMillion: 2 }, limits: { requestsPerMinute: 60, concurrency: 4 },
} as const;
export default defineConfig({
  flows: [leads, tickets], connections: [slack],
  models: { fast: [here, { ...here, model: "m-2", baseUrl: "http://127.0.0.1:1/v1", price: undefined }], quiet: { provider: "simulated" } },
});
`,
  );

const run = (argv: readonly string[], surroundings: Partial<CliSurroundings> = {}) =>
  runCli([...argv, "--config", config], { in: folder, environment: environment(), ...surroundings });

/** What the commands answer with `--json`, all in one. */
interface Answer {
  readonly ok: boolean;
  readonly items: readonly { readonly id: string }[];
  readonly next: string;
  readonly results: readonly object[];
  readonly limits: readonly object[];
  readonly flows: readonly object[];
  readonly lines: number;
}

async function runJson(argv: readonly string[]): Promise<{ code: number; value: Answer }> {
  const { code, out, err } = await run([...argv, "--json"]);
  expect(err).toBe("");
  return { code, value: JSON.parse(out) as Answer };
}

describe("sluice models", () => {
  it("lists what each name stands for, in the order in which they are asked, with price and state", async () => {
    const { code, out, err } = await run(["models"]);
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd().replaceAll(/ {2,}/g, " | "));
    expect(lines).toEqual([
      "name | model | provider | region | may be sent | a million tokens",
      "fast | m-1 | openai-compatible | eu | $0.25 in, $2.00 out (own price) | ✓ ready",
      " | then | m-2 | openai-compatible | eu | price unknown | ✓ ready",
      "quiet | simulated-1 | simulated | free | SIMULATED",
      "smart | m-1 | openai-compatible | eu | $0.25 in, $2.00 out (own price) | ✓ ready",
      " | then | m-2 | openai-compatible | eu | price unknown | ✓ ready",
    ]);
    expect(err).toContain("fast: configured\n");
  });

  it("test calls each model once, and exits with 1 when one does not answer", async () => {
    const { code, out, err } = await run(["models", "test", "fast"]);
    expect(code).toBe(1);
    expect(out).toMatch(/fast +m-1 .*✓ answers .* \$0\.000005 +59 left of 60 requests\n/);
    expect(out).toMatch(/fast +m-2 .*✗ fails/);
    expect(err).toMatch(/fast, m-2:\nerror (EGRESS|MODEL)_\w+: /);
    const { value } = await runJson(["models", "test", "quiet"]);
    expect(value.results).toMatchObject([{ ok: true, provider: "simulated" }]);
    const before = modelCalls;
    expect((await runJson(["models", "test"])).value.results).toHaveLength(5);
    expect(modelCalls - before).toBe(1);
    expect((await run(["models", "test", "gone"])).err).toContain("error MODEL_UNKNOWN");
  });

  it("resume closes an open circuit, and the ledger says so", async () => {
    const bucket = "MODEL_KEY openai-compatible/m-1";
    await database.query(
      `insert into sluice.model_buckets (bucket, credential, seen_at) values ('${bucket}', 'MODEL_KEY', now())`,
    );
    await database.query(
      "insert into sluice.model_credentials (credential, circuit, opened_at, probe_at) values ('MODEL_KEY', 'quota', now(), now() + interval '1 hour')",
    );
    expect((await run(["models"])).out).toContain("✗ stopped: its quota is used up, tried again at ");
    expect(await run(["models", "resume", "MODEL_KEY"])).toMatchObject({
      code: 0,
      out: "Resumed MODEL_KEY: calls go out again.\n",
    });
    expect((await run(["models", "resume", "MODEL_KEY"])).code).toBe(1);
    const found = await runJson(["ledger", "search", "--kind", "circuit.resumed"]);
    expect(found.value.items).toMatchObject([{ data: { credential: "MODEL_KEY", by: "cli" } }]);
  });

  it("says what it has, for a word that it does not know", async () => {
    const { code, err } = await run(["models", "fast"]);
    expect(code).toBe(2);
    expect(err).toContain("unknown command 'fast' of models\nhint: It has list, test, resume.");
  });
});

it("sluice limits shows each bucket once, with what is used of its limits", async () => {
  const { code, out } = await run(["limits"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^m-1 of openai-compatible {2}✓ ready {2}MODEL_KEY\n/);
  expect(out.match(/m-2 of/g)).toHaveLength(1);
  expect(out).toMatch(/requests +0 +of 60 +in 1 min/);
  expect(out).toMatch(/under way +0 +of 4\n/);
  const { value } = await runJson(["limits"]);
  expect(value.limits).toMatchObject([{ model: "m-1", inFlight: 0 }, { model: "m-2" }]);
});

describe("sluice costs", () => {
  it("tells what calls cost by what is asked for, with a line for all", async () => {
    const { code, out, err } = await run(["costs", "--by", "model", "--days", "1"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    expect(lines.map((cells) => [cells[0], cells[1], cells[5], cells[7]])).toEqual([
      ["model", "calls", "cost", "succeeded"],
      ["simulated/simulated-1", "1", "$0.00", "1"],
      ["all", "1", "$0.00", "1"],
    ]);
    const { value } = await runJson(["costs"]);
    expect(value).toMatchObject({ rows: [{ key: "leads", calls: 1 }], total: { calls: 1, runs: 1 }, budgets: [] });
  });

  it("refuses what it cannot tell by", async () => {
    expect((await run(["costs", "--by", "person"])).code).toBe(2);
    expect((await run(["costs", "--days", "0"])).err).toContain("It must be a whole number from 1 to 400.");
  });
});

describe("sluice flows data-map", () => {
  it("tells observed and traced calls apart, as a table, Markdown and JSON", async () => {
    const { out } = await run(["flows", "data-map"]);
    expect(out).toMatch(/^leads {2}from API call\n/);
    expect(out).toMatch(/summarise lead +message +message +EMAIL +simulated\/simulated-1 +1 call/);
    expect(out).toMatch(/summarise ticket +message +message +EMAIL +openai-compatible\/m-1 in eu +a trace/);
    expect(out).toMatch(/ +tone +made by the flow +nothing/);

    const markdown = (await run(["flows", "data-map", "--markdown"])).out.split("\n");
    expect(markdown[0]).toBe("# What goes to AI models");
    expect(markdown).toContain("## tickets");
    expect(markdown).toContain("| Step | Field | Source | Goes to | Masked | Basis |");
    expect(markdown).toContain(
      "| summarise ticket | tone | made by the flow | openai-compatible, m-1, eu | nothing | traced from a sample |",
    );
    expect(
      markdown.some((line) =>
        /^\| summarise lead \| message .* nowhere \(simulated model\) .*observed once, last /.test(line),
      ),
    ).toBe(true);

    const { value } = await runJson(["flows", "data-map"]);
    expect(value.flows).toMatchObject([
      {
        flow: "leads",
        calls: [{ basis: "observed", calls: 1, fields: [{ name: "message", seen: 1 }, { name: "tone" }] }],
      },
      { flow: "tickets", note: null, calls: [{ basis: "traced", calls: 0, lastAt: null }] },
    ]);
  });
});

describe("sluice ledger", () => {
  it("search finds what was sent in runs about a person, and quotes nobody", async () => {
    const { code, out } = await run(["ledger", "search", "--subject", "Jane.Doe@example.com"]);
    expect(code).toBe(0);
    expect(out).toMatch(/model\.called .*\n.*model\.intended +simulated\/simulated-1; message, tone +run_/);
    expect(out).not.toContain("example.com");
    expect((await run(["ledger", "search", "--subject", "nobody@example.com"])).err).toBe("No entry fits.\n");
    const page = await runJson(["ledger", "search", "--limit", "1"]);
    expect((await run(["ledger", "search", "--before", page.value.next, "--limit", "200"])).out).toContain(
      "model.intended",
    );
  });

  it("export writes a line for each entry and the head, and over no file", async () => {
    const { out } = await run(["ledger", "export"]);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines.at(-1)).toHaveProperty("head");
    expect(lines[0]).toMatchObject({ seq: 1, kind: "model.intended" });
    const written = await runJson(["ledger", "export", "--output", "ledger.ndjson"]);
    expect(written.value.lines).toBe(lines.length);
    const [first, second] = out.split("\n");
    expect(await readFile(join(folder, "ledger.ndjson"), "utf8")).toContain(`${first}\n${second}\n`);
    expect((await run(["ledger", "export", "--output", "ledger.ndjson"])).err).toContain("cannot be written (EEXIST)");
  });

  it("erase asks first, is refused where nobody can be asked, and makes the run unreadable", async () => {
    const erase = ["ledger", "erase", "--subject", "jane.doe@example.com"];
    const unasked = await run(erase);
    expect(unasked.code).toBe(2);
    expect(unasked.err).toContain("erasing cannot be undone, and nobody can be asked");
    expect(await run(erase, { isTerminal: true, input: "n\n" })).toMatchObject({ code: 1 });
    const erased = await run([...erase, "--yes"]);
    expect(erased.out).toMatch(/^Erased what 1 run with 1 AI call held\. Entry \d+ of the ledger says so\.\n$/);
    const { value } = await runJson(["runs"]);
    const shown = await run(["runs", "show", value.items[0]?.id ?? "", "--json"]);
    expect(shown.out).not.toContain("example.com");
  });

  it("verify holds after all of that, and finds an entry that was changed", async () => {
    const held = await run(["ledger", "verify"]);
    expect(held.code).toBe(0);
    expect(held.out).toContain("✓ the ledger holds");
    await database.query(
      "begin; alter table sluice.ledger disable trigger all; grant update on sluice.ledger to current_user; update sluice.ledger set kind = 'model.called' where seq = 1; commit",
    );
    const broken = await run(["ledger", "verify"]);
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("✗ the ledger does not hold");
    expect(broken.out).toContain("entry 1: its hash does not fit what it holds");
    expect((await runJson(["ledger", "verify"])).value.ok).toBe(false);
  });
});
