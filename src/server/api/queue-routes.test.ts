import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import { QueueView } from "./schemas.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, () => ({ maxQueued: 500 }));
});
afterAll(() => server.close());

it("the queue shows what waits for room, by flow, and who executes", async () => {
  const { events, runs } = server.workspace;
  const accept = (dedupKey: string, begun = false) =>
    events.accept({
      flow: "lead-routing", source: "test", dedupKey, deliveryId: null, bodyDigest: "", payload: {}, sample: false,
      receivedAt: new Date(1_700_000_000_000), begin: begun ? { executor: "exe_1", flowVersion: "v1" } : null,
    }); // oxfmt-ignore
  await accept("queued");
  await accept("running", true);
  const parked = await accept("parked", true);
  await runs.park(parked.runId, { wakeAt: null, signals: 0 }, 1);
  const presence = await server.store.processes.register({
    executor: "exe_1", role: "worker", flows: ["lead-routing"], onLost: () => {}, onWake: () => {},
  }); // oxfmt-ignore

  const view = QueueView.parse(await (await server.api("GET", "/queue", { as: "viewer" })).json());
  expect(view).toEqual({
    queued: 1,
    maxQueued: 500,
    byFlow: [
      {
        flow: "lead-routing",
        queued: 1,
        running: 1,
        waiting: 0,
        parked: 1,
        oldestQueuedAt: "2023-11-14T22:13:20.000Z",
      },
    ],
    processes: [
      { executor: "exe_1", role: "worker", startedAt: expect.any(String) as unknown, alive: true, running: 1 },
    ],
  });
  await presence.release();
});
