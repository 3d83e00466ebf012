import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import type { EffectKind, Json, ReceiptState } from "../../core/index.ts";
import { FailureDetailView, FailurePage, Problem, ResumedView } from "./schemas.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const get = (path: string) => server.api("GET", path, { as: "viewer" });
const resume = (fingerprint: string, body: { [field: string]: Json } = {}) =>
  server.api("POST", `/failures/${fingerprint}/resume`, { as: "operator", body });
const codeOf = async (response: Response) => Problem.parse(await response.json()).code;
const statusOf = async (id: string) => (await server.workspace.runs.find(id))?.status;

/** A run that failed at its second step, after the first had an effect. */
async function fail(fingerprint: string, receipts: readonly (readonly [ReceiptState, EffectKind])[] = []) {
  const { events, runs, effects } = server.workspace;
  const { runId } = await events.accept({
    flow: "lead-routing", source: "test", dedupKey: crypto.randomUUID(), deliveryId: null, bodyDigest: "", payload: {}, sample: false,
    receivedAt: new Date(),
  }); // oxfmt-ignore
  for (const [at, [state, effect]] of receipts.entries()) {
    const key = `${runId}/${at}`;
    const about = {
      connection: "slack",
      action: "slack.postMessage",
      effect,
      requestDigest: "",
      request: null,
      epoch: 0,
    };
    await effects.begin({ key, runId, stepPath: String(at), ...about });
    if (state !== "intent") await effects.settle(key, { state, response: null });
  }
  const error = { code: "ACTION_REJECTED", message: 'channel "#leads" is not there', retryable: false };
  await runs.finish(
    runId,
    { status: "failed", output: null, error, failedStep: "1", fingerprint },
    { epoch: 0, parentRunId: null },
  );
  return runId;
}

describe("failures", () => {
  it("are listed in groups of one kind, the latest first", async () => {
    const [one, other] = ["00000000000000a1", "00000000000000a2"];
    const first = await fail(one);
    const lone = await fail(other);
    const last = await fail(one);
    const page = FailurePage.parse(await (await get("/failures")).json());
    expect(page.items.map(({ fingerprint }) => fingerprint)).toEqual([one, other]);
    expect(page.items[0]).toMatchObject({
      flow: "lead-routing", step: null, status: "failed", code: "ACTION_REJECTED", message: 'channel "#leads" is not there',
      count: 2, runId: last,
    }); // oxfmt-ignore
    expect(page.items[1]).toMatchObject({ count: 1, runId: lone });
    const limited = FailurePage.parse(await (await get("/failures?limit=1")).json());
    expect(limited.items.map(({ runId }) => runId)).toEqual([last]);
    const detail = FailureDetailView.parse(await (await get(`/failures/${one}`)).json());
    expect(detail.runs.map(({ id, failedStep }) => [id, failedStep])).toEqual([
      [last, "1"],
      [first, "1"],
    ]);
  });

  it("tell what resuming all of them would do outside", async () => {
    const fingerprint = "00000000000000b1";
    await fail(fingerprint, [["done", "write"], ["not_done", "write"], ["done", "write"]]); // oxfmt-ignore
    const other = await fail(fingerprint, [["done", "write"], ["unknown", "irreversible"], ["intent", "write"]]); // oxfmt-ignore
    const { resume: preview } = FailureDetailView.parse(await (await get(`/failures/${fingerprint}`)).json());
    expect(preview).toMatchObject({ runs: 2, effects: { done: 1, notDone: 1, unknown: 2, wouldRepeat: 1 } });
    expect(preview.examples).toHaveLength(4);
    expect(preview.examples[0]).toEqual({
      runId: other, action: "slack.postMessage", key: `${other}/2`, effect: "write", state: "intent", wouldRepeat: true,
    }); // oxfmt-ignore
  });

  it("are resumed together, once, and the log says who did it", async () => {
    const fingerprint = "00000000000000c1";
    const ids = [await fail(fingerprint), await fail(fingerprint), await fail(fingerprint)];
    const answers = await Promise.all([resume(fingerprint), resume(fingerprint)]);
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { resumed?: number; code?: string }[];
    expect(bodies.reduce((sum, { resumed = 0 }) => sum + resumed, 0)).toBe(3);
    // Whoever comes last may find nothing more to resume.
    expect(bodies.every(({ resumed, code }) => resumed !== undefined || code === "NOT_FOUND")).toBe(true);
    for (const id of ids) expect(await statusOf(id)).toBe("queued");
    const lines = server.log.filter(({ event }) => event === "failures.resumed");
    expect(lines.every(({ fields }) => fields["fingerprint"] === fingerprint && fields["by"] === "key_operator")).toBe(
      true,
    );
    expect(await codeOf(await resume(fingerprint))).toBe("NOT_FOUND");
  });

  it("are resumed in part: those named, or so many", async () => {
    const fingerprint = "00000000000000d1";
    const [a, b, c] = [await fail(fingerprint), await fail(fingerprint), await fail(fingerprint)];
    await server.workspace.runs.reopen(b);
    const some = await resume(fingerprint, { runIds: [a, b, a] });
    expect(ResumedView.parse(await some.json())).toEqual({ resumed: 1, skipped: 1 });
    expect([await statusOf(a), await statusOf(c)]).toEqual(["queued", "failed"]);
    await fail(fingerprint);
    const one = await resume(fingerprint, { limit: 1 });
    expect(ResumedView.parse(await one.json())).toEqual({ resumed: 1, skipped: 0 });
    expect(await statusOf(c)).toBe("failed");
  });

  it("that are none are refused, as is a fingerprint that is none", async () => {
    expect(await codeOf(await get("/failures/00000000000000ff"))).toBe("NOT_FOUND");
    expect(await codeOf(await resume("00000000000000ff"))).toBe("NOT_FOUND");
    expect(await codeOf(await get("/failures/nonsense"))).toBe("REQUEST_INVALID");
    expect(await codeOf(await resume("00000000000000ff", { runIds: ["a\u0000"] }))).toBe("REQUEST_INVALID");
    expect(await codeOf(await resume("00000000000000ff", { limit: 10_001 }))).toBe("REQUEST_INVALID");
  });
});
