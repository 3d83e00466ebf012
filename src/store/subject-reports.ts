import { sql } from "kysely";
import type { Json, SentField } from "../core/index.ts";
import { openPart } from "./ledger-contents.ts";
import { candidateIndexes } from "./ledger-subjects.ts";
import { type Page, query, type Scope, toPage } from "./scope.ts";

/** What one request to a model sent in a run that was about a person. */
export interface SubjectCall {
  readonly id: string;
  readonly at: Date;
  readonly flow: string;
  readonly runId: string;
  readonly stepPath: string;
  readonly provider: string;
  /** The provider's id of the model. */
  readonly model: string;
  /** Where the model runs, as configured; null when nothing is said. */
  readonly region: string | null;
  /** Whether nothing left at all, because the simulated model answered. */
  readonly simulated: boolean;
  readonly fields: readonly SentField[];
  /** How many different values of each kind were masked. */
  readonly masked: { readonly [kind: string]: number };
  /** Digest of the request, as the ledger has it. */
  readonly requestDigest: string;
  /** The messages as they were sent, masked, and the answer as it came; null when there is none that can be read. */
  readonly request: Json;
  readonly response: Json;
  /** `gone`: erased, or past its time. `changed`: somebody changed what is stored. */
  readonly content: "readable" | "gone" | "changed";
}

type Row = Omit<SubjectCall, "content"> & { readonly contentKey: string | null };

/** What was ever sent to models in runs about a person, the latest first. See `subjectReport` in ledger.ts. */
export async function readSubjectReport(
  scope: Scope,
  subject: string,
  { before, limit = 50 }: { readonly before?: string | undefined; readonly limit?: number | undefined },
): Promise<Page<SubjectCall>> {
  const { db, workspaceId, keyring } = scope;
  const { rows } = await query(() =>
    sql<Row>`
      select call.id, call.started_at as at, run.flow, call.run_id, call.step_path, call.provider, call.model, call.region,
        call.simulated, call.sent_fields as fields, call.masked, call.request_digest, call.request, call.response,
        event.content_key
      from sluice.ai_calls as call
      join sluice.runs as run on run.workspace_id = call.workspace_id and run.id = call.run_id
      join sluice.events as event on event.workspace_id = run.workspace_id and event.id = run.event_id
      where call.workspace_id = ${workspaceId} and (${before ?? null}::text is null or call.id < ${before ?? null})
        and call.run_id in (select run_id from sluice.subjects
          where workspace_id = ${workspaceId} and subject = any(${candidateIndexes(keyring, subject)}))
      order by call.id desc limit ${limit + 1}`.execute(db),
  );
  const { items, next } = toPage(rows, limit);
  return { items: items.map((row) => open(scope, row)), next };
}

function open(scope: Scope, { contentKey, ...call }: Row): SubjectCall {
  const stored = { ...call, contentKey };
  const request = openPart(scope, stored, "request");
  const response = openPart(scope, stored, "response");
  const parts = [request, response];
  return {
    ...call,
    request: request?.isReadable ? request.content : null,
    response: response?.isReadable ? response.content : null,
    content: parts.some((part) => part?.isReadable === false) ? "changed" : request === null ? "gone" : "readable",
  };
}
