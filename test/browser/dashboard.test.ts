import type { Page } from "playwright-core";
import type { App } from "sluice";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import config from "../../examples/sluice.config.ts";
import { chromiumPath, hasChromium } from "./chromium.ts";
import { openDashboard, type OpenDashboard, password, setUp } from "./open-dashboard.ts";

if (!hasChromium) process.stderr.write(`skipped: there is no browser at ${chromiumPath}; apt-get install chromium\n`);

let dashboard: OpenDashboard;
let app: App;
let page: Page;

beforeAll(async () => {
  if (!hasChromium) return;
  dashboard = await openDashboard({ config });
  ({ app, page } = dashboard);
});

afterAll(async () => {
  if (hasChromium) await dashboard.close();
});

describe.skipIf(!hasChromium)("the dashboard", () => {
  it("makes the first user by the setup link, which then no longer works", async () => {
    await setUp(dashboard);
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
    expect(dashboard.complaints).toEqual([]);
  });
});
