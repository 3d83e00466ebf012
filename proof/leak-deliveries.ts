import { setTimeout } from "node:timers/promises";
import { leadsForm } from "../examples/connections.ts";
import type { Json } from "../src/core/index.ts";
import { signSample } from "../src/triggers/index.ts";
import { breakages, mirrorModes } from "./leak-plan.ts";
import type { Client } from "./leak-client.ts";
import type { Stage } from "./leak-stage.ts";
import type { LeakLead, Person } from "./leak-values.ts";
import { sendRaw } from "./raw-request.ts";
import type { ServiceProcess } from "./service-process.ts";

/** A run that was begun. */
export interface Begun {
  readonly runId: string;
  readonly flow: string;
  readonly person: Person;
}

/** Sends somebody's data on every way in that is accepted: hooks, API, sample. */
export async function sendAll(stage: Stage, service: ServiceProcess, person: Person): Promise<Begun[]> {
  const client = stage.client(service);
  const { lead } = person;
  const begin = async (flow: string, payload: unknown): Promise<Begun> => {
    const path = `/api/v1/flows/${flow}/runs`;
    const { status, body } = await client.ask("admin", "startRun", path, { method: "POST", body: { payload } });
    return { runId: toRunId(flow, status, body), flow, person };
  };
  const hooks = [deliver(stage, service, "leads", lead), deliver(stage, service, "study", lead)];
  const sample = client
    .ask("admin", "saveSample", "/api/v1/flows/leads/samples/kept", { method: "PUT", body: { payload: lead } })
    .then(() =>
      client.ask("admin", "sendSample", "/api/v1/flows/leads/samples/kept/send", { method: "POST", body: {} }),
    )
    .then(({ status, body }) => toRunId("sample", status, body));
  const arrived = await Promise.all([...hooks, sample]);
  const flows = ["leads", "study", "leads"];
  const started = await Promise.all([
    begin("spread", lead),
    begin("quotes", { lead, onInvalid: "fail" }),
    begin("quotes", { lead, onInvalid: "review" }),
    ...mirrorModes.map((model) => begin("mirrored", { lead, model })),
    ...breakages.map((how) => begin("broken", { lead, how })),
  ]);
  return [...arrived.map((runId, at) => ({ runId, flow: flows[at] ?? "", person })), ...started];
}

/** Delivers to a hook as its sender does. */
async function deliver(stage: Stage, service: ServiceProcess, path: string, lead: LeakLead): Promise<string> {
  const { url, secret } = stage.lab.hookOf(service, path);
  const body = JSON.stringify(lead);
  const headers =
    path === "leads"
      ? signSample(leadsForm, secret, { body, sentAt: new Date() })
      : { "content-type": "application/json", authorization: `Bearer ${stage.bearer}` };
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  stage.hear(`hook ${path}`, `${JSON.stringify([...response.headers])}\n${text}`);
  return toRunId(path, response.status, JSON.parse(text) as Json);
}

function toRunId(what: string, status: number, body: Json): string {
  const { runId } = body as { readonly runId?: string };
  if (status === 202 && runId !== undefined) return runId;
  throw new Error(`${what} was answered ${status}: ${JSON.stringify(body)}`);
}

