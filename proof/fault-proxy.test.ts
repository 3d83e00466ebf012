import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, expect, inject, test } from "vitest";
import { createFaultProxy, type FaultProxy } from "./fault-proxy.ts";

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** An upstream that answers each message with the same bytes, and a proxy before it. */
async function openEcho(): Promise<{ proxy: FaultProxy; upstream: Set<Socket> }> {
  const upstream = new Set<Socket>();
  const server = createServer((socket) => {
    upstream.add(socket);
    socket.on("error", () => {}).once("close", () => upstream.delete(socket));
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await createFaultProxy({
    upstream: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
  });
  opened.push(
    () => void server.close(),
    () => proxy.close(),
  );
  return { proxy, upstream };
}

interface TestClient {
  readonly socket: Socket;
  /** Sends a text and gives the first answer. */
  readonly ask: (text: string) => Promise<string>;
  readonly received: () => string;
}

async function open({ port }: FaultProxy): Promise<TestClient> {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  opened.push(() => void socket.destroy());
  let received = "";
  socket.on("data", (bytes) => (received += bytes.toString()));
  await once(socket, "connect");
  const ask = async (text: string): Promise<string> => {
    socket.write(text);
    const [answer] = await once(socket, "data");
    return String(answer);
  };
  return { socket, ask, received: () => received };
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

test("without a fault, bytes and their end pass in both directions", async () => {
  const { proxy, upstream } = await openEcho();
  const { socket, ask } = await open(proxy);
  expect(await ask("hello")).toBe("hello");
  expect(proxy.connections()).toBe(1);
  socket.end();
  await once(socket, "close");
  await expect.poll(() => [proxy.connections(), upstream.size]).toEqual([0, 0]);
});

test("latency delays each direction, and ends with the fault", async () => {
  const { proxy } = await openEcho();
  const { ask } = await open(proxy);
  await proxy.setFault({ kind: "latency", ms: 40 });
  const began = performance.now();
  expect(await ask("slow")).toBe("slow");
  // Timers may fire a millisecond early.
  expect(performance.now() - began).toBeGreaterThan(78);
  await proxy.setFault(null);
  const again = performance.now();
  await ask("fast");
  expect(performance.now() - again).toBeLessThan(40);
});

test("refuse resets open connections and refuses new ones; afterwards the same port listens again", async () => {
  const { proxy } = await openEcho();
  const { socket, ask } = await open(proxy);
  await ask("hello");
  const broken = once(socket, "error");
  await proxy.setFault({ kind: "refuse" });
  expect(codeOf((await broken)[0])).toBe("ECONNRESET");
  expect(codeOf(await open(proxy).catch((error: unknown) => error))).toBe("ECONNREFUSED");
  await proxy.setFault(null);
  expect(await (await open(proxy)).ask("back")).toBe("back");
});

test("cut ends a connection in good order after exactly so many bytes of answers", async () => {
  const { proxy, upstream } = await openEcho();
  const { socket, received } = await open(proxy);
  await proxy.setFault({ kind: "cut", afterBytes: 5 });
  socket.write("hello world");
  // "end" comes by FIN only.
  await once(socket, "end");
  expect(received()).toBe("hello");
  expect(proxy.struck()).toBe(1);
  await expect.poll(() => [proxy.connections(), upstream.size]).toEqual([0, 0]);
});

test("half-open accepts a new connection, never forwards it and never closes it, even when the fault is over", async () => {
  const { proxy, upstream } = await openEcho();
  const before = await open(proxy);
  await before.ask("hello");
  await proxy.setFault({ kind: "half-open" });
  const { socket, received } = await open(proxy);
  socket.write("anybody there?");
  expect(await before.ask("still here")).toBe("still here");
  await proxy.setFault(null);
  await setTimeout(50);
  expect(received()).toBe("");
  expect(socket.readyState).toBe("open");
  expect(upstream.size).toBe(1);
});

test("trickle passes so many bytes in each interval", async () => {
  const { proxy } = await openEcho();
  const { socket, received } = await open(proxy);
  await proxy.setFault({ kind: "trickle", bytes: 4, intervalMs: 10 });
  const began = performance.now();
  socket.write("0123456789abcdef");
  await expect.poll(() => received(), { interval: 5 }).toBe("0123456789abcdef");
  // Four pieces one way; the other way begins while they come in.
  expect(performance.now() - began).toBeGreaterThan(45);
});

test("reset breaks open connections and each new one with RST", async () => {
  const { proxy, upstream } = await openEcho();
  const { socket, ask } = await open(proxy);
  await ask("hello");
  const broken = once(socket, "error");
  await proxy.setFault({ kind: "reset" });
  expect(codeOf((await broken)[0])).toBe("ECONNRESET");
  const next = connect(proxy.port, "127.0.0.1");
  expect(codeOf((await once(next, "error"))[0])).toBe("ECONNRESET");
  await expect.poll(() => upstream.size).toBe(0);
});

test("in a black hole open and new connections are silent; what was held passes on afterwards", async () => {
  const { proxy, upstream } = await openEcho();
  const before = await open(proxy);
  await before.ask("hello");
  await proxy.setFault({ kind: "black-hole" });
  const during = await open(proxy);
  before.socket.write("one");
  during.socket.write("two");
  await setTimeout(50);
  expect([before.received(), during.received()]).toEqual(["hello", ""]);
  await proxy.setFault(null);
  await expect.poll(() => [before.received(), during.received()]).toEqual(["helloone", "two"]);
  expect(upstream.size).toBe(2);
});

test("upstream does not learn of a client that leaves inside a black hole before the hole is gone", async () => {
  const { proxy, upstream } = await openEcho();
  const { socket, ask } = await open(proxy);
  await ask("hello");
  await proxy.setFault({ kind: "black-hole" });
  socket.destroy();
  await setTimeout(50);
  expect(upstream.size).toBe(1);
  await proxy.setFault(null);
  await expect.poll(() => [upstream.size, proxy.connections()]).toEqual([0, 0]);
});

test("a black hole that forgets leaves its connections silent for good, and ends them upstream once the client leaves", async () => {
  const { proxy, upstream } = await openEcho();
  const { socket, ask, received } = await open(proxy);
  await ask("hello");
  await proxy.setFault({ kind: "black-hole", forgets: true });
  socket.write("lost");
  await proxy.setFault(null);
  await setTimeout(50);
  expect(received()).toBe("hello");
  expect(await (await open(proxy)).ask("new")).toBe("new");
  socket.destroy();
  await expect.poll(() => [upstream.size, proxy.connections()]).toEqual([1, 1]);
});

test("closing the proxy breaks every connection, silent ones too", async () => {
  const { proxy } = await openEcho();
  await proxy.setFault({ kind: "half-open" });
  const { socket } = await open(proxy);
  const broken = once(socket, "error");
  await proxy.close();
  expect(codeOf((await broken)[0])).toBe("ECONNRESET");
});

/** A proxy before the Postgres of the tests, and the address that leads through it. */
async function openPostgres(): Promise<{ proxy: FaultProxy; url: string }> {
  const url = new URL(inject("databaseServerUrl"));
  const proxy = await createFaultProxy({ upstream: { host: url.hostname, port: Number(url.port) } });
  url.port = String(proxy.port);
  opened.push(() => proxy.close());
  return { proxy, url: url.href };
}

async function connectPostgres(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  opened.push(() => client.end().catch(() => {}));
  return client;
}

test("reset in mid-commit: the server has committed, and the client gets no answer", async () => {
  const { proxy, url } = await openPostgres();
  const client = await connectPostgres(url);
  const table = `commits_${process.pid}`;
  await client.query(`create table ${table} (id integer)`);
  opened.push(async () => void (await (await connectPostgres(url)).query(`drop table ${table}`)));
  await proxy.setFault({ kind: "reset", onStatement: /^commit$/i });
  await client.query("begin");
  await client.query(`insert into ${table} values (1)`);
  await expect(client.query("commit")).rejects.toThrow(/ECONNRESET|terminated/);
  expect(proxy.struck()).toBe(1);
  await proxy.setFault(null);
  const { rows } = await (await connectPostgres(url)).query(`select * from ${table}`);
  expect(rows).toEqual([{ id: 1 }]);
});

test("reset by statement recognises a statement that was prepared before the fault, and no other", async () => {
  const { proxy, url } = await openPostgres();
  const client = await connectPostgres(url);
  const marked = { name: "marked", text: "select $1::integer as marked", values: [1] };
  await client.query(marked);
  await proxy.setFault({ kind: "reset", onStatement: /marked/ });
  await client.query({ name: "other", text: "select $1::integer as other", values: [2] });
  await expect(client.query(marked)).rejects.toThrow(/ECONNRESET|terminated/);
});
