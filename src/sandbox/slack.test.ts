import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogLevel, WebClient } from "@slack/web-api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "./index.ts";

let folder: string;
let sandbox: Sandbox;
let client: WebClient;

function clientOf(token: string): WebClient {
  return new WebClient(token, {
    slackApiUrl: sandbox.slackUrl,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    logLevel: LogLevel.ERROR,
    logger: {
      debug() {},
      info() {},
      warn() {},
      error() {},
      setLevel() {},
      getLevel: () => LogLevel.ERROR,
      setName() {},
    },
  });
}

async function say(args: Record<string, unknown>) {
  const answer = await client.apiCall("chat.postMessage", args);
  return answer as typeof answer & { readonly channel: string; readonly ts: string; readonly message: object };
}

async function post(body: object, headers: object = {}): Promise<Record<string, unknown>> {
  const response = await fetch(`${sandbox.slackUrl}chat.postMessage`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${sandbox.credentials.slackToken}`,
      "content-type": "application/json; charset=utf-8",
      ...headers,
    },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-slack-"));
  sandbox = await startSandbox({ folder });
  client = clientOf(sandbox.credentials.slackToken);
});
beforeEach(() => sandbox.setFaults([]));
afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

describe("Slack's stand-in with Slack's own client", () => {
  it("tells who the token belongs to, with the token's scopes", async () => {
    const answer = await client.auth.test();
    expect(answer).toMatchObject({ ok: true, team_id: "T0SANDBOX0", user: "sluice" });
    expect(answer.response_metadata?.scopes).toContain("chat:write");
  });

  it("posts a message with metadata and keeps its idempotency key", async () => {
    const metadata = { event_type: "sluice_effect", event_payload: { idempotency_key: "run-1/3" } };
    const blocks = [{ type: "section", text: { type: "mrkdwn", text: "*Acme*" } }];
    const answer = await say({ channel: "#leads", text: "Acme: buy", metadata, blocks });
    expect(answer.ts).toMatch(/^\d{10}\.\d{6}$/);
    expect(answer.message).toMatchObject({ type: "message", text: "Acme: buy", ts: answer.ts, metadata, blocks });
    const message = (await sandbox.slackMessages()).at(-1);
    expect(message).toMatchObject({
      channelName: "leads",
      channel: answer.channel,
      idempotencyKey: "run-1/3",
      metadata,
    });
    const call = (await sandbox.calls({ system: "slack" })).at(-1);
    expect(call).toMatchObject({ idempotencyKey: "run-1/3", status: 200, effect: { kind: "slack.message.posted" } });
  });

  it("pages through a channel's history, the newest first, and shows metadata only on request", async () => {
    const metadata = { event_type: "t", event_payload: { idempotency_key: "k" } };
    let channel = "";
    const stamps: string[] = [];
    for (const text of ["one", "two", "three", "four", "five"]) {
      const posted = await say({ channel: "#history", text, metadata });
      channel = posted.channel;
      stamps.push(posted.ts);
    }
    expect(new Set(stamps).size).toBe(5);
    const texts: (string | undefined)[] = [];
    for await (const page of client.paginate("conversations.history", {
      channel,
      limit: 2,
      include_all_metadata: true,
    })) {
      const { messages } = page as unknown as { messages: { text?: string; metadata?: object }[] };
      expect(messages.length).toBeLessThanOrEqual(2);
      for (const message of messages) expect(message.metadata).toEqual(metadata);
      texts.push(...messages.map((message) => message.text));
    }
    expect(texts).toEqual(["five", "four", "three", "two", "one"]);
    const later = await client.conversations.history({ channel, oldest: stamps[2]! });
    expect(later.messages?.map((message) => message.text)).toEqual(["five", "four"]);
    expect(later.messages?.[0]).not.toHaveProperty("metadata");
    const inclusive = await client.conversations.history({
      channel,
      oldest: stamps[2]!,
      latest: stamps[3]!,
      inclusive: true,
    });
    expect(inclusive.messages?.map((message) => message.text)).toEqual(["four", "three"]);
  });

  it("pages through channels and users", async () => {
    await say({ channel: "#another", text: "x" });
    for (const [method, field] of [
      ["conversations.list", "channels"],
      ["users.list", "members"],
    ] as const) {
      const ids: string[] = [];
      for await (const page of client.paginate(method, { limit: 1 })) {
        const items = (page as unknown as Record<string, { id: string }[]>)[field]!;
        expect(items).toHaveLength(1);
        ids.push(items[0]!.id);
      }
      expect(ids.length).toBeGreaterThan(1);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it("asks to wait in whole seconds when it is rate limited", async () => {
    await sandbox.setFaults([{ system: "slack", kind: "ratelimited", times: 1, params: { retryAfterMs: 29_500 } }]);
    await expect(client.auth.test()).rejects.toMatchObject({ code: "slack_webapi_rate_limited_error", retryAfter: 30 });
    await expect(client.auth.test()).resolves.toMatchObject({ ok: true });
  });

  it.each([
    ["a wrong token", () => clientOf("xoxb-wrong").auth.test(), "invalid_auth"],
    ["no token", () => clientOf("").auth.test(), "not_authed"],
    ["an unknown method", () => client.apiCall("chat.levitate"), "unknown_method"],
    ["a name inherited by every object", () => client.apiCall("constructor"), "unknown_method"],
    ["a channel that is neither #name nor id", () => say({ channel: "leads", text: "x" }), "channel_not_found"],
    ["no text", () => say({ channel: "#leads", text: "" }), "no_text"],
    ["a text that is too long", () => say({ channel: "#leads", text: "x".repeat(40_001) }), "msg_too_long"],
    ["a cursor of somebody else", () => client.conversations.list({ cursor: "bm9uZQ==" }), "invalid_cursor"],
    [
      "a time that is none",
      () => client.conversations.history({ channel: "C012345678", oldest: "now" }),
      "invalid_ts_oldest",
    ],
  ])("refuses %s", async (_what, call, error) => {
    await expect(call()).rejects.toMatchObject({ code: "slack_webapi_platform_error", data: { ok: false, error } });
  });
});

describe("Slack's stand-in over plain HTTP", () => {
  it("takes JSON as well as forms", async () => {
    const metadata = { event_type: "t", event_payload: { idempotency_key: "json-key" } };
    expect(await post({ channel: "#json", text: "hello", metadata })).toMatchObject({
      ok: true,
      message: { text: "hello" },
    });
    expect((await sandbox.slackMessages()).at(-1)).toMatchObject({ text: "hello", idempotencyKey: "json-key" });
  });

  it("prefers the header's idempotency key", async () => {
    const metadata = { event_type: "t", event_payload: { idempotency_key: "in-body" } };
    await post({ channel: "#json", text: "hello", metadata }, { "idempotency-key": "in-header" });
    expect((await sandbox.slackMessages()).at(-1)?.idempotencyKey).toBe("in-header");
  });

  it("posts a repeat of a key again, as Slack does, so that a double can be seen", async () => {
    const metadata = { event_type: "t", event_payload: { idempotency_key: "twice" } };
    await post({ channel: "#json", text: "hello", metadata });
    await post({ channel: "#json", text: "hello", metadata });
    expect((await sandbox.slackMessages()).filter((message) => message.idempotencyKey === "twice")).toHaveLength(2);
  });

  it("refuses metadata of another shape and a body that is no JSON", async () => {
    expect(await post({ channel: "#json", text: "x", metadata: { event_type: 1 } })).toMatchObject({
      error: "invalid_metadata_format",
    });
    const broken = await fetch(`${sandbox.slackUrl}chat.postMessage`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(await broken.json()).toEqual({ ok: false, error: "invalid_json" });
  });

  it("keeps answers in a thread out of the channel's history", async () => {
    const first = await post({ channel: "#threads", text: "question" });
    await post({ channel: "#threads", text: "answer", thread_ts: first["ts"] });
    const history = await client.conversations.history({ channel: String(first["channel"]) });
    expect(history.messages?.map((message) => message.text)).toEqual(["question"]);
  });
});
