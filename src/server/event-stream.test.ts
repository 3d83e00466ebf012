import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestServer, type TestServer } from "../../test/support/test-server.ts";
import type { Log } from "../core/index.ts";
import { ChangeView, Problem } from "./api/schemas.ts";
import { createChangeHub, type ChangeHub, type ChangeListener } from "./change-hub.ts";
import { openEventStream, type StreamTimes } from "./event-stream.ts";

interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: ChangeView;
}

/** Reads a stream of events as the standard says, as far as we use it. */
class EventReader {
  readonly messages: Message[] = [];
  lastId = "";
  text = "";
  readonly ended: Promise<void>;

  constructor(body: ReadableStream<Uint8Array>) {
    this.ended = this.#read(body);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        const piece = decoder.decode(chunk, { stream: true });
        this.text += piece;
        const blocks = (rest + piece).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // Cut off by the test or by the server.
    }
  }

  #take(block: string): void {
    const fields: { [name: string]: string | undefined } = Object.fromEntries(
      block.split("\n").map((line) => line.split(/: (.*)/s)),
    );
    this.lastId = fields["id"] ?? this.lastId;
    if (fields["data"] === undefined) return;
    const data = ChangeView.parse(JSON.parse(fields["data"]));
    this.messages.push({ id: this.lastId, event: fields["event"] ?? "message", data });
  }
}

let server: TestServer;
const aborts: AbortController[] = [];
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => aborts.splice(0).forEach((abort) => abort.abort()));
afterAll(() => server.close());

