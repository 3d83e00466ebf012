import { setTimeout as delay } from "node:timers/promises";
import type { Page, Response } from "playwright-core";
import type { App } from "sluice";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/store/index.ts";
import { hasChromium } from "./chromium.ts";
import { enquiry, gatewayConfig } from "./fixtures/gateway-flows.ts";
import { startModelStandIns, type ModelStandIns } from "./fixtures/model-stand-ins.ts";
import { openDashboard, type OpenDashboard, setUp } from "./open-dashboard.ts";

let standIns: ModelStandIns;
let dashboard: OpenDashboard;
let app: App;
let page: Page;

beforeAll(async () => {
  if (!hasChromium) return;
  standIns = await startModelStandIns();
  dashboard = await openDashboard({ config: gatewayConfig(standIns.sandbox), environment: standIns.environment });
  ({ app, page } = dashboard);
  await setUp(dashboard);
});

afterAll(async () => {
  if (!hasChromium) return;
  await dashboard.close();
  await standIns.close();
});

let sent = 0;
/** Runs a flow until it has ended, or waits with nothing in memory. */
async function run(flow: string): Promise<string> {
  sent += 1;
  const about = { source: "test", dedupKey: `sent ${sent}`, deliveryId: null, bodyDigest: "", sample: false };
  const event = { ...about, flow, payload: enquiry, receivedAt: new Date() };
  const { runId } = await app.engine.accept("default", event);
  await until(runId, ({ finishedAt, status, executor }) => finishedAt !== null || (status === "waiting" && !executor));
  return runId;
}

/** Waits until a run is as it should be. @throws after ten seconds. */
async function until(runId: string, holds: (found: RunRecord) => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(25)) {
    const found = await app.workspace.runs.find(runId);
    if (found && holds(found)) return;
  }
  throw new Error(`run ${runId} did not come to where it should be`);
}

const open = (path: string) => page.goto(`${app.adminUrl}${path}`);
const openStep = (name: string) => page.locator(`[data-step-name="${name}"]`).getByRole("button").first().click();

let enquiryRun: string;

describe.skipIf(!hasChromium)("an AI call on the page of its run", () => {
  it("[R8] shows which fields left, where from, and the text as it was sent, with placeholders", async () => {
    enquiryRun = await run("enquiry");
    await open(`/runs/${enquiryRun}`);
    await openStep("analyse enquiry");
    const aiCall = page.getByTestId("ai-call");
    await aiCall.getByText("2 sent").waitFor();
    await aiCall.getByText(/masked before it left/).waitFor();
    await aiCall
      .getByTitle(/^Masked: person/)
      .first()
      .waitFor();
    expect(await aiCall.innerText()).not.toContain("jane.smith@");
    expect(await aiCall.innerText()).toMatch(/set aside\s+\$0\.0/i);
  });
});

describe.skipIf(!hasChromium)("the models page", () => {
  it("shows each name's models in their order, with limits, and tests them", async () => {
    await open("/models");
    const fast = page.locator("section").filter({ has: page.locator('[data-model="fast"]') });
    await fast.getByText("sandbox-mini").waitFor();
    await fast.getByText("sandbox-haiku").waitFor();
    await fast
      .getByText(/of 60$/)
      .first()
      .waitFor();
    await fast.getByTestId("test-model").click();
    await expect.poll(() => fast.locator('[data-testid="model-test"][data-ok="true"]').count()).toBe(2);
  });

  it("tells that a key's quota is used up, and lets calls through again at a click", async () => {
    await standIns.sandbox.setFaults([{ system: "openai", kind: "insufficient_quota" }]);
    await run("enquiry");
    await open("/models");
    await page.getByText(/the quota is used up/).waitFor();
    await standIns.sandbox.setFaults([]);
    await page.getByTestId("resume-circuit").click();
    await page.getByText(/the quota is used up/).waitFor({ state: "hidden" });
  });
});

describe.skipIf(!hasChromium)("the costs page", () => {
  it("tells what was spent by flow, model and day, and how full the budgets are", async () => {
    await open("/costs");
    const table = page.getByTestId("cost-table");
    await table.getByRole("link", { name: "enquiry" }).waitFor();
    await expect.poll(() => page.getByTestId("budget").count()).toBeGreaterThan(1);
    await page.getByRole("link", { name: "By model" }).click();
    await table.getByText("openai/sandbox-mini").waitFor();
    await page.getByRole("link", { name: "30 days" }).click();
    await page.getByRole("img", { name: /^Cost per day from/ }).waitFor();
  });
});

