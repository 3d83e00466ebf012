import { describe, expect, it } from "vitest";
import { z } from "zod";
import { secret, type EffectKind, SluiceError } from "../core/index.ts";
import { type ActionDefinition, defineAction } from "./action.ts";
import { defineConnection } from "./connection.ts";
import { createFakeRun } from "./fixtures/fake-run.ts";
import { toVendorError } from "./vendor-answer.ts";

interface Note {
  readonly text: string;
}

interface Outside {
  readonly notes: { readonly key: string; readonly text: string }[];
  /** What the next calls do after the note was written, or instead of it. */
  readonly faults: { readonly applied: boolean; readonly error: unknown }[];
}

const lostAnswer = (applied: boolean): Outside["faults"][number] => ({
  applied,
  error: new SluiceError("EGRESS_FAILED", { message: "reset", details: { sent: "maybe" } }),
});

const refused = (status: number): Outside["faults"][number] => ({
  applied: false,
  error: toVendorError({
    what: "notes.write",
    status,
    headers: new Headers({ "retry-after": "7" }),
    vendorCode: "no_way",
  }),
});

/** A connection whose outside system is an array. */
function notesConnection(
  effect: EffectKind,
  outside: Outside,
  lookup?: ActionDefinition<Note, Note>["lookup"],
  answer: (note: Note) => unknown = (note) => note,
) {
  const write = defineAction<Note, Note>({
    description: "Writes a note.",
    effect,
    idempotency: lookup ? "lookup" : "none",
    input: z.object({ text: z.string() }),
    output: z.object({ text: z.string() }),
    async perform(context, note) {
      const fault = outside.faults.shift();
      if (fault === undefined || fault.applied) outside.notes.push({ key: context.idempotencyKey, text: note.text });
      if (fault?.error) throw fault.error;
      return answer(note);
    },
    ...(lookup && { lookup }),
  });
  return defineConnection({
    name: "notes",
    connector: "notebook",
    baseUrl: "https://notes.example",
    secrets: { token: secret("NOTES_TOKEN") },
    actions: { write },
  });
}

function findIn(outside: Outside): ActionDefinition<Note, Note>["lookup"] {
  return async (context) => outside.notes.find((note) => note.key === context.idempotencyKey);
}

const outsideWith = (...faults: Outside["faults"]): Outside => ({ notes: [], faults });

describe("an action", () => {
  it("is one step and one receipt for each call, each with its own key", async () => {
    const outside = outsideWith();
    const notes = notesConnection("write", outside);
    const run = createFakeRun();
    const results = await run.within(async () => [await notes.write({ text: "a" }), await notes.write({ text: "a" })]);
    expect(results).toEqual([{ text: "a" }, { text: "a" }]);
    expect(run.steps).toMatchObject([
      { name: "notes.write", kind: "effect", input: { text: "a" }, key: "run_test/0" },
      { name: "notes.write", kind: "effect", input: { text: "a" }, key: "run_test/1" },
    ]);
    expect(outside.notes.map((note) => note.key)).toEqual(["run_test/0", "run_test/1"]);
    expect(run.receipts.get("run_test/0")).toMatchObject({
      runId: "run_test",
      stepPath: "0",
      connection: "notes",
      action: "notebook.write",
      effect: "write",
      state: "done",
      request: { text: "a" },
      requestDigest: expect.stringMatching(/^sha256:/),
      response: { text: "a" },
      attempts: 1,
    });
  });

  it("records its intent before it does anything", async () => {
    const seen: unknown[] = [];
    const run = createFakeRun();
    const connection = defineConnection({
      name: "notes",
      connector: "notebook",
      baseUrl: "https://notes.example",
      secrets: {},
      actions: {
        write: defineAction<Note, Note>({
          description: "",
          effect: "irreversible",
          idempotency: "none",
          input: z.object({ text: z.string() }),
          output: z.object({ text: z.string() }),
          async perform(_context, note) {
            seen.push(run.receipts.get("run_test/0")?.state);
            return note;
          },
        }),
      },
    });
    await run.within(() => connection.write({ text: "a" }));
    expect(seen).toEqual(["intent"]);
  });

  it("that reads leaves no receipt", async () => {
    const run = createFakeRun();
    await run.within(() => notesConnection("read", outsideWith()).write({ text: "a" }));
    expect([run.steps.length, run.receipts.size]).toEqual([1, 0]);
  });

  it("refuses an input that does not fit, without a step and without quoting it", async () => {
    const run = createFakeRun();
    const notes = notesConnection("write", outsideWith());
    const failing = run.within(() => notes.write({ text: 4711 } as unknown as Note));
    await expect(failing).rejects.toMatchObject({
      code: "ACTION_INPUT_INVALID",
      details: { issues: [{ path: "/text" }] },
    });
    await expect(failing).rejects.not.toThrow("4711");
    expect(run.steps).toEqual([]);
  });

  it("outside a run says so", async () => {
    const notes = notesConnection("write", outsideWith());
    await expect(notes.write({ text: "a" })).rejects.toMatchObject({ code: "OUTSIDE_RUN" });
  });

  it("whose answer does not fit its schema is in doubt", async () => {
    const run = createFakeRun();
    const outside = outsideWith({ applied: true, error: undefined });
    const notes = notesConnection("write", outside, undefined, () => ({ txt: "a" }));
    await expect(run.within(() => notes.write({ text: "a" }))).rejects.toMatchObject({ code: "RESPONSE_INVALID" });
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "unknown", response: { code: "RESPONSE_INVALID" } });
  });
});

