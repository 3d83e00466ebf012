import { z } from "zod";
import type { Shown } from "../ports.ts";
import { defineRoute, json } from "./route.ts";
import {
  DataMapView,
  ModelsResumedView,
  ModelsView,
  type ModelTestView,
  ModelTestsView,
  ResumeModelsRequest,
  TestModelsRequest,
} from "./schemas.ts";

const dayMs = 24 * 3_600_000;

/** Models, and what goes to them. */
export const gatewayRoutes = [
  defineRoute({
    id: "listModels",
    method: "GET",
    path: "/models",
    access: "read",
    summary: "Lists all models with the state of their limits, pauses and circuits",
    answers: { 200: ModelsView },
    handle: async (_call, { ports }) => json(200, { models: await ports.gateway.models() }),
  }),
  defineRoute({
    id: "testModels",
    method: "POST",
    path: "/models/test",
    access: "act",
    summary: "Calls each model of a name, or of all names, once with a few words; each call costs what it costs",
    body: TestModelsRequest,
    answers: { 200: ModelTestsView },
    errors: ["MODEL_UNKNOWN"],
    async handle({ body: { name }, caller }, { ports }) {
      ports.log.info("models.tested", { by: caller?.id ?? null });
      const results = await ports.gateway.test(name);
      return json(200, { results: results.map(toTestView) } satisfies ModelTestsView);
    },
  }),
  defineRoute({
    id: "resumeModels",
    method: "POST",
    path: "/models/resume",
    access: "act",
    summary: "Closes the circuit of a credential or bucket, so that calls go out again at once",
    body: ResumeModelsRequest,
    answers: { 200: ModelsResumedView },
    async handle({ body: { credential }, caller }, { ports }) {
      const by = caller?.id ?? null;
      const resumed = await ports.gateway.resume(credential, by);
      if (resumed) ports.log.info("circuit.resumed", { key: credential, by });
      return json(200, { resumed } satisfies ModelsResumedView);
    },
  }),
  defineRoute({
    id: "getDataMap",
    method: "GET",
    path: "/data-map",
    access: "read",
    summary:
      "Tells of every flow which fields go to which model, provider and region, and what of them is masked: observed in its calls or, of a flow without calls, traced on a sample",
    query: z.object({ days: z.coerce.number().int().min(1).max(400).default(90) }),
    answers: { 200: DataMapView },
    async handle({ query: { days } }, { ports }) {
      const to = new Date();
      return json(200, await ports.gateway.dataMap({ from: new Date(to.getTime() - days * dayMs), to }));
    },
  }),
];

/** Only what the view names: an error may hold details that are not for everybody. */
function toTestView(test: Shown<ModelTestView>): ModelTestView {
  const { name, provider, model, ok, latencyMs, limits, costMicroUsd, error } = test;
  return {
    name,
    provider,
    model,
    ok,
    latencyMs,
    limits: limits.map((limit) => ({ ...limit })),
    costMicroUsd,
    error: error && {
      code: error.code,
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
    },
  };
}
