import { afterAll, beforeAll, expect, it } from "vitest";
import { by, failed, newStep, openTestStore, succeeded, type TestStore } from "./fixtures/test-store.ts";

let test: TestStore;
beforeAll(async () => {
  test = await openTestStore();
});
afterAll(() => test.close());

async function waitFor(name: string): Promise<string> {
  const runId = await test.queue();
  await test.workspace.steps.save({ ...newStep(runId), path: "1", name, kind: "signal", status: "waiting" }, 0);
  return runId;
}

it("lists runs that wait for an answer or for money, and those in doubt; the newest first, page by page", async () => {
  const answer = await waitFor("analyse lead: answer");
  const budget = await waitFor("analyse lead: budget");
  const doubt = await test.queue();
  await test.workspace.runs.finish(doubt, failed({ status: "in_doubt" }), by(null));
  await waitFor("go-ahead");
  const over = await waitFor("analyse lead: answer");
  await test.workspace.runs.finish(over, succeeded, by(null));

  const { questions } = test.workspace;
  expect(await questions.list({ limit: 10 })).toEqual([doubt, budget, answer]);
  expect(await questions.list({ limit: 1, before: doubt })).toEqual([budget]);
  expect(await questions.count()).toBe(3);
  expect(await test.store.workspace("another").questions.count()).toBe(0);

  await test.workspace.steps.save(
    { ...newStep(answer), path: "1", name: "analyse lead: answer", kind: "signal", status: "succeeded" },
    0,
  );
  expect(await questions.count()).toBe(2);
});