const intentOf = (effect: EffectKind) => ({
  key: "run_test/0",
  runId: "run_test",
  stepPath: "0",
  epoch: 1,
  connection: "notes",
  action: "notebook.write",
  effect,
  requestDigest: "",
  request: null,
});

describe("an action whose attempt failed", () => {
  it.each([
    [401, "CONNECTION_AUTH_FAILED", "not_done", 1],
    [403, "CONNECTION_AUTH_FAILED", "not_done", 1],
    [404, "ACTION_REJECTED", "not_done", 1],
    [422, "ACTION_REJECTED", "not_done", 1],
    [429, "ACTION_RATE_LIMITED", "done", 2],
    [503, "ACTION_UNAVAILABLE", "done", 2],
  ])("with status %i throws %s and leaves it %s after %i attempts", async (status, code, state, attempts) => {
    const run = createFakeRun();
    const outside = outsideWith(refused(status));
    await run
      .within(() => notesConnection("write", outside, findIn(outside)).write({ text: "a" }))
      .catch(() => undefined);
    expect(run.steps[0]).toMatchObject({ failures: [code], attempts });
    expect(run.receipts.get("run_test/0")).toMatchObject({ state, attempts });
  });

  it("carries the wait, the status and the vendor's code", () => {
    expect(refused(429).error).toMatchObject({ retryAfterMs: 7000, details: { status: 429, vendorCode: "no_way" } });
    expect((refused(404).error as SluiceError).retryAfterMs).toBeUndefined();
  });

  it("in doubt looks before it repeats, and does not repeat what it finds", async () => {
    const outside = outsideWith(lostAnswer(true));
    const run = createFakeRun();
    const result = await run.within(() => notesConnection("write", outside, findIn(outside)).write({ text: "a" }));
    expect(result).toMatchObject({ text: "a" });
    expect(outside.notes).toHaveLength(1);
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "done", attempts: 2 });
  });

  it("in doubt repeats what it does not find, and stays in doubt when the repeat is refused", async () => {
    const outside = outsideWith(lostAnswer(false), refused(404));
    const run = createFakeRun();
    const notes = notesConnection("write", outside, findIn(outside));
    await expect(run.within(() => notes.write({ text: "a" }))).rejects.toMatchObject({ code: "ACTION_REJECTED" });
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "unknown", attempts: 2 });
  });

  it("in doubt is not repeated when looking is impossible", async () => {
    const outside = outsideWith(lostAnswer(true));
    const run = createFakeRun();
    const notes = notesConnection("write", outside, () => Promise.reject(refused(403).error));
    await expect(run.within(() => notes.write({ text: "a" }))).rejects.toMatchObject({
      code: "EFFECT_IN_DOUBT",
      details: { reason: "CONNECTION_AUTH_FAILED" },
    });
    expect(outside.notes).toHaveLength(1);
  });

  it("in doubt looks again later when looking fails for now", async () => {
    const outside = outsideWith(lostAnswer(true));
    let looks = 0;
    const notes = notesConnection("write", outside, async (context, note, since) => {
      looks += 1;
      if (looks === 1) throw refused(503).error;
      return findIn(outside)?.(context, note, since);
    });
    const run = createFakeRun();
    await run.within(() => notes.write({ text: "a" }));
    expect(run.steps[0]?.failures).toEqual(["EGRESS_FAILED", "ACTION_UNAVAILABLE"]);
    expect(outside.notes).toHaveLength(1);
  });

  it("[R4] runs an irreversible effect at most once: in doubt it stops at once", async () => {
    const outside = outsideWith(lostAnswer(true));
    const run = createFakeRun();
    const notes = notesConnection("irreversible", outside);
    await expect(run.within(() => notes.write({ text: "a" }))).rejects.toMatchObject({
      code: "EFFECT_IN_DOUBT",
      retryable: false,
      details: { key: "run_test/0" },
    });
    expect([outside.notes.length, run.steps[0]?.attempts]).toEqual([1, 1]);
    expect(run.receipts.get("run_test/0")?.state).toBe("unknown");
  });

  it("repeats an irreversible effect that was certainly refused or never sent", async () => {
    const never = { applied: false, error: new SluiceError("EGRESS_FAILED", { message: "", details: { sent: "no" } }) };
    const outside = outsideWith(refused(429), never);
    const run = createFakeRun();
    await run.within(() => notesConnection("irreversible", outside).write({ text: "a" }));
    expect([outside.notes.length, run.steps[0]?.attempts]).toEqual([1, 3]);
  });
});

