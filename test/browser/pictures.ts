/*
 * Takes the pictures of the documentation from the running product:
 *   node --conditions=sluice-source test/browser/pictures.ts [folder]    (default: docs/pictures)
 * Needs a built dashboard (npm run build) and Debian's Chromium.
 */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BrowserContext, Page } from "playwright-core";
import { type App, type AppOptions, createApp, type Json, secret } from "sluice";
import config from "../../examples/sluice.config.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { signSample } from "../../src/triggers/index.ts";
import { openBrowser } from "./chromium.ts";
import { enquiry as enquiryPayload, gatewayConfig } from "./fixtures/gateway-flows.ts";
import { startModelStandIns } from "./fixtures/model-stand-ins.ts";
import { setUp } from "./open-dashboard.ts";

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
await takeOfLeads();
await takeOfGateway();

/** The pages of an application, each with what is done on it before the picture is taken. */
type Pages = { readonly [name: string]: { readonly path: string; readonly prepare?: (page: Page) => Promise<void> } };

/** The example, as it is: leads, a failed run, refused deliveries. */
async function takeOfLeads(): Promise<void> {
  await withApp({ config, sandbox: true, simulatedLatencyMs: 600 }, async (app) => {
    for (const [at, payload] of [...Object.values(samples), ...more].entries()) await send(app, payload, `msg_${at}`);
    await send(app, samples["urgent and large"] ?? null, "msg_0");
    await app.sandbox?.setFaults([
      { system: "slack", kind: "ratelimited", times: 1, params: { retryAfterMs: 1000 } },
      { system: "hubspot", kind: "invalid_authentication", times: 1 },
    ]);
    const urgent = "We need 900 seats urgently, budget is approved, please call me today with a quote.";
    await send(app, lead("Nora Lind", "Fjord Retail", urgent), "msg_f");
    await fetch(`${app.publicUrl}/hooks/leads`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const [failed] = (await app.workspace.runs.list({ status: ["failed"] })).items;
    const [good] = (await app.workspace.runs.list({ status: ["succeeded"] })).items.toReversed();
    await takePictures(app, {
      overview: { path: "/" },
      runs: { path: "/runs" },
      flow: { path: "/flows/lead-routing" },
      run: {
        path: `/runs/${good?.id}`,
        prepare: (page) => page.locator('[data-step-name="analyse lead"]').first().click(),
      },
      "run-failed": { path: `/runs/${failed?.id}` },
      settings: { path: "/settings" },
    });
  });
}

/** Models with limits and a key whose quota is used up, masked calls, and runs that ask people. */
async function takeOfGateway(): Promise<void> {
  const standIns = await startModelStandIns();
  const { sandbox, environment } = standIns;
  try {
    await withApp({ config: gatewayConfig(sandbox), environment }, async (app) => {
      const { enquiry, discount, digest, waiting } = await runGatewayFlows(app, sandbox);
      await takePictures(app, {
        "needs-person": { path: "/" },
        models: {
          path: "/models",
          async prepare(page) {
            await page.getByTestId("test-models").click();
            await page.getByTestId("model-test").first().waitFor();
            await page.locator("[aria-busy=true]").first().waitFor({ state: "hidden" });
          },
        },
        costs: { path: "/costs" },
        ledger: { path: "/ledger", prepare: (page) => page.getByTestId("ledger-entry").first().waitFor() },
        "ai-call": { path: `/runs/${enquiry}`, prepare: openAiCall },
        "question-answer": { path: `/runs/${discount}` },
        "question-budget": { path: `/runs/${digest}` },
        "run-waiting": { path: `/runs/${waiting}` },
      });
    });
  } finally {
    await standIns.close();
  }
}

/** Gives the runs that are shown. The fallback's key has no quota left at the end. */
async function runGatewayFlows(app: App, sandbox: Sandbox) {
  const run = async (flow: string, at: number): Promise<string> => {
    const about = { source: "api", dedupKey: `${flow} ${at}`, deliveryId: null, bodyDigest: "", sample: false };
    const event = { ...about, flow, payload: enquiryPayload, receivedAt: new Date() };
    const { runId } = await app.engine.accept("default", event);
    for (let tries = 0; tries < 400; tries += 1) {
      const found = await app.workspace.runs.find(runId);
      if (found?.finishedAt || (found?.status === "waiting" && !found.executor)) return runId;
      await delay(50);
    }
    throw new Error(`run ${runId} of ${flow} does not end`);
  };
  for (let at = 0; at < 5; at += 1) await run("enquiry", at);
  await sandbox.setFaults([
    { system: "openai", kind: "schema_mismatch", times: 1 },
    { system: "openai", kind: "rate_limit_exceeded", times: 1, params: { retryAfterMs: 1000 } },
  ]);
  const enquiry = await run("enquiry", 5);
  const discount = await run("discount", 0);
  const digest = await run("digest", 0);
  await sandbox.setFaults([
    { system: "openai", kind: "model_not_found", times: 1 },
    { system: "anthropic", kind: "insufficient_quota" },
  ]);
  const waiting = await run("enquiry", 6);
  return { enquiry, discount, digest, waiting };
}

async function openAiCall(page: Page): Promise<void> {
  await page.locator('[data-step-name="analyse enquiry"]').getByRole("button").first().click();
  await page.getByTestId("ai-call").first().waitFor();
}

async function withApp(options: AppOptions, work: (app: App) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-pictures-"));
  await chmod(folder, 0o755);
  const listen = { publicPort: 0, adminPort: 0 };
  const environment = { ...process.env, ...options.environment };
  const app = await createApp({ ...options, environment, folder, listen, log: { level: "error" } });
  try {
    await work(app);
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function takePictures(app: App, pages: Pages): Promise<void> {
  let cookies: Awaited<ReturnType<BrowserContext["cookies"]>> | null = null;
  for (const [size, width, height] of [
    ["", 1280, 860],
    ["-phone", 390, 844],
  ] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      const { context, close } = await openBrowser({ width, height, colorScheme });
      const page = await context.newPage();
      if (cookies === null) {
        await setUp({ page, app });
        cookies = await context.cookies();
      } else await context.addCookies(cookies);
      for (const [name, { path, prepare }] of Object.entries(pages)) {
        await page.goto(`${app.adminUrl}${path}`);
        await page.locator("h1").first().waitFor();
        await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "hidden" });
        await prepare?.(page);
        await page.evaluate("document.fonts.ready");
        await savePicture(page, `${name}${size}${colorScheme === "dark" ? "-dark" : ""}.png`);
      }
      await close();
    }
  }
}

async function savePicture(page: Page, file: string): Promise<void> {
  if (targetFolder === undefined && !shown.has(file)) return;
  await page.screenshot({ path: join(target, file), fullPage: targetFolder !== undefined });
}
