import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { createApp, type App, type Config } from "sluice";
import { testDatabase } from "../support/database.ts";
import { openBrowser } from "./chromium.ts";

/** A running application with its dashboard in a browser. */
export interface OpenDashboard {
  readonly app: App;
  readonly page: Page;
  /** What the page threw, and what its content security policy refused. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** What {@link openDashboard} takes. */
export interface OpenDashboardOptions {
  readonly config: Config;
  /** Secrets of the configuration. Default: those of this process only. */
  readonly environment?: { readonly [name: string]: string };
  /** Run first on the same database, with other code of the flows, and closed again. */
  readonly before?: { readonly config: Config; readonly work: (app: App) => Promise<void> };
}

/** Starts an application with a sandbox on a database of its own, and a browser. */
export async function openDashboard({ config, environment, before }: OpenDashboardOptions): Promise<OpenDashboard> {
  const database = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), "sluice-browser-"));
  await chmod(folder, 0o755);
  const start = (given: Config): Promise<App> =>
    createApp({
      config: given,
      folder,
      sandbox: true,
      environment: { ...process.env, ...environment, SLUICE_DATABASE_URL: database.url },
      listen: { publicPort: 0, adminPort: 0 },
      log: { write: () => {} },
    });
  if (before) {
    const earlier = await start(before.config);
    await before.work(earlier);
    await earlier.close();
  }
  const app = await start(config);
  const browser = await openBrowser({ width: 1440, height: 900 });
  const page = await browser.context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
  return {
    app,
    page,
    complaints,
    async close() {
      await browser.close();
      await app.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A password that the dashboard takes. */
export const password = "a long enough passphrase";

/** Makes the first user, Ada Example, by the setup link. */
export async function setUp({ app, page }: Pick<OpenDashboard, "app" | "page">): Promise<void> {
  await page.goto((await app.setupLink()) ?? "");
  const form = page.getByTestId("setup");
  await form.getByLabel("Name").fill("Ada Example");
  await form.getByLabel(/e-mail/i).fill("ada@example.com");
  await form.getByLabel("Password", { exact: true }).fill(password);
  await form.getByRole("button", { name: /account|owner|create|begin/i }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}