describe("an action whose process died", () => {
  it("after the effect was settled answers from the receipt", async () => {
    const outside = outsideWith();
    const run = createFakeRun({ diesBeforeRecord: true });
    const result = await run.within(() => notesConnection("irreversible", outside).write({ text: "a" }));
    expect(result).toEqual({ text: "a" });
    expect(outside.notes).toHaveLength(1);
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "done", response: { text: "a" } });
  });

  it("between intent and answer does not repeat an irreversible effect", async () => {
    const outside = outsideWith();
    const run = createFakeRun();
    await run.journal.begin(intentOf("irreversible"));
    const failing = run.within(() => notesConnection("irreversible", outside).write({ text: "a" }));
    await expect(failing).rejects.toMatchObject({ code: "EFFECT_IN_DOUBT" });
    expect(outside.notes).toEqual([]);
  });

  it("[R3] repeats a write with the same key where the outside system drops repeats", async () => {
    const outside = outsideWith();
    const run = createFakeRun();
    await run.journal.begin(intentOf("write"));
    await run.within(() => notesConnection("write", outside).write({ text: "a" }));
    expect(outside.notes).toEqual([{ key: "run_test/0", text: "a" }]);
  });

  it("passes the abort on as it came, and leaves the effect in doubt", async () => {
    const run = createFakeRun();
    const reason = new Error("shutting down");
    const outside = outsideWith({ applied: false, error: reason });
    run.abort.abort(reason);
    await expect(run.within(() => notesConnection("write", outside).write({ text: "a" }))).rejects.toBe(reason);
    expect(run.receipts.get("run_test/0")?.state).toBe("unknown");
  });
});

/** An irreversible action whose answer was lost. */
async function inDoubt(lookup?: ActionDefinition<Note, Note>["lookup"]) {
  const outside = outsideWith(lostAnswer(true));
  const run = createFakeRun();
  const notes = notesConnection("irreversible", outside, lookup);
  const write = () => notes.write({ text: "a" });
  await expect(run.within(write)).rejects.toMatchObject({
    code: "EFFECT_IN_DOUBT",
    hint: expect.stringContaining("sluice runs rule") as unknown,
  });
  return { run, outside, write };
}

