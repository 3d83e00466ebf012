import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { App, Json } from "sluice";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/store/index.ts";
import { hasChromium } from "./chromium.ts";
import { durableConfig, mend } from "./fixtures/durable-flows.ts";
import { openDashboard, type OpenDashboard, setUp } from "./open-dashboard.ts";

let dashboard: OpenDashboard;
let app: App;
let page: Page;

beforeAll(async () => {
  if (!hasChromium) return;
  dashboard = await openDashboard({
    config: durableConfig(true),
    before: {
      config: durableConfig(),
      async work(earlier) {
        for (const order of ["M-1", "M-2", "M-3"]) {
          const runId = await send(earlier, "monthly-report", { order, amount: 1 });
          await until(earlier, runId, ({ status, executor }) => status === "waiting" && executor === null);
        }
      },
    },
  });
  ({ app, page } = dashboard);
  await setUp(dashboard);
});

afterAll(async () => {
  if (hasChromium) await dashboard.close();
});

let sent = 0;
async function send(to: App, flow: string, payload: Json): Promise<string> {
  sent += 1;
  const about = { source: "test", dedupKey: `sent ${sent}`, deliveryId: null, bodyDigest: "", sample: false };
  return (await to.engine.accept("default", { ...about, flow, payload, receivedAt: new Date() })).runId;
}

/** Waits until a run is as it should be. @throws after ten seconds. */
async function until(of: App, runId: string, holds: (run: RunRecord) => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(25)) {
    const run = await of.workspace.runs.find(runId);
    if (run && holds(run)) return;
  }
  throw new Error(`run ${runId} did not come to where it should be`);
}

const ended = ({ finishedAt }: RunRecord): boolean => finishedAt !== null;
const status = (name: string) => page.locator(`[data-testid="run-status"][data-status="${name}"]`);
const step = (path: string) => page.locator(`[data-step-path="${path}"]`);
const open = (path: string) => page.goto(`${app.adminUrl}${path}`);

describe.skipIf(!hasChromium)("a run in doubt", () => {
  it("[R4] stands first on the overview, and goes on with a person's answer, whose name stays on the receipt", async () => {
    const runId = await send(app, "refund", { order: "A-1", amount: 5 });
    await until(app, runId, ended);
    await open("/");
    await page.getByTestId("question-row").getByRole("link", { name: "Answer" }).click();
    const question = page.getByTestId("question");
    await question.getByText(`${runId}/1`).waitFor();
    expect(await page.getByTestId("resume").count()).toBe(0);

    const answer = question.getByTestId("answer");
    expect(await answer.isDisabled()).toBe(true);
    await question.getByLabel("It happened").check();
    const output = question.getByLabel(/as JSON/);
    await output.fill("{ not json");
    await question.getByText(/Not valid JSON/).waitFor();
    expect(await answer.isDisabled()).toBe(true);
    await output.fill('{ "refund": "re_1" }');
    await answer.click();

    await status("succeeded").waitFor();
    expect(await app.workspace.runs.find(runId)).toMatchObject({ output: { order: "A-1", paid: { refund: "re_1" } } });
    await step("1").getByRole("button").first().click();
    await page
      .getByTestId("ruling")
      .getByText(/It happened.*by Ada Example/)
      .waitFor();
  });

  it("can be answered with the keyboard alone", async () => {
    const runId = await send(app, "refund", { order: "A-2", amount: 5 });
    await until(app, runId, ended);
    await open(`/runs/${runId}`);
    const first = page.getByTestId("question").getByRole("radio").first();
    await first.focus();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("button", { name: "Answer: it did not, and should not" }).waitFor();
    await page.keyboard.press("Enter");
    await status("failed").waitFor();
    expect(await app.workspace.runs.find(runId)).toMatchObject({ error: { code: "EFFECT_NOT_DONE" } });
  });

  it("asks for the item of a map that is in doubt, and for no other", async () => {
    const runId = await send(app, "refund-all", { orders: ["A-3", "lost", "A-4"] });
    await until(app, runId, ended);
    await open(`/runs/${runId}`);
    const question = page.getByTestId("question");
    await question.getByText(`${runId}/0.1.0`).waitFor();
    await question.getByLabel("It happened").check();
    await question.getByTestId("answer").click();
    await status("succeeded").waitFor();
    await page.getByTestId("item-counts").getByText("3 done").waitFor();
    expect(await app.workspace.runs.find(runId)).toMatchObject({ output: [{ order: "A-3" }, null, { order: "A-4" }] });
  });
});

