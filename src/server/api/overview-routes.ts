import type { RunStatus } from "../../store/index.ts";
import { toRunView } from "./run-view.ts";
import { defineRoute, json } from "./route.ts";
import { OverviewView, StatusView } from "./schemas.ts";

const dayMs = 24 * 3_600_000;

/** How things are at large. */
export const overviewRoutes = [
  defineRoute({
    id: "getStatus",
    method: "GET",
    path: "/status",
    access: "read",
    summary: "Tells what this server runs with: version, database, models",
    answers: { 200: StatusView },
    handle: async (_call, { ports }) => json(200, await ports.status()),
  }),
  defineRoute({
    id: "getOverview",
    method: "GET",
    path: "/overview",
    access: "read",
    summary: "Tells what needs a person, and what the last day came to",
    answers: { 200: OverviewView },
    async handle(_call, { ports }) {
      const { runs, aiCalls, refusals } = ports.workspace;
      const [troubled, figures, ai, refused] = await Promise.all([
        runs.list({ status: ["failed", "in_doubt"], limit: 20 }),
        runs.figures(),
        aiCalls.totals(new Date(Date.now() - dayMs)),
        refusals.list(1),
      ]);
      const minutes = new Map(ports.flows().map(({ flow }) => [flow.name, flow.minutesSaved]));
      return json(200, {
        needsAttention: troubled.items.map(toRunView),
        counts: addUp(figures.map((flow) => flow.counts)),
        ai,
        minutesSaved: figures.reduce(
          (total, flow) => total + (flow.counts.succeeded ?? 0) * (minutes.get(flow.flow) ?? 0),
          0,
        ),
        refusals: refused,
      } satisfies OverviewView);
    },
  }),
];

type Counts = { [Status in RunStatus]?: number };

function addUp(all: readonly Counts[]): Counts {
  const total: Counts = {};
  for (const counts of all) {
    for (const [status, count] of Object.entries(counts) as [RunStatus, number][]) {
      total[status] = (total[status] ?? 0) + count;
    }
  }
  return total;
}
