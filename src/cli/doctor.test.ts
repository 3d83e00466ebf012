import { rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../test/support/database.ts";
import { createProject, emptyFolder } from "./fixtures/project.ts";
import { runCli } from "./fixtures/run-cli.ts";

let folder: string;
let database: TestDatabase;
let server: Server;
let port: number;
/** What the program on the port answers. */
let answer = '{"status":"alive"}';

beforeAll(async () => {
  folder = await createProject();
  database = await testDatabase();
  server = createServer((_request, response) => response.end(answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(async () => {
  server.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

const secrets = { CLI_SLACK_TOKEN: "xoxb-1", CLI_HOOK_TOKEN: "a-long-enough-token-0123456789" };
const ports = () => ({ SLUICE_PUBLIC_PORT: String(port), SLUICE_ADMIN_PORT: "0" });

async function diagnose(environment: { [name: string]: string }, workingFolder = folder) {
  const { code, out } = await runCli(["doctor", "--json"], { in: workingFolder, environment });
  const { ok, checks } = JSON.parse(out) as {
    ok: boolean;
    checks: { check: string; status: string; message: string }[];
  };
  expect(code).toBe(ok ? 0 : 1);
  const told = (status: string) =>
    checks.filter((one) => one.status === status).map(({ check, message }) => `${check}: ${message}`);
  return { ok, good: told("ok"), warned: told("warn"), failed: told("fail") };
}

describe("sluice doctor", () => {
  it("finds nothing wrong in a good setting, and says what is simulated", async () => {
    answer = '{"status":"alive"}';
    const { ok, good, warned, failed } = await diagnose({ ...secrets, ...ports(), SLUICE_DATABASE_URL: database.url });
    expect({ ok, failed }).toEqual({ ok: true, failed: [] });
    expect(good).toContain("configuration: 1 flow: fragile");
    expect(good).toContain("database: its tables are up to date");
    expect(good).toContain("database: this machine's clock agrees with the database's");
    expect(good).toContain("secrets: set: CLI_HOOK_TOKEN, CLI_SLACK_TOKEN");
    expect(good).toContain(`ports: port ${port} of 127.0.0.1, for webhooks, is served by sluice now`);
    expect(warned).toContain(
      "models: fast and smart: the simulated model, as no model is configured and no provider key is set; its answers are SIMULATED",
    );
  });

  it("names missing secrets and who needs them, never a value", async () => {
    const { failed } = await diagnose({ ...ports(), CLI_SLACK_TOKEN: " " });
    expect(failed).toEqual([
      "secrets: CLI_HOOK_TOKEN is not set; the hook of flow fragile needs it",
      "secrets: CLI_SLACK_TOKEN is not set; connection slack needs it",
    ]);
    const { out } = await runCli(["doctor"], { in: folder, environment: { ...secrets, ...ports() } });
    for (const value of Object.values(secrets)) expect(out).not.toContain(value);
  });

  it("makes no database where there is none", async () => {
    const { good } = await diagnose({ ...secrets, ...ports() });
    expect(good).toContain("database: none yet; the first start makes it");
  });

  it("tells a foreign program on a port, a database that does not answer, and a key without its model", async () => {
    answer = "<html>";
    const { failed, good } = await diagnose({
      ...secrets,
      ...ports(),
      SLUICE_DATABASE_URL: "postgres://nobody:hidden@127.0.0.1:9/none",
      OPENAI_API_KEY: "sk-test",
    });
    expect(failed).toEqual([
      "database: DATABASE_UNAVAILABLE: the database does not answer (ECONNREFUSED)",
      `ports: port ${port} of 127.0.0.1, for webhooks, is in use by another program`,
    ]);
    expect(good.filter((line) => line.startsWith("models: "))).toHaveLength(2);
  });

  it("tells a broken configuration and a data folder that cannot be made, and looks at the rest all the same", async () => {
    const broken = await emptyFolder();
    await writeFile(join(broken, "sluice.config.ts"), "export default {");
    await writeFile(join(broken, ".sluice"), "a file, not a folder");
    const { failed, good } = await diagnose({ ...ports() }, broken);
    expect(failed[0]).toMatch(/^configuration: CONFIG_INVALID: sluice\.config\.ts cannot be loaded: /);
    expect(failed).toContain(`data folder: ${join(broken, ".sluice")} is a file, not a folder`);
    expect(good.some((line) => line.startsWith("node: Node v"))).toBe(true);
    await rm(broken, { recursive: true });
  });

  it("prints a line and a hint for each finding, with words for the states", async () => {
    const { code, out } = await runCli(["doctor"], { in: folder, environment: { ...ports() } });
    expect(code).toBe(1);
    expect(out).toMatch(/^ok +configuration +1 flow: fragile$/m);
    expect(out).toMatch(/^FAIL +secrets +CLI_HOOK_TOKEN is not set/m);
    expect(out).toMatch(/^ {6}hint: Set it in the environment/m);
    expect(out).toMatch(/failures?: sluice start would not work/);
  });
});
