import { z } from "zod";
import { SluiceError } from "../../core/index.ts";
import { maxPageSize, type RunRecord } from "../../store/index.ts";
import type { ServerPorts } from "../ports.ts";
import { FlowName, Identifier, SignalName } from "./parameters.ts";
import { type RunParts, toRunDetailView, toRunView } from "./run-view.ts";
import { defineRoute, json } from "./route.ts";
import { RuleRequest, RunDetailView, RunPage, RunStatusView, RunView, SignalRequest, SignalView } from "./schemas.ts";

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
      return json(200, toRunDetailView(await readParts(ports, id)));
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
    summary: "Stops an unfinished run before its next step, and its sub-flows",
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
    id: "ruleEffect",
    method: "POST",
    path: "/runs/:id/rule",
    access: "act",
    summary: "Says whether an effect in doubt was done, and goes on with its run; the first word stands",
    params: RunParams,
    body: RuleRequest,
    answers: { 202: RunView },
    errors: ["RUN_UNKNOWN", "EFFECT_UNKNOWN", "EFFECT_NOT_IN_DOUBT"],
    async handle({ params: { id }, body: { key, word, output }, caller }, { ports }) {
      const by = caller?.id ?? null;
      await ports.engine.rule(id, { key, word, by, ...(output !== undefined && { output }) });
      ports.log.info("effect.ruled", { run: id, key, word, by });
      return json(202, toRunView(await findRun(ports, id)));
    },
  }),
  defineRoute({
    id: "migrateRun",
    method: "POST",
    path: "/runs/:id/migrate",
    access: "act",
    summary:
      "Goes on with a run whose flow was changed, anew from the step that does not fit; getRun shows beforehand what would be done anew",
    params: RunParams,
    answers: { 202: RunView },
    errors: ["RUN_UNKNOWN", "RUN_NOT_MIGRATABLE"],
    async handle({ params: { id }, caller }, { ports }) {
      await ports.engine.migrate(id);
      ports.log.info("run.migrated", { run: id, by: caller?.id ?? null });
      return json(202, toRunView(await findRun(ports, id)));
    },
  }),
  defineRoute({
    id: "sendSignal",
    method: "POST",
    path: "/runs/:id/signals/:name",
    access: "act",
    summary: "Gives a run the value that it waits for; the first value of a name stands",
    params: RunParams.extend({ name: SignalName }),
    body: SignalRequest,
    answers: { 202: SignalView },
    errors: ["RUN_UNKNOWN"],
    async handle({ params: { id, name }, body }, { ports }) {
      await findRun(ports, id);
      return json(202, { accepted: await ports.engine.signal(id, name, body.value) } satisfies SignalView);
    },
  }),
];

async function readParts(ports: ServerPorts, id: string): Promise<RunParts> {
  const { events, runs, steps, aiCalls, effects, people } = ports.workspace;
  const run = await findRun(ports, id);
  const [event, ofRun, calls, receipts, subflows] = await Promise.all([
    events.ofRun(id),
    steps.ofRun(id),
    aiCalls.ofRun(id),
    effects.ofRun(id),
    runs.list({ parent: id, limit: maxPageSize }),
  ]);
  // A run is made together with its event.
  if (!event) throw runUnknown(id);
  const version = ports.flows().find(({ flow }) => flow.name === run.flow)?.flow.version ?? null;
  const names = await people.namesOf(receipts.flatMap(({ ruling }) => ruling?.by ?? []));
  return { run, event, steps: ofRun, aiCalls: calls, receipts, subflows: subflows.items, version, names };
}

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
