import { z } from "zod";
import { SluiceError } from "../../core/index.ts";
import { maxPageSize, type RunRecord } from "../../store/index.ts";
import type { ServerPorts } from "../ports.ts";
import { FlowName, GivenName, Identifier } from "./parameters.ts";
import { toRunDetailView, toRunView } from "./run-view.ts";
import { defineRoute, json } from "./route.ts";
import { RunDetailView, RunPage, RunStatusView, RunView, SignalRequest, SignalView } from "./schemas.ts";

const RunParams = z.object({ id: Identifier });

/** Runs, and what people may do to them. */
export const runRoutes = [
  defineRoute({
    id: "listRuns",
    method: "GET",
    path: "/runs",
    access: "read",
    summary: "Lists runs, the newest first",
    query: z.object({
      flow: FlowName.optional(),
      status: z
        .string()
        .max(100)
        .transform((text) => text.split(","))
        .pipe(z.array(RunStatusView))
        .optional()
        .describe("States separated by commas, such as failed,in_doubt"),
      before: Identifier.optional().describe("The `next` of the page before"),
      limit: z.coerce.number().int().min(1).max(maxPageSize).default(50),
    }),
    answers: { 200: RunPage },
    async handle({ query }, { ports }) {
      const { items, next } = await ports.workspace.runs.list(query);
      return json(200, { items: items.map(toRunView), next } satisfies RunPage);
    },
  }),
  defineRoute({
    id: "getRun",
    method: "GET",
    path: "/runs/:id",
    access: "read",
    summary: "Tells everything about a run: event, steps, AI calls, effects, and what resuming it would do",
    params: RunParams,
    answers: { 200: RunDetailView },
    errors: ["RUN_UNKNOWN"],
    async handle({ params: { id } }, { ports }) {
      const { events, steps, aiCalls, effects } = ports.workspace;
      const run = await findRun(ports, id);
      const [event, ...rest] = await Promise.all([
        events.ofRun(id),
        steps.ofRun(id),
        aiCalls.ofRun(id),
        effects.ofRun(id),
      ]);
      // A run is made together with its event.
      if (!event) throw runUnknown(id);
      return json(200, toRunDetailView({ run, event, steps: rest[0], aiCalls: rest[1], receipts: rest[2] }));
    },
  }),
  defineRoute({
    id: "resumeRun",
    method: "POST",
    path: "/runs/:id/resume",
    access: "act",
    summary: "Goes on with an ended run from the step that failed; getRun shows beforehand what would be repeated",
    params: RunParams,
    answers: { 202: RunView },
    errors: ["RUN_UNKNOWN", "RUN_NOT_RESUMABLE", "FLOW_UNKNOWN"],
    async handle({ params, caller }, { ports }) {
      await ports.engine.resume(params.id);
      ports.log.info("run.resumed", { run: params.id, by: caller?.id ?? null });
      return json(202, toRunView(await findRun(ports, params.id)));
    },
  }),
  defineRoute({
    id: "cancelRun",
    method: "POST",
    path: "/runs/:id/cancel",
    access: "act",
    summary: "Stops an unfinished run before its next step",
    params: RunParams,
    answers: { 202: RunView },
    errors: ["RUN_UNKNOWN", "RUN_NOT_CANCELLABLE"],
    async handle({ params, caller }, { ports }) {
      await ports.engine.cancel(params.id);
      ports.log.info("run.cancelled", { run: params.id, by: caller?.id ?? null });
      return json(202, toRunView(await findRun(ports, params.id)));
    },
  }),
  defineRoute({
    id: "sendSignal",
    method: "POST",
    path: "/runs/:id/signals/:name",
    access: "act",
    summary: "Gives a run the value that it waits for; the first value of a name stands",
    params: RunParams.extend({ name: GivenName }),
    body: SignalRequest,
    answers: { 202: SignalView },
    errors: ["RUN_UNKNOWN"],
    async handle({ params: { id, name }, body }, { ports }) {
      await findRun(ports, id);
      return json(202, { accepted: await ports.engine.signal(id, name, body.value) } satisfies SignalView);
    },
  }),
];

async function findRun(ports: ServerPorts, id: string): Promise<RunRecord> {
  const run = await ports.workspace.runs.find(id);
  if (run) return run;
  throw runUnknown(id);
}

function runUnknown(id: string): SluiceError {
  return new SluiceError("RUN_UNKNOWN", {
    message: `there is no run "${id}"`,
    hint: "List the runs with GET /api/v1/runs.",
  });
}
