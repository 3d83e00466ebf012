import { sql } from "kysely";
import type { Priority, SentField } from "../core/index.ts";
import { type PresentBudget, readPresentBudgets } from "./present-budgets.ts";
import { type Scope, survey } from "./scope.ts";

/** What costs can be told by: the flow, `provider/model`, or the day of UTC as `2026-03-09`. */
export type CostKey = "flow" | "model" | "day";

/** What the calls of a period came to. */
export interface CostFigures {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Sum of the known costs, in whole micro-dollars. */
  readonly costMicroUsd: number;
  /** Ended calls whose cost is unknown; they are in no sum. */
  readonly unpricedCalls: number;
  /** Calls whose usage or cost is an estimate. */
  readonly estimatedCalls: number;
  /** Runs with such calls, and those of them that succeeded. */
  readonly runs: number;
  readonly succeededRuns: number;
  /** All cost over the succeeded runs; null when there are none. */
  readonly costPerSuccessMicroUsd: number | null;
}

/** The figures of one flow, model or day. */
export interface CostRow extends CostFigures {
  readonly key: string;
}

/** A period, from its first moment to before its last. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** What a flow's step sent to one model, many calls together. */
export interface SentToModel {
  readonly flow: string;
  /** Name of the step; its path when the step is gone. */
  readonly step: string;
  readonly modelName: string;
  readonly provider: string;
  readonly model: string;
  readonly region: string | null;
  readonly lane: Priority;
  readonly fields: readonly (SentField & { readonly seen: number })[];
  readonly calls: number;
  readonly lastAt: Date;
}

/** More rows than anybody reads. */
const mostRows = 1000;
/** More differences in what is sent than a flow that names its steps and fields can make. */
const mostGroups = 20_000;
const lanes: readonly Priority[] = ["interactive", "standard", "batch"];

const keys = {
  flow: sql`run.flow`,
  model: sql`call.provider || '/' || call.model`,
  day: sql`to_char(call.started_at at time zone 'utc', 'YYYY-MM-DD')`,
};

const noCosts: CostFigures = {
  calls: 0,
  failed: 0,
  inputTokens: 0,
  outputTokens: 0,
  costMicroUsd: 0,
  unpricedCalls: 0,
  estimatedCalls: 0,
  runs: 0,
  succeededRuns: 0,
  costPerSuccessMicroUsd: null,
};

/** What AI calls of one workspace cost, and what they sent. Reads nothing that is sealed. */
export function createCostStore({ db, workspaceId }: Scope) {
  return {
    /** See {@link readPresentBudgets}. */
    budgets: (now: Date): Promise<PresentBudget[]> => readPresentBudgets({ db }, now),

    /** Figures by a key, the dearest first (days: the latest first; at most 1,000), and of all calls of the period together. */
    by: (key: CostKey, { from, to }: Period): Promise<{ rows: CostRow[]; total: CostFigures }> =>
      survey(db, async (open) => {
        const { rows } = await sql<CostFigures & { key: string | null }>`
          with figures as (
            select ${keys[key]} as key, count(*) as calls, count(*) filter (where call.status = 'failed') as failed,
              coalesce(sum(input_tokens), 0) as input_tokens, coalesce(sum(output_tokens), 0) as output_tokens,
              coalesce(sum(cost_micro_usd), 0)::bigint as cost_micro_usd,
              count(*) filter (where cost_micro_usd is null and call.status <> 'intent') as unpriced_calls,
              count(*) filter (where estimated) as estimated_calls,
              count(distinct run.id) as runs,
              count(distinct run.id) filter (where run.status = 'succeeded') as succeeded_runs
            from sluice.ai_calls as call
            join sluice.runs as run on run.workspace_id = call.workspace_id and run.id = call.run_id
            where call.workspace_id = ${workspaceId} and call.started_at >= ${from} and call.started_at < ${to}
            group by grouping sets ((1), ())
          )
          select *, round(cost_micro_usd::numeric / nullif(succeeded_runs, 0))::bigint as cost_per_success_micro_usd
          from figures
          order by key is not null, ${key === "day" ? sql`key desc` : sql`cost_micro_usd desc, calls desc, key`}
          limit ${mostRows + 1}`.execute(open);
        return {
          rows: rows.flatMap(({ key: name, ...figures }) => (name === null ? [] : [{ key: name, ...figures }])),
          total: withoutKey(rows.find((row) => row.key === null)) ?? noCosts,
        };
      }),

    /** Which fields went to which model, by flow and step, in the order of their names. */
    sent: (period: Period): Promise<SentToModel[]> =>
      survey(db, async (open) => {
        const { rows } = await sql<SentRow>`
          select run.flow, coalesce(step.name, call.step_path) as step, call.model_name, call.provider, call.model,
            call.region, call.lane, call.sent_fields::text as fields, count(*) as calls, max(call.started_at) as last_at
          from sluice.ai_calls as call
          join sluice.runs as run on run.workspace_id = call.workspace_id and run.id = call.run_id
          left join sluice.steps as step on step.workspace_id = call.workspace_id and step.run_id = call.run_id
            and step.path = call.step_path
          where call.workspace_id = ${workspaceId} and call.started_at >= ${period.from} and call.started_at < ${period.to}
          group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1, 2, 3, 4, 5, 6, 7, 8 limit ${mostGroups}`.execute(open);
        return mergeFields(rows);
      }),
  };
}

interface SentRow extends Omit<SentToModel, "fields" | "lane"> {
  /** JSON text: most calls of a step sent the same fields, which are then one group. */
  readonly fields: string;
  readonly lane: number;
}

/** Calls of one step to one model together, with every field that any of them sent. */
function mergeFields(rows: readonly SentRow[]): SentToModel[] {
  const groups = Map.groupBy(rows, ({ flow, step, modelName, provider, model, region, lane }) =>
    JSON.stringify([flow, step, modelName, provider, model, region, lane]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { fields: _fields, lane, ...place } = first;
    return {
      ...place,
      lane: lanes[lane] ?? "standard",
      fields: joinFields(group),
      calls: group.reduce((sum, { calls }) => sum + calls, 0),
      lastAt: new Date(Math.max(...group.map(({ lastAt }) => lastAt.getTime()))),
    };
  });
}

function joinFields(group: readonly SentRow[]): SentToModel["fields"] {
  const fields = new Map<string, { sources: Set<string>; masked: Set<string>; seen: number }>();
  for (const { fields: text, calls } of group) {
    for (const { name, sources, masked } of JSON.parse(text) as SentField[]) {
      const known = fields.get(name) ?? { sources: [], masked: [], seen: 0 };
      fields.set(name, {
        sources: new Set([...known.sources, ...sources]),
        masked: new Set([...known.masked, ...masked]),
        seen: known.seen + calls,
      });
    }
  }
  return [...fields].map(([name, { sources, masked, seen }]) => ({
    name,
    sources: [...sources].toSorted(),
    masked: [...masked].toSorted(),
    seen,
  }));
}

function withoutKey(row: (CostFigures & { readonly key: string | null }) | undefined): CostFigures | undefined {
  if (!row) return undefined;
  const { key: _key, ...figures } = row;
  return figures;
}
