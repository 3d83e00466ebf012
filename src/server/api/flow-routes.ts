import { z } from "zod";
import { SluiceError } from "../../core/index.ts";
import type { FlowInfo, ServerPorts } from "../ports.ts";
import { checkPayload, readIdempotencyKey, startRun } from "./start-run.ts";
import { toFlowDetailView, toFlowView, toSampleViews } from "./flow-view.ts";
import { FlowName, GivenName } from "./parameters.ts";
import { defineRoute, json } from "./route.ts";
import {
  Accepted,
  FlowDetailView,
  FlowPage,
  PayloadRequest,
  RecheckView,
  SampleView,
  SendSampleRequest,
} from "./schemas.ts";

const FlowParams = z.object({ name: FlowName });
const SampleParams = z.object({ name: FlowName, sample: GivenName });

/** Flows, their samples, and starting runs. */
export const flowRoutes = [
  defineRoute({
    id: "listFlows",
    method: "GET",
    path: "/flows",
    access: "read",
    summary: "Lists all flows with their figures",
    answers: { 200: FlowPage },
    async handle(_call, { ports }) {
      const figures = new Map((await ports.workspace.runs.figures()).map((flow) => [flow.flow, flow]));
      const items = ports.flows().map((info) => toFlowView(info, figures.get(info.flow.name), ports.publicUrl));
      return json(200, { items, next: null } satisfies FlowPage);
    },
  }),
  defineRoute({
    id: "getFlow",
    method: "GET",
    path: "/flows/:name",
    access: "read",
    summary: "Tells everything about a flow: what it takes, samples, refused deliveries of a week",
    params: FlowParams,
    answers: { 200: FlowDetailView },
    errors: ["FLOW_UNKNOWN"],
    async handle({ params }, { ports }) {
      const info = findFlow(ports, params.name);
      const { runs, samples, refusals } = ports.workspace;
      const [figures, stored, refused] = await Promise.all([
        runs.figures(),
        samples.ofFlow(params.name),
        refusals.list(7),
      ]);
      const view = toFlowDetailView({
        info,
        figures: figures.find(({ flow }) => flow === params.name),
        samples: stored,
        refusals: refused,
        publicUrl: ports.publicUrl,
      });
      return json(200, view);
    },
  }),
  defineRoute({
    id: "saveSample",
    method: "PUT",
    path: "/flows/:name/samples/:sample",
    access: "act",
    summary: "Keeps a payload to try the flow with, as it is given",
    params: SampleParams,
    body: PayloadRequest,
    answers: { 200: SampleView },
    errors: ["FLOW_UNKNOWN", "PAYLOAD_INVALID"],
    async handle({ params, body }, { ports }) {
      await checkPayload(findFlow(ports, params.name), body.payload);
      await ports.workspace.samples.save(params.name, params.sample, body.payload);
      return json(200, { name: params.sample, payload: body.payload } satisfies SampleView);
    },
  }),
  defineRoute({
    id: "sendSample",
    method: "POST",
    path: "/flows/:name/samples/:sample/send",
    access: "act",
    summary: "Starts a run with a sample, or with an edited copy of it; the run is marked as a sample",
    params: SampleParams,
    body: SendSampleRequest,
    answers: { 202: Accepted },
    errors: ["FLOW_UNKNOWN", "NOT_FOUND", "PAYLOAD_INVALID", "QUEUE_FULL", "DATABASE_UNAVAILABLE"],
    async handle({ params, body }, { ports }) {
      const info = findFlow(ports, params.name);
      const sample = await findSample(ports, info, params.sample);
      const payload = body.payload === undefined ? sample.payload : body.payload;
      return json(202, await startRun(ports, { info, payload, source: "sample", sample: true, idempotencyKey: null }));
    },
  }),
  defineRoute({
    id: "startRun",
    method: "POST",
    path: "/flows/:name/runs",
    access: "act",
    summary: "Starts a run. A repeat with the same Idempotency-Key header starts nothing and answers 200",
    params: FlowParams,
    body: PayloadRequest,
    answers: { 200: Accepted, 202: Accepted },
    errors: ["FLOW_UNKNOWN", "DELIVERY_ID_INVALID", "PAYLOAD_INVALID", "QUEUE_FULL", "DATABASE_UNAVAILABLE"],
    async handle({ params, body, context }, { ports }) {
      const idempotencyKey = readIdempotencyKey(context.req.header("idempotency-key"));
      const info = findFlow(ports, params.name);
      const source = `api:${params.name}`;
      const accepted = await startRun(ports, { info, payload: body.payload, source, sample: false, idempotencyKey });
      return json(accepted.duplicate ? 200 : 202, accepted);
    },
  }),
  defineRoute({
    id: "recheckFlow",
    method: "POST",
    path: "/flows/:name/recheck",
    access: "act",
    summary:
      "Wakes parked runs that began under other code of the flow, so that those show that do not fit the present one",
    params: FlowParams,
    answers: { 202: RecheckView },
    errors: ["FLOW_UNKNOWN"],
    async handle({ params: { name }, caller }, { ports }) {
      findFlow(ports, name);
      const woken = await ports.engine.recheck(name);
      ports.log.info("flow.rechecked", { flow: name, count: woken, by: caller?.id ?? null });
      return json(202, { woken } satisfies RecheckView);
    },
  }),
];

function findFlow(ports: ServerPorts, name: string): FlowInfo {
  const found = ports.flows().find(({ flow }) => flow.name === name);
  if (found) return found;
  throw new SluiceError("FLOW_UNKNOWN", {
    message: `there is no flow "${name}"`,
    hint: "List the flows with GET /api/v1/flows.",
  });
}

async function findSample(ports: ServerPorts, info: FlowInfo, name: string): Promise<SampleView> {
  const samples = toSampleViews(info, await ports.workspace.samples.ofFlow(info.flow.name));
  const found = samples.find((sample) => sample.name === name);
  if (found) return found;
  throw new SluiceError("NOT_FOUND", {
    message: `flow ${info.flow.name} has no sample "${name}"`,
    hint: samples.length === 0 ? "It has no samples." : "GET /api/v1/flows/{name} lists its samples.",
  });
}
