import { describe, expect, it } from "vitest";
import type { Receipt, ReceiptState } from "../core/index.ts";
import type { RunRecord, StepRecord } from "../store/index.ts";
import { toResumePreview } from "./resume-preview.ts";

const receipt = (stepPath: string, state: ReceiptState, effect: Receipt["effect"] = "write") =>
  ({ key: `run_1/${stepPath}~1`, stepPath, state, effect }) as Receipt;
const step = (path: string, status: StepRecord["status"] = "succeeded") => ({ path, status }) as StepRecord;
const runFailedAt = (failedStep: string | null) => ({ id: "run_1", cuts: [0], failedStep }) as unknown as RunRecord;
const keysOf = ({ kept, tried, repeated, asked }: ReturnType<typeof toResumePreview>) =>
  [kept, tried, repeated, asked].map((receipts) => receipts.map(({ stepPath }) => stepPath));

describe("the preview of resuming", () => {
  it("keeps what is done wherever it is, and tells from the failed step on what is tried and what may repeat", () => {
    const run = runFailedAt("1");
    const receipts = [
      receipt("0", "unknown"),
      receipt("1", "not_done"),
      receipt("2", "done"),
      receipt("3", "intent"),
      receipt("4", "unknown"),
    ];
    const preview = toResumePreview(run, [step("0"), step("1", "failed")], receipts);
    expect(preview.from?.path).toBe("1");
    expect(keysOf(preview)).toEqual([["2"], ["1"], ["3", "4"], []]);
  });

  it("of a run without a failed step takes what had not finished as done again", () => {
    const run = runFailedAt(null);
    const preview = toResumePreview(
      run,
      [step("0"), step("1", "running")],
      [receipt("0", "unknown"), receipt("1", "intent")],
    );
    expect(preview.from).toBeNull();
    expect(keysOf(preview)).toEqual([[], [], ["1"], []]);
  });

  it("keeps what succeeded beside an item of a map that failed", () => {
    const run = runFailedAt("1");
    const steps = [step("1", "failed"), step("1.0"), step("1.0.0"), step("1.1", "failed"), step("1.1.0", "failed")];
    const receipts = [receipt("1.0.0", "unknown"), receipt("1.1.0", "unknown"), receipt("2", "not_done")];
    expect(keysOf(toResumePreview(run, steps, receipts))).toEqual([[], ["2"], ["1.1.0"], []]);
  });

  it("does not repeat what cannot be taken back, but has a person asked again", () => {
    const run = runFailedAt("0");
    const receipts = [receipt("0", "unknown", "irreversible"), receipt("1", "not_done", "irreversible")];
    expect(keysOf(toResumePreview(run, [step("0", "failed")], receipts))).toEqual([[], ["1"], [], ["0"]]);
  });

  it("leaves out what was done before a migration let the run go on anew", () => {
    const before = { ...receipt("0", "done"), key: "run_1/0" };
    expect(keysOf(toResumePreview(runFailedAt("0"), [step("0", "failed")], [before]))).toEqual([[], [], [], []]);
  });

  it("leaves out what only reads", () => {
    const run = runFailedAt("0");
    expect(keysOf(toResumePreview(run, [step("0", "failed")], [receipt("0", "unknown", "read")]))).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });
});
