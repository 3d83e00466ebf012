import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import type { Json } from "../../core/index.ts";
import { OverviewView, QuestionPage, RunDetailView, SignalView } from "./schemas.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const startedAt = new Date(1_700_000_000_000);

/** A run that waits for a signal. */
async function waitFor(name: string, question?: Json): Promise<string> {
  const { runId } = await server.workspace.events.accept({
    flow: "lead-routing", source: "test", dedupKey: crypto.randomUUID(), deliveryId: null, bodyDigest: "", payload: {},
    sample: false, receivedAt: new Date(),
  }); // oxfmt-ignore
  const input = { timeoutMs: 1000, ...(question !== undefined && { question }) };
  const step = {
    kind: "signal",
    status: "waiting",
    attempts: [],
    output: null,
    error: null,
    finishedAt: null,
  } as const;
  await server.workspace.steps.save(
    { ...step, runId, path: "1", name, input, wakeAt: null, waitReason: null, startedAt },
    0,
  );
  return runId;
}

it("what runs ask people is listed with all that is needed to answer, and answered by a signal", async () => {
  const schema = { type: "object", properties: { score: { type: "integer" } } };
  const step = "analyse lead (v2)";
  const answer = await waitFor(`${step}: answer`, {
    kind: "answer",
    step,
    schema,
    complaint: "score is missing",
    answer: {},
  });
  const account = "flow/lead-routing/2026-03-09";
  const money = { limitMicroUsd: 1000, spentMicroUsd: 900, neededMicroUsd: 200 };
  const budget = await waitFor(`${step}: budget`, { kind: "budget", step, account, ...money });
  await waitFor("go-ahead");

  const page = QuestionPage.parse(await (await server.api("GET", "/questions", { as: "viewer" })).json());
  const place = { stepPath: "1", stepName: step, startedAt: startedAt.toISOString() };
  expect(page.items.map(({ run, question }) => [run.id, question])).toEqual([
    [budget, { kind: "budget", ...place, signal: `${step}: budget`, account, ...money }],
    [
      answer,
      { kind: "answer", ...place, signal: `${step}: answer`, schema, complaint: "score is missing", answer: {} },
    ],
  ]);
  expect(page.next).toBeNull();
  const overview = OverviewView.parse(await (await server.api("GET", "/overview", { as: "viewer" })).json());
  expect(overview.questions).toBe(2);
  const detail = RunDetailView.parse(await (await server.api("GET", `/runs/${answer}`, { as: "viewer" })).json());
  expect(detail.question).toEqual(page.items[1]?.question);

  const path = `/runs/${answer}/signals/${encodeURIComponent(`${step}: answer`)}`;
  const sent = await server.api("POST", path, { as: "operator", body: { value: { score: 7 } } });
  expect(SignalView.parse(await sent.json())).toEqual({ accepted: true });
  expect(server.engineCalls.at(-1)).toBe(`signal ${answer} ${step}: answer {"score":7}`);
});

it("questions come page by page", async () => {
  const first = QuestionPage.parse(await (await server.api("GET", "/questions?limit=1", { as: "viewer" })).json());
  expect(first.next).toBe(first.items[0]?.run.id);
  const path = `/questions?limit=1&before=${first.next}`;
  const second = QuestionPage.parse(await (await server.api("GET", path, { as: "viewer" })).json());
  expect(second.items.map(({ question }) => question.kind)).toEqual(["answer"]);
  expect(second.next).toBeNull();
});
