import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { currentRun, SluiceError } from "../core/index.ts";
import { openTestEngine } from "./fixtures/test-engine.ts";

let lab: Awaited<ReturnType<typeof openTestEngine>>;

beforeAll(async () => {
  lab = await openTestEngine();
});

afterAll(() => lab.close());

/** Makes a run of one step that leaves a write behind; the run goes on at once, and gives whether the write was begun by then. */
async function leaveBehind(write: (runId: string) => Promise<void>) {
  lab.behave.parent = async ({ run }) => {
    let begun = false;
    await currentRun("a test").step({
      name: "asks",
      kind: "code",
      execute: async (attempt) => {
        attempt.leaveBehind(async () => {
          begun = true;
          await write(run.id);
        });
        expect(begun).toBe(false);
        return "answer";
      },
    });
    return begun;
  };
  return lab.end(await lab.send());
}

describe("what a step leaves behind", () => {
  it("is written once the step is on record, and before the run ends", async () => {
    const seen: unknown[] = [];
    const ended = await leaveBehind(async (runId) => {
      const [step] = await lab.workspace.steps.ofRun(runId);
      const run = await lab.workspace.runs.find(runId);
      seen.push(step?.status, run?.status);
    });
    expect(ended).toMatchObject({ status: "succeeded" });
    expect(seen).toEqual(["succeeded", "running"]);
  });

  it("is written again while the database is away", async () => {
    let tries = 0;
    await leaveBehind(async () => {
      tries += 1;
      if (tries < 3) throw new SluiceError("DATABASE_UNAVAILABLE", { message: "away" });
    });
    expect(tries).toBe(3);
  });

  it("fails no run when it cannot be written", async () => {
    const ended = await leaveBehind(() => Promise.reject(new Error("no such column")));
    expect(ended).toMatchObject({ status: "succeeded" });
  });

  it("is written before the step is tried again", async () => {
    let isWritten = false;
    const seen: boolean[] = [];
    lab.behave.parent = () =>
      currentRun("a test").step({
        name: "asks",
        kind: "code",
        execute: async ({ number, leaveBehind: leave }) => {
          seen.push(isWritten);
          if (number > 1) return;
          leave(async () => void (isWritten = true));
          throw new SluiceError("STEP_FAILED", { message: "no", retryable: true });
        },
      });
    await lab.end(await lab.send());
    expect(seen).toEqual([false, true]);
  });

  it("is written at once when the work asks for it", async () => {
    let isWritten = false;
    lab.behave.parent = () =>
      currentRun("a test").step({
        name: "asks",
        kind: "code",
        execute: async ({ leaveBehind: leave, untilWritten }) => {
          leave(async () => void (isWritten = true));
          await untilWritten();
          return isWritten;
        },
      });
    expect(await lab.end(await lab.send())).toMatchObject({ output: true });
  });

  it("is written too when the run is cancelled before the step is on record", async () => {
    const written = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    lab.behave.parent = () =>
      currentRun("a test").step({
        name: "asks",
        kind: "code",
        execute: async ({ leaveBehind: leave, signal }) => {
          leave(async () => written.resolve());
          begun.resolve();
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
      });
    const runId = await lab.send();
    await begun.promise;
    await lab.engine.cancel("default", runId);
    await written.promise;
    expect(await lab.workspace.runs.find(runId)).toMatchObject({ status: "cancelled" });
  });
});