describe.skipIf(!hasChromium)("what runs ask people", () => {
  it("is answered by a form of the schema, which begins with what the model said", async () => {
    const runId = await run("discount");
    await open("/");
    await page.locator(`[data-testid="question-row"][data-run-id="${runId}"]`).getByRole("link").click();
    const question = page.getByTestId("question");
    await question.getByText(/percent must be at most 15/i).waitFor();
    expect(await question.getByLabel("percent").inputValue()).toBe("80");
    await question.getByLabel("percent").fill("a lot");
    expect(await question.getByTestId("give-answer").isDisabled()).toBe(true);
    await question.getByLabel("percent").fill("10");
    await question.getByLabel("reason").fill("A first order.");
    await question.getByTestId("give-answer").click();
    await page.locator('[data-testid="run-status"][data-status="succeeded"]').waitFor();
    expect(await app.workspace.runs.find(runId)).toMatchObject({ output: { percent: 10, reason: "A first order." } });
  });

  it("[R9] is whether a call may cost more than its budget has, with the sums", async () => {
    const runId = await run("digest");
    await open(`/runs/${runId}`);
    const question = page.getByTestId("question");
    await question.getByText("This call, at most").waitFor();
    await question.getByTestId("allow-budget").click();
    await page.locator('[data-testid="run-status"][data-status="succeeded"]').waitFor();
  });
});

describe.skipIf(!hasChromium)("the ledger page", () => {
  it("finds what was sent about a person, verifies the chain, and leaves the person out of its address", async () => {
    await open("/ledger");
    await page.getByTestId("verify-ledger").click();
    await page.locator('[data-testid="verdict"][data-ok="true"]').waitFor();
    await page.getByLabel("About whom").fill(enquiry.email);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText(`About ${enquiry.email}`).waitFor();
    await page.locator(`[data-testid="ledger-entry"][data-kind="model.intended"]`).first().waitFor();
    expect(page.url()).not.toContain("jane");
  });

  it("[R8] erases a person once the subject was typed again; the content is gone and the chain still holds", async () => {
    await page.getByTestId("erase").click();
    await page
      .getByTestId("erase-extent")
      .getByText(/run.*AI call/)
      .waitFor();
    const confirm = page.getByTestId("erase-confirm");
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel("Type it again to confirm").fill(enquiry.email);
    await confirm.click();
    await page.getByTestId("erased").waitFor();
    await page.getByTestId("verify-ledger").click();
    await page.locator('[data-testid="verdict"][data-ok="true"]').waitFor();
    await open(`/runs/${enquiryRun}`);
    await openStep("analyse enquiry");
    await page
      .getByTestId("ai-call")
      .getByText(/It was erased/)
      .first()
      .waitFor();
  });
});

describe.skipIf(!hasChromium)("all of these pages", () => {
  it("are there with less than 200 kB over the wire", async () => {
    const network = await page.context().newCDPSession(page);
    await network.send("Network.enable");
    await network.send("Network.setCacheDisabled", { cacheDisabled: true });
    const totals = new Map<string, number>();
    for (const path of ["/", `/runs/${enquiryRun}`, "/models", "/costs", "/ledger"]) {
      const responses: Response[] = [];
      const collect = (response: Response) => {
        if (!new URL(response.url()).pathname.startsWith("/api/")) responses.push(response);
      };
      // What the page before still asks for is none of this one.
      await page.goto("about:blank");
      page.on("response", collect);
      await open(path);
      await page.locator("h1").first().waitFor();
      await page.evaluate("document.fonts.ready");
      page.off("response", collect);
      const sizes = await Promise.all(responses.map((response) => response.request().sizes()));
      totals.set(
        path,
        sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0),
      );
    }
    // Less than half of that, and something was not counted.
    expect([...totals].filter(([, bytes]) => bytes < 100_000 || bytes > 200_000)).toEqual([]);
  });

  it("break no rule of the content security policy and throw nothing", () => {
    expect(dashboard.complaints).toEqual([]);
  });
});