/** Sends somebody's data in ways that are refused; gives what was accepted all the same. */
export async function sendRefused(stage: Stage, service: ServiceProcess, { lead }: Person): Promise<string[]> {
  const { url, secret } = stage.lab.hookOf(service);
  const signed = (body: string) => ({ headers: signSample(leadsForm, secret, { body, sentAt: new Date() }), body });
  const whole = JSON.stringify(lead);
  const { headers, body } = signed(whole);
  const attempts: { readonly [what: string]: { readonly headers: Record<string, string>; readonly body: string } } = {
    "a wrong signature": {
      headers: { ...headers, "webhook-signature": `v1,${Buffer.from(lead.email).toString("base64")}` },
      body,
    },
    "another body": { headers, body: body.replace("Hello", "Hallo") },
    "no signature": { headers: { "content-type": "application/json" }, body },
    "values in wrong places": signed(
      JSON.stringify({ ...lead, email: lead.message, phone: [lead.phone], answers: lead }),
    ),
    "unknown keys": signed(JSON.stringify({ ...lead, [lead.email]: lead.name, contact: { [lead.phone]: 1 } })),
    "broken JSON": signed(whole.slice(0, -9)),
    "no JSON": signed(lead.message),
    "another type": {
      ...signed(whole),
      headers: { ...headers, "content-type": `text/${lead.name.replace(" ", "-")}` },
    },
    "too much": signed(JSON.stringify({ ...lead, message: lead.message.repeat(4000) })),
  };
  const accepted: string[] = [];
  for (const [what, request] of Object.entries(attempts)) {
    const response = await fetch(url, { method: "POST", ...request });
    stage.hear(`refused hook: ${what}`, `${JSON.stringify([...response.headers])}\n${await response.text()}`);
    if (response.status < 400) accepted.push(`${what} was accepted with status ${response.status}`);
  }
  const wrongAddress = await fetch(`${url}/${encodeURIComponent(lead.email)}?name=${encodeURIComponent(lead.name)}`, {
    method: "POST",
    body,
  });
  stage.hear("refused hook: wrong address", await wrongAddress.text());
  const raw = await sendRaw(service.publicUrl, {
    head: [`GET /hooks/leads?q=${encodeURIComponent(lead.email)} HTTP/1.1`, `x name: ${lead.name}`],
  });
  stage.hear("refused hook: raw", raw.text);
  return accepted;
}

/** A run and what it waits for, if anything. */
interface Waiting {
  readonly id: string;
  readonly status: string;
  readonly step: string | null;
  /** Why the step waits. */
  readonly reason: string | null;
  /** Of an effect in doubt. */
  readonly key: string | null;
}

const patienceMs = 20_000;
/** Runs that wait for a model that refuses are cancelled then: some would wait for minutes. */
const modelPatienceMs = 3000;

/** Answers what runs ask until all have ended; gives the runs that have not. */
export async function answerAll(stage: Stage, service: ServiceProcess, begun: readonly Begun[]): Promise<string[]> {
  const client = stage.client(service);
  const leadOf = new Map(begun.map(({ runId, person }) => [runId, person.lead]));
  const began = Date.now();
  for (;;) {
    const open = await readOpen(stage, [...leadOf.keys()]);
    const elapsedMs = Date.now() - began;
    if (open.length === 0) return [];
    if (elapsedMs > patienceMs) return open.map((run) => `I1: a run has not ended: ${JSON.stringify(run)}`);
    for (const run of open) {
      const lead = leadOf.get(run.id);
      if (lead) await answer(client, run, lead, elapsedMs > modelPatienceMs);
    }
    await setTimeout(100);
  }
}

async function answer(client: Client, run: Waiting, lead: LeakLead, isLate: boolean): Promise<void> {
  const { id, status, step, reason, key } = run;
  const post = async (name: string, action: string, body: object): Promise<void> => {
    await client.ask("admin", name, `/api/v1/runs/${id}/${action}`, { method: "POST", body });
  };
  const signal = (value: object) => post("sendSignal", `signals/${encodeURIComponent(step ?? "")}`, { value });
  if (status === "in_doubt") {
    await post("ruleEffect", "rule", { key, word: "done", output: { letter: lead.message } });
  } else if (step === "comment") {
    await signal({ comment: lead.message });
  } else if (step === "number") {
    // The first does not fit.
    await signal({ [lead.email]: lead.name });
    await signal({ [lead.email]: 1 });
  } else if (step?.endsWith(": answer")) {
    await signal({ quotes: [lead.name] });
  } else if (reason === "circuit" || (reason !== null && isLate)) {
    await post("cancelRun", "cancel", {});
  }
}

function readOpen({ lab }: Stage, runIds: readonly string[]): Promise<Waiting[]> {
  return lab.withDatabase(({ query }) =>
    query<Waiting>(
      `select run.id, run.status, step.name as step, step.wait_reason as reason, effect.key
       from sluice.runs as run
       left join sluice.steps as step on step.run_id = run.id and step.status = 'waiting'
       left join sluice.effects as effect on effect.run_id = run.id and effect.state = 'unknown'
       where run.id = any($1) and (run.finished_at is null or run.status = 'in_doubt')`,
      [runIds],
    ),
  );
}
