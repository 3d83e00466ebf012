import { z } from "zod";
import { SluiceError } from "../../core/index.ts";
import { maxPageSize, previewGroup } from "../../store/index.ts";
import { toFailureDetailView, toFailureGroupView } from "./failure-view.ts";
import { Fingerprint } from "./parameters.ts";
import { defineRoute, json } from "./route.ts";
import { FailureDetailView, FailurePage, ResumedView, ResumeFailuresRequest } from "./schemas.ts";

const FailureParams = z.object({ fingerprint: Fingerprint });

/** Most runs that one call resumes. */
const mostResumed = 10_000;

/** Failed and in-doubt runs, those of one kind together. */
export const failureRoutes = [
  defineRoute({
    id: "listFailures",
    method: "GET",
    path: "/failures",
    access: "read",
    summary: "Lists failed and in-doubt runs in groups of one kind, the group with the latest failure first",
    query: z.object({ limit: z.coerce.number().int().min(1).max(maxPageSize).default(50) }),
    answers: { 200: FailurePage },
    async handle({ query }, { ports }) {
      const groups = await ports.workspace.runs.failures(query.limit);
      return json(200, { items: groups.map(toFailureGroupView), next: null } satisfies FailurePage);
    },
  }),
  defineRoute({
    id: "getFailures",
    method: "GET",
    path: "/failures/:fingerprint",
    access: "read",
    summary: "Tells everything about failures of one kind: their runs, and what resuming all of them would do",
    params: FailureParams,
    answers: { 200: FailureDetailView },
    errors: ["NOT_FOUND"],
    async handle({ params: { fingerprint } }, { ports }) {
      const preview = await previewGroup(ports.workspace, fingerprint);
      if (!preview) throw failuresUnknown(fingerprint);
      return json(200, toFailureDetailView(preview));
    },
  }),
  defineRoute({
    id: "resumeFailures",
    method: "POST",
    path: "/failures/:fingerprint/resume",
    access: "act",
    summary:
      "Goes on with failures of one kind, each from the step that failed; getFailures shows beforehand what would be repeated",
    params: FailureParams,
    body: ResumeFailuresRequest,
    answers: { 202: ResumedView },
    errors: ["NOT_FOUND"],
    async handle({ params: { fingerprint }, body, caller }, { ports }) {
      const { runs } = ports.workspace;
      const group = await runs.failuresOf(fingerprint);
      if (!group) throw failuresUnknown(fingerprint);
      const { runIds = null, limit = mostResumed } = body;
      const resumed = await runs.reopenGroup(fingerprint, runIds, limit);
      ports.log.info("failures.resumed", { fingerprint, count: resumed, by: caller?.id ?? null });
      const asked = Math.min(limit, runIds === null ? group.count : new Set(runIds).size);
      return json(202, { resumed, skipped: Math.max(0, asked - resumed) } satisfies ResumedView);
    },
  }),
];

function failuresUnknown(fingerprint: string): SluiceError {
  return new SluiceError("NOT_FOUND", {
    message: `there are no failures of the kind "${fingerprint}"`,
    hint: "They may have been resumed. GET /api/v1/failures lists the kinds that there are.",
  });
}