describe.skipIf(!hasChromium)("failures of one kind", () => {
  const names = Array.from({ length: 12 }, (_, index) => `Customer${index}`);

  it("[R7] stand together, and those that are selected are resumed after a look at their effects", async () => {
    await app.sandbox!.setFaults([{ system: "hubspot", kind: "invalid_authentication" }]);
    const ids = await Promise.all(names.map((name) => send(app, "welcome", { name, company: "Alba" })));
    for (const id of ids) await until(app, id, ended);
    await app.sandbox!.setFaults([]);

    await open("/failures");
    await page.getByTestId("failure").filter({ hasText: "welcome" }).getByRole("link").click();
    const runs = page.getByTestId("failed-run");
    await expect.poll(() => runs.count()).toBe(names.length);
    for (const at of [0, 1]) await runs.nth(at).getByRole("checkbox").check();
    await page.getByTestId("resume-group").click();
    await page.getByText("Done, and will not be repeated").waitFor();
    await page.getByText("Not done; will be tried").waitFor();
    await page.getByTestId("resume-group-confirm").click();
    await page
      .getByTestId("resumed")
      .getByText(/^2.runs go on/)
      .waitFor();
    await expect.poll(() => runs.count()).toBe(names.length - 2);
  });

  it("[R3] are resumed all at once, and no effect is done twice", async () => {
    await page.getByTestId("resume-group").click();
    await page.getByText(/10.effects not done/).waitFor();
    await page.getByTestId("resume-group-confirm").click();
    await page
      .getByTestId("resumed")
      .getByText(/^10.runs go on/)
      .waitFor();
    await expect.poll(async () => app.sandbox!.hubspotContacts().then((contacts) => contacts.length)).toBe(12);
    const told = (await app.sandbox!.slackMessages()).filter((message) =>
      JSON.stringify(message).includes("Alba: Customer"),
    );
    expect(told).toHaveLength(12);
    await page.getByText("No run is stopped in this way any more.").waitFor();
  });

  it("go on under the changed code of their flow, with a word on which step does not fit", async () => {
    await app.engine.recheck("default", "monthly-report");
    await open("/failures");
    await page.getByTestId("failure").filter({ hasText: "FLOW_CHANGED" }).getByRole("link").click();
    await page.getByTestId("migrate-group").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/Step 2, recorded as slack\.postMessage/).waitFor();
    await page.getByTestId("migrate-confirm").click();
    await dialog.waitFor({ state: "hidden" });
    const { items } = await app.workspace.runs.list({ flow: "monthly-report" });
    expect(items).toHaveLength(3);
    expect(items.filter(({ error }) => error !== null)).toEqual([]);
  });
});

describe.skipIf(!hasChromium)("a fan-out", () => {
  it("is folded, with counts, and shows the items that failed first; a resume does only these again", async () => {
    const runId = await send(app, "sync-contacts", { count: 60, failing: [40, 7] });
    await until(app, runId, ended);
    await open(`/runs/${runId}`);
    await page.getByTestId("item-counts").getByText("58 done, 2 failed").waitFor();
    const shown = () =>
      page
        .locator('[data-step-path^="1."]')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-step-path")));
    expect(await shown()).toEqual(["1.7", "1.40"]);
    await page.getByTestId("more-items").click();
    expect((await shown()).slice(0, 4)).toEqual(["1.7", "1.40", "1.0", "1.1"]);

    mend();
    await page.getByTestId("resume").click();
    await page.getByText(/the 58 that are done keep their results/).waitFor();
    await page.getByTestId("resume-confirm").click();
    await status("succeeded").waitFor();
    await page.getByTestId("item-counts").getByText("60 done").waitFor();
    const tried = (await app.workspace.steps.ofRun(runId)).filter(
      ({ path, attempts }) => path.startsWith("1.") && attempts.length > 1,
    );
    expect(new Set(tried.map(({ path }) => path.split(".")[1]))).toEqual(new Set(["7", "40"]));
  });
});

describe.skipIf(!hasChromium)("a run that waits", () => {
  it("says in plain words for what, leads to the run that it started, and that one back", async () => {
    const runId = await send(app, "large-order", { order: "B-1", amount: 5 });
    await until(app, runId, ({ status: is, executor }) => is === "waiting" && executor === null);
    await open(`/runs/${runId}`);
    await page
      .getByRole("heading", { name: /Waiting for the flow approval since .*; nothing is held in memory/ })
      .waitFor();
    await step("1").getByRole("link").click();
    await page.getByRole("heading", { name: /Waiting for the signal “approve” since/ }).waitFor();
    await page
      .getByTestId("wait-notice")
      .getByText(/If it has not come by/)
      .waitFor();
    await page.getByTestId("parent-run").click();
    await page.waitForURL(`**/runs/${runId}`);
    const [child] = (await app.workspace.runs.list({ parent: runId })).items;
    await app.engine.signal("default", child!.id, "approve", true);
    await status("succeeded").waitFor();
  });

  it("is counted on the overview, beside the process that would go on with it", async () => {
    const runId = await send(app, "approval", { order: "B-2", amount: 5 });
    await until(app, runId, ({ status: is, executor }) => is === "waiting" && executor === null);
    await open("/");
    await page.locator('[data-testid="process"][data-alive="true"]').waitFor();
    await page.getByRole("row", { name: /^approval 0 0 1/ }).waitFor();
  });

  it("is of a flow without an address, which its page says", async () => {
    await open("/flows/approval");
    await page.getByText("Started by the API, the command line or another flow.").waitFor();
  });
});

describe.skipIf(!hasChromium)("all of these pages", () => {
  it("break no rule of the content security policy and throw nothing", () => {
    expect(dashboard.complaints).toEqual([]);
  });
});
