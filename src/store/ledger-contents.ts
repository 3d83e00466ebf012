import { sql } from "kysely";
import { digestOf, type Json } from "../core/index.ts";
import { requestPlace, responsePlace } from "./ai-calls.ts";
import type { ChainCheck, ChainedEntry } from "./ledger-chain.ts";
import { query, type Scope } from "./scope.ts";
import { isContentLost, openContent } from "./sealed.ts";

/** How many digests were compared with stored content. */
export interface ContentResult {
  readonly checked: number;
  /** Of content that is there no more: erased, or past its time. */
  readonly gone: number;
}

/** Which part of a call the digest of an entry is of. */
const partOf: { readonly [kind: string]: CallPart } = { "model.intended": "request", "model.called": "response" };

type CallPart = "request" | "response";

/** Content of a call as it is stored. */
export interface StoredCall {
  readonly id: string;
  readonly runId: string;
  readonly request: Json;
  readonly response: Json;
  /** Of the run's key; null when it was erased. */
  readonly contentKey: string | null;
}

/** Compares what is stored of AI calls with the digests that their entries hold. What was erased cannot be compared. */
export function createContentCheck(scope: Scope, chain: ChainCheck) {
  let checked = 0;
  let gone = 0;
  return {
    async take(entries: readonly ChainedEntry[]): Promise<void> {
      const told = entries.filter(({ kind, ref, digest }) => partOf[kind] && ref !== null && digest !== null);
      const calls = await readCalls(scope, [...new Set(told.map(({ ref }) => ref))]);
      for (const { seq, kind, ref, digest } of told) {
        const part = partOf[kind] ?? "request";
        const call = calls.get(ref ?? "");
        const found = call ? openPart(scope, call, part) : null;
        if (found === null) gone += 1;
        else checked += 1;
        if (found?.isReadable === false) chain.report(Number(seq), `the stored ${part} of call "${ref}" was changed`);
        else if (found && digestOf(found.content) !== digest)
          chain.report(Number(seq), `the stored ${part} of call "${ref}" is another than was recorded`);
      }
    },
    get result(): ContentResult {
      return { checked, gone };
    },
  };
}

async function readCalls(
  { db, workspaceId }: Scope,
  ids: readonly (string | null)[],
): Promise<Map<string, StoredCall>> {
  if (ids.length === 0) return new Map();
  const { rows } = await query(() =>
    sql<StoredCall>`
      select call.id, call.run_id, call.request, call.response, event.content_key from sluice.ai_calls as call
      join sluice.runs as run on run.workspace_id = call.workspace_id and run.id = call.run_id
      join sluice.events as event on event.workspace_id = run.workspace_id and event.id = run.event_id
      where call.workspace_id = ${workspaceId} and call.id = any(${ids})`.execute(db),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Opens content that may have been changed. Null when there is none. */
export function openPart(
  { keyring }: Scope,
  call: StoredCall,
  part: CallPart,
): { readonly isReadable: true; readonly content: Json } | { readonly isReadable: false } | null {
  const place = part === "request" ? requestPlace(call) : responsePlace(call);
  try {
    const key = call.contentKey === null ? null : keyring.openKey(call.contentKey);
    const content = openContent(key, call[part], place);
    return content === null ? null : { isReadable: true, content };
  } catch (thrown) {
    if (isContentLost(thrown)) return { isReadable: false };
    throw thrown;
  }
}
