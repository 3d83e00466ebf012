import { afterEach, describe, expect, it, vi } from "vitest";
import { type Json, secret } from "../../core/index.ts";
import { createFakeRun, type FakeRun } from "../fixtures/fake-run.ts";
import { slackConnection } from "./slack.ts";
import { startStandIn, type StandIn, type StandInAnswer, type StandInCall } from "../fixtures/stand-in.ts";

interface Message {
  readonly channel: string;
  readonly ts: string;
  readonly thread?: Json | undefined;
  readonly metadata: Json;
}

const token = "xoxb-sandbox-token";
const { postMessage } = slackConnection({ token: secret("SLACK_BOT_TOKEN") });
const messages: Message[] = [];
let faults: { on: string; answer: StandInAnswer; applied?: boolean }[] = [];
let standIn: StandIn | undefined;

afterEach(() => {
  standIn?.close();
  messages.length = 0;
  faults = [];
});

function answerSlack(call: StandInCall): StandInAnswer {
  const method = call.url.replace("/api/", "");
  const index = faults.findIndex((fault) => fault.on === method);
  const [fault] = index < 0 ? [] : faults.splice(index, 1);
  if (fault && fault.applied !== true) return fault.answer;
  const applied = methods[method]?.(call.body) ?? { ok: false, error: "unknown_method" };
  return fault?.answer ?? { body: applied };
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

const methods: { [method: string]: (body: StandInCall["body"]) => Json } = {
  "chat.postMessage"(body) {
    const channel = body["channel"] === "#leads" ? "C0000LEADS" : textOf(body["channel"]);
    const metadata = JSON.parse(textOf(body["metadata"])) as Json;
    const message = { channel, ts: `${Date.now() / 1000}`, thread: body["thread_ts"], metadata };
    messages.push(message);
    return { ok: true, channel, ts: message.ts, message: { text: body["text"] ?? "" } };
  },
  "conversations.list": (body) =>
    body["cursor"] === undefined || body["cursor"] === ""
      ? { ok: true, channels: [{ id: "C0000OTHER", name: "other" }], response_metadata: { next_cursor: "next" } }
      : { ok: true, channels: [{ id: "C0000LEADS", name: "leads" }], response_metadata: { next_cursor: "" } },
  "conversations.history": (body) => pageOf(body, (message) => message.thread === undefined),
  "conversations.replies": (body) => pageOf(body, (message) => message.thread === body["ts"]),
};

function pageOf(body: StandInCall["body"], isHere: (message: Message) => boolean): Json {
  const found = messages.filter(
    (message) => message.channel === body["channel"] && Number(message.ts) > Number(body["oldest"]) && isHere(message),
  );
  const shown = body["include_all_metadata"] === "true" ? found : [];
  return { ok: true, messages: shown.map(({ ts, metadata }) => ({ ts, metadata })) };
}

async function startRun(): Promise<FakeRun> {
  standIn = await startStandIn(answerSlack);
  return createFakeRun({
    override: { baseUrl: `${standIn.origin}/api`, secrets: { token } },
    allowedOrigins: [standIn.origin],
  });
}

const called = (): string[] => (standIn?.calls ?? []).map((call) => call.url.replace("/api/", ""));
const lost = { on: "chat.postMessage", applied: true, answer: { lost: true } };

describe("slack.postMessage", () => {
  it("posts a message marked with its idempotency key", async () => {
    const run = await startRun();
    const posted = await run.within(() => postMessage({ channel: "#leads", text: "Acme & Söhne: <buy>" }));
    expect(posted).toEqual({ channel: "C0000LEADS", ts: messages[0]?.ts });
    expect(standIn?.calls[0]).toMatchObject({
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: { channel: "#leads", text: "Acme &amp; Söhne: &lt;buy&gt;" },
    });
    expect(messages[0]?.metadata).toEqual({
      event_type: "sluice_effect",
      event_payload: { idempotency_key: "run_test/0" },
    });
    expect(run.receipts.get("run_test/0")).toMatchObject({
      state: "done",
      action: "slack.postMessage",
      response: posted,
    });
  });

  it("shows received text as it stands, and lets only text that says so call people", async () => {
    const run = await startRun();
    const text = "<!channel> <https://evil.example|click>";
    await run.within(() => postMessage({ channel: "#leads", text }));
    await run.within(() => postMessage({ channel: "#leads", text, format: "mrkdwn" }));
    expect(standIn?.calls.map((call) => call.body["text"])).toEqual([
      "&lt;!channel&gt; &lt;https://evil.example|click&gt;",
      text,
    ]);
  });

  it("passes blocks and threads on", async () => {
    const run = await startRun();
    const blocks = [{ type: "divider" }];
    await run.within(() => postMessage({ channel: "C0000LEADS", text: "a", blocks, threadTs: "1.2" }));
    expect(standIn?.calls[0]?.body).toMatchObject({ blocks: JSON.stringify(blocks), thread_ts: "1.2" });
  });

  it("posts once when the answer was lost, finding the channel by name and the message by its key", async () => {
    const run = await startRun();
    faults = [lost];
    const posted = await run.within(() => postMessage({ channel: "#leads", text: "a" }));
    expect(messages).toHaveLength(1);
    expect(posted).toEqual({ channel: "C0000LEADS", ts: messages[0]?.ts });
    expect(called()).toEqual(["chat.postMessage", "conversations.list", "conversations.list", "conversations.history"]);
    expect(run.receipts.get("run_test/0")).toMatchObject({ state: "done", attempts: 2 });
  });

  it("posts once in a thread when the answer was lost", async () => {
    const run = await startRun();
    faults = [lost];
    await run.within(() => postMessage({ channel: "C0000LEADS", text: "a", threadTs: "1.2" }));
    expect(called()).toEqual(["chat.postMessage", "conversations.replies"]);
    expect(messages).toHaveLength(1);
  });

  it("posts again when the first message never arrived, and does not take another call's message for its own", async () => {
    const run = await startRun();
    await run.within(async () => {
      await postMessage({ channel: "C0000LEADS", text: "a" });
      faults = [{ on: "chat.postMessage", answer: { lost: true } }];
      await postMessage({ channel: "C0000LEADS", text: "a" });
    });
    expect(messages).toHaveLength(2);
  });

  it.each([
    ["html with status 200", { body: "<html>Checking your browser</html>" }, "RESPONSE_INVALID"],
    ["nothing with status 200", { body: "" }, "RESPONSE_INVALID"],
    ["a server error", { status: 502, body: "<html></html>" }, "ACTION_UNAVAILABLE"],
    ["an internal error", { body: { ok: false, error: "fatal_error" } }, "ACTION_UNAVAILABLE"],
  ])("takes %s for no answer, and looks before it posts again", async (_what, answer, code) => {
    const run = await startRun();
    faults = [{ on: "chat.postMessage", answer, applied: true }];
    await run.within(() => postMessage({ channel: "C0000LEADS", text: "a" }));
    expect(run.steps[0]?.failures).toEqual([code]);
    expect(messages).toHaveLength(1);
  });

  it("waits as long as Slack says", async () => {
    const run = await startRun();
    const limited = { status: 429, headers: { "retry-after": "30" }, body: { ok: false, error: "ratelimited" } };
    faults = Array.from({ length: 9 }, () => ({ on: "chat.postMessage", answer: limited }));
    const failing = run.within(() => postMessage({ channel: "C0000LEADS", text: "a" }));
    await expect(failing).rejects.toMatchObject({ code: "ACTION_RATE_LIMITED", retryAfterMs: 30_000, retryable: true });
    // Nobody but the step repeats: one request for each of its attempts.
    expect(called()).toHaveLength(run.steps[0]?.attempts ?? 0);
    expect(run.receipts.get("run_test/0")?.state).toBe("not_done");
  });

  it.each([
    ["invalid_auth", "CONNECTION_AUTH_FAILED"],
    ["missing_scope", "CONNECTION_AUTH_FAILED"],
    ["channel_not_found", "ACTION_REJECTED"],
    ["constructor", "ACTION_REJECTED"],
  ])("says %s as %s, once, without the text", async (error, code) => {
    const run = await startRun();
    faults = [{ on: "chat.postMessage", answer: { body: { ok: false, error } } }];
    const failing = run.within(() => postMessage({ channel: "C0000LEADS", text: "private words" }));
    await expect(failing).rejects.toMatchObject({ code, retryable: false, details: { vendorCode: error } });
    expect(JSON.stringify([...run.receipts.values()].map((receipt) => receipt.response))).not.toContain(
      "private words",
    );
    expect(called()).toHaveLength(1);
  });

  it("stops in doubt when it may not look", async () => {
    const run = await startRun();
    faults = [lost, { on: "conversations.history", answer: { body: { ok: false, error: "missing_scope" } } }];
    const failing = run.within(() => postMessage({ channel: "C0000LEADS", text: "a" }));
    await expect(failing).rejects.toMatchObject({
      code: "EFFECT_IN_DOUBT",
      details: { reason: "CONNECTION_AUTH_FAILED" },
    });
    expect(messages).toHaveLength(1);
  });

  it("writes nothing to the console, whatever happens", async () => {
    const writes = ["log", "debug", "info", "warn", "error"] as const;
    const spies = writes.map((name) => vi.spyOn(console, name).mockImplementation(() => undefined));
    const run = await startRun();
    faults = [lost];
    await run.within(() => postMessage({ channel: "#leads", text: "a" }));
    expect(spies.flatMap((spy) => spy.mock.calls)).toEqual([]);
    vi.restoreAllMocks();
  });

  it("without its secret sends nothing and names the variable", async () => {
    standIn = await startStandIn(answerSlack);
    const run = createFakeRun({ override: { baseUrl: standIn.origin }, allowedOrigins: [standIn.origin] });
    const failing = run.within(() => postMessage({ channel: "C0000LEADS", text: "a" }));
    await expect(failing).rejects.toMatchObject({ code: "SECRET_MISSING", details: { secret: "SLACK_BOT_TOKEN" } });
    expect(run.receipts.get("run_test/0")?.state).toBe("not_done");
    expect(standIn.calls).toEqual([]);
  });

  it("does not quote a secret that no header can hold", async () => {
    const run = createFakeRun({ environment: { SLACK_BOT_TOKEN: "xoxb-1\nxoxb-2" } });
    const failing = run.within(() => postMessage({ channel: "C0000LEADS", text: "a" }));
    await expect(failing).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(failing).rejects.not.toThrow("xoxb-");
  });

  it("is refused a base URL on this machine that is not written out as allowed", async () => {
    standIn = await startStandIn(answerSlack);
    const run = createFakeRun({ override: { baseUrl: standIn.origin, secrets: { token } } });
    const failing = run.within(() => postMessage({ channel: "C0000LEADS", text: "a" }));
    await expect(failing).rejects.toMatchObject({ code: "EGRESS_REFUSED" });
    expect(standIn.calls).toEqual([]);
  });
});
