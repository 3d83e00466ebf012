import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  faultKinds,
  readSandboxCalls,
  startSandbox,
  type FaultRule,
  type Sandbox,
  type SandboxOptions,
} from "./index.ts";

let root: string;
let folders = 0;
const running: Sandbox[] = [];

async function start(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ folder: join(root, String((folders += 1))), ...options });
  running.push(sandbox);
  return sandbox;
}

async function kill(sandbox: Sandbox): Promise<void> {
  process.kill(sandbox.pid, "SIGKILL");
  await expect(sandbox.slackMessages()).rejects.toMatchObject({ code: "INTERNAL" });
}

function post(sandbox: Sandbox, text = "hello", key?: string): Promise<Response> {
  return fetch(`${sandbox.slackUrl}chat.postMessage`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${sandbox.credentials.slackToken}`,
      "content-type": "application/json",
      ...(key && { "idempotency-key": key }),
    },
    body: JSON.stringify({ channel: "#leads", text }),
  });
}

function createContact(sandbox: Sandbox, email: string): Promise<Response> {
  return fetch(`${sandbox.hubspotUrl}/crm/v3/objects/contacts`, {
    method: "POST",
    headers: { authorization: `Bearer ${sandbox.credentials.hubspotToken}`, "content-type": "application/json" },
    body: JSON.stringify({ properties: { email } }),
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await sleep(25);
  }
  throw new Error("did not come true within 5 s");
}

const isGone = (origin: string) =>
  fetch(origin).then(
    () => false,
    () => true,
  );

/** Which of forty calls a fault of probability 0.4 hits. */
const pattern = async (seed: number) => {
  const rule: FaultRule = { system: "slack", kind: "service_unavailable", probability: 0.4 };
  const sandbox = await start({ seed, faults: [rule] });
  for (let index = 0; index < 40; index += 1) await post(sandbox);
  return (await sandbox.calls()).map((call) => (call.fault === null ? "." : "x")).join("");
};

const control = (sandbox: Sandbox, method: string, path: string, body?: unknown, token = sandbox.controlToken) =>
  fetch(`${sandbox.origin}/_sandbox${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** Sends bytes as they are and gives the first line of the answer; ends the connection either way. */
async function sendRaw(sandbox: Sandbox, text: string): Promise<string> {
  const socket = connect(Number(new URL(sandbox.origin).port), "127.0.0.1");
  socket.write(text);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return String(chunk).split("\r\n")[0] ?? "";
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sandbox-"));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sandbox) => sandbox.close()));
});
afterAll(() => rm(root, { recursive: true }));

describe("the record of a sandbox", () => {
  it("survives kill -9: what was answered is there after a new start, on the same port, with the same credentials", async () => {
    const folder = join(root, "killed");
    const first = await start({ folder });
    await post(first, "one", "run-1/1");
    await createContact(first, "kept@acme.test");
    const answers = Promise.allSettled(Array.from({ length: 100 }, (_, index) => post(first, `burst ${index}`)));
    await post(first, "last");
    await kill(first);
    const answered = (await answers).filter((answer) => answer.status === "fulfilled").length + 2;
    await appendFile(join(folder, "calls.jsonl"), '{"number":9999,"at":"20');
    const second = await start({ folder, port: Number(new URL(first.origin).port) });
    expect(second.origin).toBe(first.origin);
    expect(second.credentials).toEqual(first.credentials);
    const messages = await second.slackMessages();
    expect(messages.length).toBeGreaterThanOrEqual(answered);
    expect(messages[0]).toMatchObject({ text: "one", idempotencyKey: "run-1/1" });
    expect((await createContact(second, "kept@acme.test")).status).toBe(409);
    const numbers = (await second.calls()).map((call) => call.number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    const stamps = (await second.slackMessages()).map((message) => message.ts);
    expect(new Set(stamps).size).toBe(stamps.length);
  });

  it("can be read without a sandbox, by system and from a number on", async () => {
    const folder = join(root, "read");
    const sandbox = await start({ folder });
    await post(sandbox, "one");
    await createContact(sandbox, "a@acme.test");
    await post(sandbox, "two");
    await sandbox.close();
    expect((await readSandboxCalls(folder)).map((call) => call.system)).toEqual(["slack", "hubspot", "slack"]);
    expect((await readSandboxCalls(folder, { system: "slack", since: 1 })).map((call) => call.number)).toEqual([3]);
    expect(await readSandboxCalls(join(root, "nothing"))).toEqual([]);
  });

  it("keeps the credentials of an older sandbox, and adds those that it did not have", async () => {
    const folder = join(root, "older");
    await (await start({ folder })).close();
    const kept = { slackToken: "xoxb-kept", hubspotToken: "pat-kept", openaiKey: "sk-kept" };
    await writeFile(join(folder, "credentials.json"), JSON.stringify(kept));
    const { credentials } = await start({ folder });
    expect(credentials).toMatchObject({ ...kept, anthropicKey: expect.stringMatching(/^sk-ant-/) as string });
    expect((await start({ folder: join(root, "older") })).credentials).toEqual(credentials);
  });

  it("holds no credential, neither of a header nor of a body", async () => {
    const folder = join(root, "clean");
    const sandbox = await start({ folder });
    const { slackToken, hubspotToken } = sandbox.credentials;
    await post(sandbox);
    await createContact(sandbox, "a@acme.test");
    const form = new URLSearchParams({ token: slackToken, channel: "#a", text: "x" });
    expect(
      await (await fetch(`${sandbox.slackUrl}chat.postMessage`, { method: "POST", body: form })).json(),
    ).toMatchObject({ ok: true });
    const text = await readFile(join(folder, "calls.jsonl"), "utf8");
    expect(text).not.toContain(slackToken);
    expect(text).not.toContain(hubspotToken);
    expect((await sandbox.calls())[0]?.headers["authorization"]).toMatch(/^sha256:/);
  });
});

describe("faults", () => {
  it("hit the same calls for the same seed, others for another", async () => {
    const [one, again, other] = [await pattern(7), await pattern(7), await pattern(8)];
    expect(one).toBe(again);
    expect(one).not.toBe(other);
    expect(one).toMatch(/x/);
    expect(one).toMatch(/\./);
  });

  it("tell an effect whose answer was lost from one that never happened", async () => {
    const sandbox = await start({
      faults: [
        { system: "slack", kind: "applied_then_no_answer", match: { body: "lost" } },
        { system: "slack", kind: "not_applied_reset", match: { body: "never" } },
        { system: "hubspot", kind: "applied_then_no_answer", times: 1 },
      ],
    });
    await expect(post(sandbox, "lost", "k1")).rejects.toThrow("fetch failed");
    await expect(post(sandbox, "never", "k2")).rejects.toThrow("fetch failed");
    await expect(createContact(sandbox, "lost@acme.test")).rejects.toThrow("fetch failed");
    expect((await createContact(sandbox, "lost@acme.test")).status).toBe(409);
    expect((await sandbox.slackMessages()).map((message) => message.text)).toEqual(["lost"]);
    expect(
      (await sandbox.calls()).map(({ status, fault, effect }) => ({ status, fault, happened: effect !== null })),
    ).toEqual([
      { status: null, fault: "applied_then_no_answer", happened: true },
      { status: null, fault: "not_applied_reset", happened: false },
      { status: null, fault: "applied_then_no_answer", happened: true },
      { status: 409, fault: null, happened: false },
    ]);
  });

  it("obey times, afterCalls, method and path", async () => {
    const sandbox = await start({
      faults: [
        { system: "slack", kind: "ratelimited", match: { method: "post", path: "chat.post" }, afterCalls: 1, times: 2 },
      ],
    });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await post(sandbox)).status);
    expect(statuses).toEqual([200, 429, 429, 200, 200]);
    await sandbox.setFaults([{ system: "slack", kind: "ratelimited", match: { method: "GET" } }]);
    expect((await post(sandbox)).status).toBe(200);
  });

  it("spoil the way an answer arrives", async () => {
    const sandbox = await start();
    const play = (kind: "html_200" | "empty_body" | "truncated_body" | "stalled_body" | "slow" | "bad_gateway") =>
      sandbox.setFaults([{ system: "slack", kind, params: { delayMs: 80 } }]);
    await play("html_200");
    expect(await (await post(sandbox)).text()).toMatch(/^<!DOCTYPE html>/);
    await play("empty_body");
    expect(await (await post(sandbox)).text()).toBe("");
    await play("bad_gateway");
    expect((await post(sandbox)).status).toBe(502);
    await play("truncated_body");
    await expect((await post(sandbox)).text()).rejects.toThrow("terminated");
    for (const kind of ["slow", "stalled_body"] as const) {
      await play(kind);
      const before = performance.now();
      expect(await (await post(sandbox)).json()).toMatchObject({ ok: true });
      expect(performance.now() - before).toBeGreaterThanOrEqual(75);
    }
    const effects = (await sandbox.calls()).filter((call) => call.effect !== null).map((call) => call.fault);
    expect(effects).toEqual(["truncated_body", "slow", "stalled_body"]);
  });

  it("can all be played, and each is recorded by its name", async () => {
    const sandbox = await start();
    for (const system of ["slack", "hubspot"] as const) {
      for (const kind of faultKinds[system]) {
        await sandbox.setFaults([{ system, kind, params: { delayMs: 1 } } as FaultRule]);
        const response = await (system === "slack" ? post(sandbox) : createContact(sandbox, "a@acme.test")).catch(
          () => undefined,
        );
        await response?.text().catch(() => "");
      }
    }
    const played = (await sandbox.calls()).map((call) => call.fault);
    expect(played).toEqual([...faultKinds.slack, ...faultKinds.hubspot]);
  });

  it("of an unknown kind are refused with the known ones, and leave the rules as they were", async () => {
    const sandbox = await start({ faults: [{ system: "slack", kind: "ratelimited" }] });
    const unknown = [{ system: "slack", kind: "constructor" }] as unknown as FaultRule[];
    await expect(sandbox.setFaults(unknown)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringContaining("ratelimited") as string,
    });
    expect((await post(sandbox)).status).toBe(429);
    await expect(start({ faults: unknown })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("the sandbox's process", () => {
  it("ends when the process that started it is killed", async () => {
    const script = join(root, "parent.mjs");
    const index = fileURLToPath(new URL("./index.ts", import.meta.url));
    await writeFile(
      script,
      `
      import { startSandbox } from ${JSON.stringify(index)};
      const sandbox = await startSandbox({ folder: ${JSON.stringify(join(root, "orphan"))} });
      process.stdout.write(sandbox.origin);
    `,
    );
    const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [origin] = (await once(parent.stdout, "data")) as [Buffer];
    expect(await isGone(String(origin))).toBe(false);
    parent.kill("SIGKILL");
    await until(() => isGone(String(origin)));
  });

  it("does not stop for Ctrl-C, because runs that end still need it", async () => {
    const sandbox = await start();
    process.kill(sandbox.pid, "SIGINT");
    expect((await post(sandbox)).status).toBe(200);
  });

  it("is gone after close, also with a call under way, and can be closed twice", async () => {
    const sandbox = await start({ faults: [{ system: "slack", kind: "slow" }] });
    const outcome = post(sandbox).then(
      () => "answered",
      (error: Error) => error.message,
    );
    await until(async () => (await sandbox.calls()).length === 1);
    await sandbox.close();
    await sandbox.close();
    expect(await outcome).toBe("fetch failed");
    expect(await isGone(sandbox.origin)).toBe(true);
    await expect(sandbox.slackMessages()).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("refuses a port that is in use", async () => {
    const first = await start();
    await expect(start({ port: Number(new URL(first.origin).port) })).rejects.toMatchObject({ code: "PORT_IN_USE" });
  });

  it("adds the asked latency to every answer", async () => {
    const sandbox = await start({ latencyMs: 60 });
    const before = performance.now();
    await post(sandbox);
    expect(performance.now() - before).toBeGreaterThanOrEqual(55);
  });

  it("answers a body over 1 MB with 413, records the call and takes the next", async () => {
    const sandbox = await start();
    expect((await post(sandbox, "x".repeat(1_048_576))).status).toBe(413);
    expect((await post(sandbox)).status).toBe(200);
    expect((await sandbox.calls())[0]).toMatchObject({ status: 413, body: null, effect: null });
  });

  it("goes on after requests that make no sense", async () => {
    const sandbox = await start();
    for (const path of ["//", "http://[", "/slack/api/%ff", "/hubspot/crm/v3/objects/contacts/%", "/elsewhere"]) {
      expect(await sendRaw(sandbox, `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 [24]/,
      );
    }
    const cut = connect(Number(new URL(sandbox.origin).port), "127.0.0.1");
    cut.write("POST /slack/api/chat.postMessage HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf of it");
    await sleep(20);
    cut.destroy();
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    const headers = { "content-type": "application/json" };
    const refused = await fetch(`${sandbox.slackUrl}chat.postMessage`, { method: "POST", headers, body: deep });
    expect(await refused.json()).toEqual({ ok: false, error: "invalid_json" });
    expect((await post(sandbox)).status).toBe(200);
    expect(await sandbox.slackMessages()).toHaveLength(1);
  });
});

describe("the control interface over HTTP", () => {
  it("gives what the record and the stand-ins hold, and is not recorded itself", async () => {
    const sandbox = await start();
    await post(sandbox);
    await createContact(sandbox, "a@acme.test");
    expect(await (await control(sandbox, "GET", "/calls?system=hubspot&since=1")).json()).toMatchObject([
      { number: 2, system: "hubspot" },
    ]);
    expect(await (await control(sandbox, "GET", "/slack/messages")).json()).toMatchObject([{ channelName: "leads" }]);
    expect(await (await control(sandbox, "GET", "/hubspot/contacts")).json()).toMatchObject([
      { properties: { email: "a@acme.test" } },
    ]);
    expect(await sandbox.calls()).toHaveLength(2);
  });

  it("sets faults, and refuses what are none", async () => {
    const sandbox = await start();
    expect((await control(sandbox, "PUT", "/faults", [{ system: "slack", kind: "ratelimited" }])).status).toBe(200);
    expect((await post(sandbox)).status).toBe(429);
    const refused = await control(sandbox, "PUT", "/faults", "all of them");
    expect(await refused.json()).toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("refuses everyone without its token", async () => {
    const sandbox = await start();
    expect((await control(sandbox, "GET", "/calls", undefined, "guess")).status).toBe(401);
    expect((await control(sandbox, "GET", "/calls", undefined, sandbox.credentials.slackToken)).status).toBe(401);
    expect((await control(sandbox, "GET", "/nothing")).status).toBe(404);
  });
});