async function connect(path = "/changes", headers: { [name: string]: string } = {}): Promise<EventReader> {
  const abort = new AbortController();
  aborts.push(abort);
  const authorization = `Bearer ${await server.keyOf("viewer")}`;
  const response = await fetch(`${server.adminUrl}/api/v1${path}`, {
    headers: { authorization, ...headers },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = new EventReader(response.body!);
  await vi.waitFor(() => expect(reader.lastId).not.toBe(""));
  return reader;
}

async function accept(): Promise<string> {
  const { runId } = await server.workspace.events.accept({
    flow: "lead-routing",
    source: "test",
    dedupKey: crypto.randomUUID(),
    deliveryId: null,
    bodyDigest: "",
    payload: {},
    sample: false,
    receivedAt: new Date(),
  });
  return runId;
}

/**
 * The events of the given runs. A transaction elsewhere in the same Postgres holds back what is newer, so a stream may begin
 * with events of earlier tests.
 */
function seen(reader: EventReader, runIds: readonly string[]): string[] {
  return reader.messages.flatMap(({ data }) =>
    data.runId !== null && runIds.includes(data.runId) ? [data.runId] : [],
  );
}

describe("live events", () => {
  it("arrive in order, each with its topic and a place to go on from", async () => {
    const reader = await connect();
    const id = await accept();
    await server.workspace.runs.setStatus(id, "running", 0);
    await server.workspace.runs.finish(
      id,
      { status: "succeeded", output: null, error: null, failedStep: null, fingerprint: null },
      { epoch: 0, parentRunId: null },
    );
    await vi.waitFor(() => expect(seen(reader, [id])).toHaveLength(3));
    const own = reader.messages.filter(({ data }) => data.runId === id);
    expect(own.map(({ event }) => event)).toEqual(["run.queued", "run.running", "run.succeeded"]);
    expect(own[0]!.id).toMatch(/^\d+-\d+$/);
    expect(own[0]!.data).toMatchObject({ topic: "run.queued", data: { flow: "lead-routing" } });
  });

  it("reach everybody, and only of one run where that was asked", async () => {
    const one = await accept();
    const [all, only] = [await connect(), await connect(`/changes?run=${one}`)];
    const other = await accept();
    await server.workspace.runs.setStatus(one, "running", 0);
    await vi.waitFor(() => expect(seen(all, [one, other]).slice(-2)).toEqual([other, one]));
    await vi.waitFor(() => expect(only.messages.at(-1)?.event).toBe("run.running"));
    expect(seen(only, [other])).toEqual([]);
  });

  it("go on after a break without a gap or a repeat, by header or by query", async () => {
    const before = await connect();
    const first = await accept();
    await vi.waitFor(() => expect(seen(before, [first])).toEqual([first]));
    const lastId = before.messages.at(-1)!.id;
    const missed = [await accept(), await accept()];
    const after = await connect("/changes", { "last-event-id": lastId });
    const byQuery = await connect(`/changes?lastEventId=${lastId}`);
    await vi.waitFor(() => expect(after.messages).toHaveLength(2));
    const expected = [...missed, await accept()];
    for (const reader of [after, byQuery]) {
      await vi.waitFor(() => expect(reader.messages).toHaveLength(3));
      expect(seen(reader, expected)).toEqual(expected);
    }
  });

  it.each([
    ["is no place", "nonsense"],
    ["is ahead of the database", "999999999999999999-1"],
    ["is older than anything kept", "1-1"],
    ["would overflow", "9999999999999999999-9999999999999999999"],
  ])("begin with a reset when the last id %s", async (_name, lastId) => {
    await accept();
    const reader = await connect("/changes", { "last-event-id": lastId });
    await vi.waitFor(() => expect(reader.messages[0]?.event).toBe("reset"));
    const id = await accept();
    await vi.waitFor(() => expect(seen(reader, [id])).toEqual([id]));
    expect(reader.messages.filter(({ event }) => event === "reset")).toHaveLength(1);
  });

  it("begin with a reset when what was kept has gone, as after a crash", async () => {
    const before = await connect();
    const id = await accept();
    await vi.waitFor(() => expect(seen(before, [id])).toEqual([id]));
    const lastId = before.messages.at(-1)!.id;
    await server.sql("delete from sluice.changes");
    await accept();
    const reader = await connect("/changes", { "last-event-id": lastId });
    await vi.waitFor(() => expect(reader.messages[0]?.event).toBe("reset"));
  });

  it("begin with a reset when there is more to catch up on than to read again", async () => {
    const before = await connect();
    const id = await accept();
    await vi.waitFor(() => expect(seen(before, [id])).toEqual([id]));
    const lastId = before.messages.at(-1)!.id;
    aborts.splice(0).forEach((abort) => abort.abort());
    const fill = (count: number) =>
      server.sql(`insert into sluice.changes (workspace_id, topic, data)
        select 'default', 'step.running', '{}' from generate_series(1, ${count})`);
    await fill(2000);
    expect(await server.workspace.changes.canResume(lastId)).toBe(true);
    await fill(1);
    expect(await server.workspace.changes.canResume(lastId)).toBe(false);
  });

  it("say nothing to a HEAD request and hold nothing open for it", async () => {
    const response = await server.api("HEAD", "/changes", { as: "viewer" });
    expect(response.status).toBe(204);
  });
});

/** Changes that a test brings out one page at a time. */
function fakeChanges() {
  let place = 0;
  const pages: number[] = [];
  return {
    polls: 0,
    failing: false,
    add: (count: number) => void pages.push(count),
    async end() {
      this.refuse();
      return `${place}-0`;
    },
    refuse() {
      if (this.failing) throw new Error("the database is away");
    },
    canResume: async () => true,
    async after(cursor: string) {
      this.polls += 1;
      this.refuse();
      const count = pages.shift() ?? 0;
      const changes = Array.from({ length: count }, () => ({
        cursor: `${(place += 1)}-0`,
        topic: "run.queued",
        runId: "run_1",
        data: { filler: "x".repeat(200) },
        at: new Date(),
      }));
      return { changes, cursor: changes.at(-1)?.cursor ?? cursor, more: count === 500 };
    },
  };
}

const silent = { debug() {}, info() {}, warn: vi.fn<Log["warn"]>(), error() {} };
const hubOn = (changes: ReturnType<typeof fakeChanges>, mostListeners = 100) =>
  createChangeHub({ changes: changes, log: silent, pollMs: 5, mostListeners });

function listenerThat(told: string[]): ChangeListener {
  return {
    onChanges: (changes) => void told.push(...changes.map(({ cursor }) => cursor)),
    onReset: (cursor) => void told.push(`reset ${cursor}`),
    onEnd: () => void told.push("end"),
  };
}

describe("the hub", () => {
  it("asks the database only while somebody listens, once for all of them", async () => {
    const changes = fakeChanges();
    const hub = hubOn(changes);
    const told: string[][] = [[], []];
    const subscriptions = await Promise.all(told.map((list) => hub.subscribe(listenerThat(list), null)));
    changes.add(2);
    await vi.waitFor(() =>
      expect(told).toEqual([
        ["1-0", "2-0"],
        ["1-0", "2-0"],
      ]),
    );
    for (const subscription of subscriptions) subscription.leave();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { polls } = changes;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(changes.polls).toBe(polls);
    hub.close();
  });

  it("resets its listeners after a break and in a flood", async () => {
    const changes = fakeChanges();
    const hub = hubOn(changes);
    const told: string[] = [];
    await hub.subscribe(listenerThat(told), null);
    changes.failing = true;
    await vi.waitFor(() => expect(silent.warn).toHaveBeenCalledWith("changes.unreadable", { code: "INTERNAL" }));
    changes.failing = false;
    await vi.waitFor(() => expect(told).toEqual(["reset 0-0"]));
    for (let page = 0; page < 4; page += 1) changes.add(500);
    await vi.waitFor(() => expect(told.at(-1)).toBe("reset 2000-0"));
    expect(told).toHaveLength(2002);
    hub.close();
  });

  it("takes no more listeners than it may, and none after its end", async () => {
    const hub = hubOn(fakeChanges(), 2);
    const told: string[] = [];
    const joined = await Promise.allSettled([1, 2, 3].map(() => hub.subscribe(listenerThat(told), null)));
    expect(joined.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await expect(hub.subscribe(listenerThat([]), null)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    hub.close();
    expect(told).toEqual(["end", "end"]);
    await expect(hub.subscribe(listenerThat([]), null)).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });
});

const openOn = (hub: ChangeHub, times: StreamTimes) =>
  openEventStream({ changes: hub, lastEventId: null, runId: "run_2", disconnect: () => {}, times });

describe("a stream", () => {
  it("gives signs of life with the present place, though no event was for it", async () => {
    const changes = fakeChanges();
    const hub = hubOn(changes);
    const response = await openOn(hub, { heartbeatMs: 10, longestMs: 10_000 });
    const reader = new EventReader(response.body!);
    changes.add(3);
    await vi.waitFor(() => expect(reader.lastId).toBe("3-0"));
    expect(reader.text).toContain(":\nid: 3-0\n\n");
    expect(reader.messages).toEqual([]);
    hub.close();
    await reader.ended;
  });

  it("ends after its time, so that the client is asked again who it is", async () => {
    const hub = hubOn(fakeChanges());
    const reader = new EventReader((await openOn(hub, { heartbeatMs: 1000, longestMs: 20 })).body!);
    await reader.ended;
    expect(reader.text).toContain("retry: 2000");
    hub.close();
  });

  it("cuts off a client that does not read", async () => {
    const changes = fakeChanges();
    const hub = hubOn(changes);
    const disconnect = vi.fn<() => void>();
    const times = { heartbeatMs: 1000, longestMs: 10_000 };
    await openEventStream({ changes: hub, lastEventId: null, runId: null, disconnect, times });
    for (let page = 0; page < 10 && disconnect.mock.calls.length === 0; page += 1) {
      changes.add(499);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(disconnect).toHaveBeenCalledOnce();
    const { polls } = changes;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(changes.polls).toBeLessThanOrEqual(polls + 1);
    hub.close();
  });

  it("is refused beyond the hundredth, with an answer that says so", async () => {
    const readers = await Promise.all(Array.from({ length: 100 }, () => connect()));
    const response = await server.api("GET", "/changes", { as: "viewer" });
    expect([response.status, Problem.parse(await response.json()).code]).toEqual([503, "QUEUE_FULL"]);
    aborts.splice(0).forEach((abort) => abort.abort());
    await Promise.all(readers.map(({ ended }) => ended));
    await vi.waitFor(() => connect(), { timeout: 5000, interval: 50 });
  });
});
