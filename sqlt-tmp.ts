import { randomBytes } from "node:crypto";
import pg from "pg";
import { openStore } from "./src/store/index.ts";
import { beginRun } from "./src/store/fixtures/ai-call.ts";
const url = "postgres://postgres@127.0.0.1:5415/t1";
const store = await openStore({ url, key: randomBytes(32), onError: () => {} });
const ws = store.workspace("default");
const client = new pg.Client({ connectionString: url }); await client.connect();
await client.query("set enable_seqscan=off; set enable_hashjoin=off; set enable_mergejoin=off");
const runs: {id:string}[] = []; for (let i = 0; i < 900; i++) runs.push(await beginRun(ws));
const day = "2026-11-24";
const entry = (kind: string, id: string, runId: string) => ({ at: new Date().toISOString(), kind, runId, ref: id, digest: "sha256:0", data: { provider: "openai", model: "m", region: null, lane: "standard", attempt: 1, simulated: false, fields: ["a","b"], masked: { PERSON: 1 }, promptVersion: "abc" } });
const admit = (id: string, runId: string) => [{ op: "admit", workspaceId: "default", runId, epoch: 1, call: { id, stepPath: "0", attempt: 1, modelName: "fast", provider: "openai", model: "m", region: null, lane: 1, simulated: false, sentFields: [], availableFields: 4, masked: {}, request: JSON.stringify("x".repeat(1500)), requestDigest: "d", reservedMicroUsd: 100, waitedMs: 0, promptVersion: "abc", startedAt: new Date().toISOString() },
 claim: { key: id, ticket: runId + "/0", credential: "K", credentialVersion: "v", bucket: "K m", lane: 1, limits: [{ kind: "requests", limit: 1e6, perMs: 60000 }, { kind: "tokens", limit: 1e9, perMs: 60000 }], concurrency: 1000, interactiveShare: 0.2, amounts: { requests: 1, input_tokens: 300, output_tokens: 2000 }, leaseMs: 90000, accounts: ["run/" + runId, "flow/x/" + day, "flow/x/2026-11", "key/K/" + day, "all/" + day].map((account) => ({ account, limitMicroUsd: 1e12 })), costMicroUsd: 1000 },
 subjects: ["s1" + runId, "s2" + runId], vault: { sealed: JSON.stringify("v".repeat(300)), expiresAt: new Date(Date.now() + 1e7).toISOString() }, entry: entry("model.intended", id, runId) }];
const settle = (id: string, runId: string) => [{ op: "settle", workspaceId: "default", id, response: JSON.stringify("y".repeat(300)), status: "succeeded", rung: "as_is", inputTokens: 200, outputTokens: 50, costMicroUsd: 50, estimated: false, error: null, finishedAt: new Date().toISOString(), settlement: { key: id, credential: "K", bucket: "K m", used: { input_tokens: 200, output_tokens: 50 }, costMicroUsd: 50, sent: true, outcome: "ok", pauseUntil: null, learned: [] }, entry: entry("model.called", id, runId) }];
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!.toFixed(2);
const a: number[] = [], b: number[] = [], c: number[] = [];
for (let i = 0; i < 800; i++) {
  if (i === 200) { await client.query("select pg_stat_reset()"); a.length = b.length = 0; }
  const r = runs[i]!.id, id = "call_" + i + Date.now();
  const q = async (items: unknown) => { const t = performance.now(); await client.query({ name: "p", text: "select sluice.pass_ai_calls($1::json) as v", values: [JSON.stringify(items)] }); return performance.now() - t; };
  a.push(await q(admit(id, r))); b.push(await q(settle(id, r)));
  const t = performance.now(); await client.query("select 1"); c.push(performance.now() - t);
}
console.log("admit", med(a), "settle", med(b), "select 1", med(c));
await new Promise((r) => setTimeout(r, 1500)); await client.query("select pg_stat_force_next_flush()"); await client.query("select 1");
const { rows } = await client.query("select funcname, calls::int, round((total_time/600)::numeric,3)::float as total_per_pair, round((self_time/600)::numeric,3)::float as self_per_pair from pg_stat_user_functions where schemaname='sluice' order by self_time desc limit 28");
console.table(rows);
await client.end(); await store.close(); process.exit(0);
