import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { createApp, type App } from "sluice";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import config from "../../examples/sluice.config.ts";
import { testDatabase, type TestDatabase } from "../support/database.ts";
import { chromiumPath, hasChromium, openBrowser } from "./chromium.ts";

if (!hasChromium) process.stderr.write(`skipped: there is no browser at ${chromiumPath}; apt-get install chromium\n`);

let database: TestDatabase;
let folder: string;
let app: App;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  if (!hasChromium) return;
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "sluice-browser-"));
  await chmod(folder, 0o755);
  app = await createApp({
    config,
    folder,
    sandbox: true,
    environment: { ...process.env, SLUICE_DATABASE_URL: database.url },
    listen: { publicPort: 0, adminPort: 0 },
    log: { write: () => {} },
  });
  browser = await openBrowser({ width: 1440, height: 900 });
  page = await browser.context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
});

afterAll(async () => {
  if (!hasChromium) return;
  await browser.close();
  await app.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const password = "a long enough passphrase";

describe.skipIf(!hasChromium)("the dashboard", () => {
  it("makes the first user by the setup link, which then no longer works", async () => {
    const link = (await app.setupLink()) ?? "";
    await page.goto(link);
    const form = page.getByTestId("setup");
    await form.getByLabel("Name").fill("Ada Example");
    await form.getByLabel(/e-mail/i).fill("ada@example.com");
    await form.getByLabel("Password", { exact: true }).fill(password);
    await form.getByRole("button", { name: /account|owner|create|begin/i }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(await app.setupLink()).toBeNull();
  });

  it("refuses a wrong password and lets the right one in", async () => {
    await page.context().clearCookies();
    await page.goto(`${app.adminUrl}/flows`);
    const form = page.getByTestId("sign-in");
    await form.getByLabel(/e-mail/i).fill("ada@example.com");
    await form.getByLabel("Password").fill("not the password");
    await form.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await form.getByLabel("Password").fill(password);
    await form.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Flows" }).waitFor();
  });

  it("[R7] shows a failed run, and resumes it from the failed step without repeating an effect", async () => {
    await app.sandbox?.setFaults([{ system: "hubspot", kind: "invalid_authentication", times: 1 }]);
    await page.goto(`${app.adminUrl}/flows/lead-routing`);
    await page.getByTestId("send-sample").click();
    await page.locator('[data-testid="run-status"][data-status="failed"]').waitFor();
    await app.sandbox?.setFaults([]);
    await page.getByTestId("resume").click();
    await page
      .getByText(/will not be repeated/)
      .first()
      .waitFor();
    await page.getByTestId("resume-confirm").click();
    await page.locator('[data-testid="run-status"][data-status="succeeded"]').waitFor();
    expect(await app.sandbox?.slackMessages()).toHaveLength(1);
    expect(await app.sandbox?.hubspotContacts()).toHaveLength(1);
  });

  it("shows what was sent to the model, and that the answer is simulated", async () => {
    await page.locator('[data-testid="step"][data-step-name="analyse lead"]').first().click();
    await page
      .getByText(/2 sent/)
      .first()
      .waitFor();
    expect(await page.getByText("SIMULATED").count()).toBeGreaterThan(0);
  });

  it("lists a run as soon as another program starts it", async () => {
    await page.goto(`${app.adminUrl}/runs`);
    await page.getByTestId("run-row").first().waitFor();
    const before = await page.getByTestId("run-row").count();
    const payload = config.flows[0]!.trigger.samples["vague"]!;
    const { runId } = await app.workspace.events.accept({
      flow: "lead-routing", source: "test", dedupKey: "live", deliveryId: null, bodyDigest: "", payload, sample: false,
      receivedAt: new Date(),
    }); // oxfmt-ignore
    await page.locator(`[data-run-id="${runId}"] [data-status="succeeded"]`).waitFor();
    expect(await page.getByTestId("run-row").count()).toBe(before + 1);
  });

  it("breaks no rule of its content security policy and throws nothing", () => {
    expect(complaints).toEqual([]);
  });
});
