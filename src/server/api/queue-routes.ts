import { defineRoute, json } from "./route.ts";
import { QueueView } from "./schemas.ts";

/** As the engine has it. */
const defaultMaxQueued = 100_000;

/** What waits for room, and who executes. */
export const queueRoutes = [
  defineRoute({
    id: "getQueue",
    method: "GET",
    path: "/queue",
    access: "read",
    summary: "Tells what is queued and under way of each flow, and which processes execute",
    answers: { 200: QueueView },
    async handle(_call, { ports }) {
      const { queue } = ports.workspace;
      const [byFlow, processes] = await Promise.all([queue.byFlow(), queue.processes()]);
      return json(200, {
        queued: byFlow.reduce((sum, { queued }) => sum + queued, 0),
        maxQueued: ports.maxQueued ?? defaultMaxQueued,
        byFlow: byFlow.map((flow) => ({ ...flow, oldestQueuedAt: flow.oldestQueuedAt?.toISOString() ?? null })),
        processes: processes.map((process) => ({ ...process, startedAt: process.startedAt.toISOString() })),
      } satisfies QueueView);
    },
  }),
];
