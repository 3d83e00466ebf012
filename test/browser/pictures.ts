/*
 * Takes the pictures of the documentation from the running product:
 *   node --conditions=sluice-source test/browser/pictures.ts [folder]    (default: docs/pictures)
 * Needs a built dashboard (npm run build) and Debian's Chromium.
 */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { type App, createApp, type Json, secret } from "sluice";
import config from "../../examples/sluice.config.ts";
import { signSample } from "../../src/triggers/index.ts";
import { openBrowser } from "./chromium.ts";

const [flow] = config.flows;
const trigger = flow?.trigger;
if (trigger?.kind !== "webhook" || !("scheme" in trigger.verify)) throw new Error("the example has no signed flow");
const { verify, samples } = trigger;

const more: readonly Json[] = [
  lead("Ines Duarte", "Alba Freight", "Please send pricing for 120 seats. We would like to start next quarter."),
  lead(
    "Tom Becker",
    "Becker & Sons",
    "Does your API support single sign-on by SAML? Our IT needs to know before we decide.",
  ),
  lead(
    "Ruth Adeyemi",
    "Lakeside Clinics",
    "We want to buy 400 licences this month, budget approved. Who can call me today?",
  ),
  lead("Joon Park", "Park Ceramics", "Just looking around, thanks."),
];

function lead(name: string, company: string, message: string): Json {
  const email = `${name.toLowerCase().replaceAll(/[^a-z]+/g, ".")}@${company.toLowerCase().replaceAll(/[^a-z]+/g, "-")}.example`;
  return { name, email, company, message };
}

async function send(app: App, payload: Json, deliveryId: string): Promise<void> {
  const body = Buffer.from(JSON.stringify(payload));
  const key = app.revealSecret(secret("LEADS_FORM_SECRET"));
  const headers = signSample(verify, key, { body, sentAt: new Date(), deliveryId });
  const url = `${app.publicUrl}/hooks/leads?wait=20`;
  await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
}

const [, , targetFolder] = process.argv;
const target = resolve(targetFolder ?? "docs/pictures");
/** What the documentation shows; all others are taken only into a folder that was named. */
const shown = new Set(["run.png", "run-dark.png", "overview.png"]);
await mkdir(target, { recursive: true });
const folder = await mkdtemp(join(tmpdir(), "sluice-pictures-"));
await chmod(folder, 0o755);
const app = await createApp({
  config,
  folder,
  sandbox: true,
  listen: { publicPort: 0, adminPort: 0 },
  simulatedLatencyMs: 600,
  log: { level: "error" },
});
try {
  for (const [at, payload] of [...Object.values(samples), ...more].entries()) await send(app, payload, `msg_${at}`);
  await send(app, samples["urgent and large"] ?? null, "msg_0");
  await app.sandbox?.setFaults([
    { system: "slack", kind: "ratelimited", times: 1, params: { retryAfterMs: 1000 } },
    { system: "hubspot", kind: "invalid_authentication", times: 1 },
  ]);
  await send(
    app,
    lead(
      "Nora Lind",
      "Fjord Retail",
      "We need 900 seats urgently, budget is approved, please call me today with a quote.",
    ),
    "msg_f",
  );
  await fetch(`${app.publicUrl}/hooks/leads`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  await takePictures(app, (await app.setupLink()) ?? "");
} finally {
  await app.close();
  await rm(folder, { recursive: true, force: true });
}

async function takePictures(app: App, setupLink: string): Promise<void> {
  const [failed] = (await app.workspace.runs.list({ status: ["failed"] })).items;
  const [good] = (await app.workspace.runs.list({ status: ["succeeded"] })).items.toReversed();
  const pages = [
    ["overview", "/"],
    ["runs", "/runs"],
    ["flow", "/flows/lead-routing"],
    ["run", `/runs/${good?.id}`],
    ["run-failed", `/runs/${failed?.id}`],
    ["settings", "/settings"],
  ] as const;
  let first = true;
  let cookies: Awaited<ReturnType<Awaited<ReturnType<typeof openBrowser>>["context"]["cookies"]>> = [];
  for (const [size, width, height] of [
    ["", 1440, 900],
    ["-phone", 390, 844],
  ] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      const { context, close } = await openBrowser({ width, height, colorScheme });
      const page = await context.newPage();
      if (first) {
        await page.goto(setupLink);
        await page.getByLabel("Name").fill("Ada Example");
        await page.getByLabel(/e-mail/i).fill("ada@example.com");
        await page.getByLabel("Password", { exact: true }).fill("a long enough passphrase");
        await page.getByRole("button", { name: "Create account" }).click();
        await page.getByRole("heading", { name: "Overview" }).waitFor();
        cookies = await context.cookies();
        first = false;
      } else await context.addCookies(cookies);
      for (const [name, path] of pages) {
        await openPage(page, name, `${app.adminUrl}${path}`);
        await savePicture(page, `${name}${size}${colorScheme === "dark" ? "-dark" : ""}.png`);
      }
      await close();
    }
  }
}

async function openPage(page: Page, name: string, url: string): Promise<void> {
  await page.goto(url);
  await page.locator("h1").first().waitFor();
  await page
    .locator("[data-testid=run-row],[data-testid=step],[data-testid=send-sample],[data-testid=create-key]")
    .first()
    .waitFor();
  if (name === "run") await page.locator('[data-step-name="analyse lead"]').first().click();
  await page.evaluate("document.fonts.ready");
}

async function savePicture(page: Page, file: string): Promise<void> {
  if (targetFolder !== undefined || shown.has(file)) await page.screenshot({ path: join(target, file) });
}