describe("a person's word about an action in doubt", () => {
  it("that it was done gives what it answered to the flow, and is not performed again", async () => {
    const { run, outside, write } = await inDoubt();
    run.rule("run_test/0", "done", { text: "as seen there" });
    expect(await run.again(write)).toEqual({ text: "as seen there" });
    expect(outside.notes).toHaveLength(1);
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "done", attempts: 1 });
  });

  it("with an answer that does not fit is refused, with how to give another one", async () => {
    const { run, write } = await inDoubt();
    run.rule("run_test/0", "done", { text: 7 });
    await expect(run.again(write)).rejects.toMatchObject({
      code: "RESPONSE_INVALID",
      hint: "Say what it answered, in a shape that fits: sluice runs rule run_test --key run_test/0 --done --output FILE",
    });
    run.rule("run_test/0", "done", { text: "as seen there" });
    expect(await run.again(write)).toEqual({ text: "as seen there" });
  });

  it("that it was not done, and is not to be, fails the step without performing it", async () => {
    const { run, outside, write } = await inDoubt();
    run.rule("run_test/0", "not_done");
    await expect(run.again(write)).rejects.toMatchObject({
      code: "EFFECT_NOT_DONE",
      retryable: false,
      details: { key: "run_test/0" },
    });
    expect(outside.notes).toHaveLength(1);
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "not_done", attempts: 1 });
  });

  it("to try again performs it once more with the same key, without looking for it", async () => {
    let looks = 0;
    const { run, outside, write } = await inDoubt(async () => {
      looks += 1;
      throw refused(403).error;
    });
    run.rule("run_test/0", "try_again");
    expect(await run.again(write)).toEqual({ text: "a" });
    expect(looks).toBe(1);
    expect(outside.notes).toEqual([
      { key: "run_test/0", text: "a" },
      { key: "run_test/0", text: "a" },
    ]);
  });

  it("to try again comes into doubt anew when the answer is lost again", async () => {
    const { run, outside, write } = await inDoubt();
    run.rule("run_test/0", "try_again");
    outside.faults.push(lostAnswer(false));
    await expect(run.again(write)).rejects.toMatchObject({ code: "EFFECT_IN_DOUBT" });
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "unknown", attempts: 2 });
  });
});

describe("an action whose flow was changed", () => {
  it.each(["intent", "done"] as const)("is not given what another action left under its key: %s", async (state) => {
    const outside = outsideWith();
    const run = createFakeRun();
    await run.journal.begin({ ...intentOf("irreversible"), action: "bank.pay" });
    if (state === "done") await run.journal.settle("run_test/0", { state, response: { text: "paid" }, epoch: 1 });
    const failing = run.within(() => notesConnection("write", outside).write({ text: "a" }));
    await expect(failing).rejects.toMatchObject({ code: "FLOW_CHANGED" });
    expect(outside.notes).toEqual([]);
    expect(run.receipts.get("run_test/0")).toMatchObject({ action: "bank.pay", state });
  });
});

const define = (name: string, baseUrl: string) => () =>
  defineConnection({ name, connector: "x", baseUrl, secrets: {}, actions: {} });

describe("a connection", () => {
  it("describes itself: actions with their input, effect and idempotency, and the secrets it needs", () => {
    expect(notesConnection("write", outsideWith()).connection).toMatchObject({
      name: "notes",
      connector: "notebook",
      secrets: [{ secret: "NOTES_TOKEN" }],
      actions: [
        {
          name: "write",
          description: "Writes a note.",
          effect: "write",
          idempotency: "none",
          input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
        },
      ],
    });
  });

  it("refuses a name or base URL that is not usable", () => {
    expect(define("My Notes", "https://notes.example")).toThrow('connection name "My Notes" is not usable');
    expect(define("notes", "notes.example")).toThrow('base URL "notes.example"');
  });
});
