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
      const { runs, questions, aiCalls, refusals } = ports.workspace;
      const since = new Date(Date.now() - dayMs);
      const [troubled, asking, counts, ai, refused] = await Promise.all([
        runs.list({ status: ["failed", "in_doubt"], limit: 20 }),
        questions.count(),
        runs.countsSince(since),
        aiCalls.totals(since),
        refusals.list(1),
      ]);
      const minutes = new Map(ports.flows().map(({ flow }) => [flow.name, flow.minutesSaved]));
      const succeeded = counts.filter(({ status }) => status === "succeeded");
      return json(200, {
        needsAttention: troubled.items.map(toRunView),
        questions: asking,
        counts: addUp(counts),
        ai,
        duplicates: total(counts.map(({ duplicates }) => duplicates)),
        minutesSaved: total(succeeded.map(({ flow, count }) => count * (minutes.get(flow) ?? 0))),
        refusals: refused,
      } satisfies OverviewView);
    },
  }),
];

function addUp(counts: readonly { readonly status: RunStatus; readonly count: number }[]): OverviewView["counts"] {
  const sums: OverviewView["counts"] = {};
  for (const { status, count } of counts) sums[status] = (sums[status] ?? 0) + count;
  return sums;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
