import { sql } from "kysely";
import { query, type Scope } from "./scope.ts";

/** Which runs ask a person. */
export interface AskingFilter {
  /** Only runs older than this id. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Runs of one workspace that wait for a person: in doubt about an effect, or for a signal that answers the gateway. */
export function createQuestionStore({ db, workspaceId }: Scope) {
  // Both halves go by an index of what waits: runs that wait for other things are not looked at. The names are those of the
  // signals by which a person answers the gateway; they stand in the text, as they do in the index.
  const asking = sql`
    select id from sluice.runs where workspace_id = ${workspaceId} and status = 'in_doubt'
    union
    select run.id from sluice.steps as step
    join sluice.runs as run on run.workspace_id = step.workspace_id and run.id = step.run_id
    where step.workspace_id = ${workspaceId} and step.kind = 'signal' and step.status = 'waiting'
      and right(step.name, 8) in (': answer', ': budget')
      and run.status in ('queued', 'running', 'waiting')`;
  return {
    /** Ids of such runs, the newest first. */
    list: ({ before, limit }: AskingFilter): Promise<string[]> =>
      query(async () => {
        const { rows } = await sql<{ id: string }>`
          select id from (${asking}) as asking ${before === undefined ? sql`` : sql`where id < ${before}`}
          order by id desc limit ${limit}`.execute(db);
        return rows.map(({ id }) => id);
      }),

    /** How many runs wait for a person. */
    count: (): Promise<number> =>
      query(async () => {
        const { rows } = await sql<{ count: number }>`select count(*) as count from (${asking}) as asking`.execute(db);
        return rows[0]?.count ?? 0;
      }),
  };
}
