import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { currentRun, formatStepPath, keyOfStep, rootOf, type RunScope, withRunScope } from "./run-scope.ts";

function none(): never {
  throw new Error("none");
}

const scope = (runId: string): RunScope => ({
  workspaceId: "default",
  runId,
  flow: "test",
  flowSettings: {},
  payload: {},
  step: async ({ execute }) =>
    execute({
      number: 1,
      path: "0",
      key: runId,
      epoch: 1,
      postponedSince: null,
      signal: new AbortController().signal,
      leaveBehind: none,
      untilWritten: none,
    }),
  map: none,
  subflow: none,
  sleep: none,
  waitForSignal: none,
  service: none,
});

describe("the run that code belongs to", () => {
  it("is its own, also after waiting, while others run", async () => {
    const seen = await Promise.all(
      ["run_a", "run_b"].map((runId) =>
        withRunScope(scope(runId), async () => {
          await setImmediate();
          return currentRun("slack.postMessage").runId;
        }),
      ),
    );
    expect(seen).toEqual(["run_a", "run_b"]);
  });

  it("is missing outside a flow, and the error names what was called", () => {
    expect(() => currentRun("slack.postMessage")).toThrow(
      expect.objectContaining({ code: "OUTSIDE_RUN", message: "slack.postMessage was called outside a run" }),
    );
  });
});

describe("a step's path", () => {
  it("begins with the number of the step that the flow itself called", () => {
    expect(["0", "12", "3.0", "3.10.1"].map(rootOf)).toEqual([0, 12, 3, 3]);
  });

  it("gives the idempotency key, which is another one after each migration from before it", () => {
    const paths = ["0", "3", "3.0.1", "10"];
    expect(paths.map((path) => keyOfStep("run_1", path, []))).toEqual(paths.map((path) => `run_1/${path}`));
    expect(paths.map((path) => keyOfStep("run_1", path, [3, 5]))).toEqual([
      "run_1/0",
      "run_1/3~1",
      "run_1/3.0.1~1",
      "run_1/10~2",
    ]);
  });

  it("is shown as people count, from 1", () => {
    expect(["0", "12", "3.0", "3.10.1"].map(formatStepPath)).toEqual(["1", "13", "4.1", "4.11.2"]);
  });
});
