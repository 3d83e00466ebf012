import { z } from "zod";
import type { ServerPorts } from "../ports.ts";
import { Identifier } from "./parameters.ts";
import { toQuestionViews } from "./question-view.ts";
import { defineRoute, json } from "./route.ts";
import { toRunView } from "./run-view.ts";
import { type AskingRunView, QuestionPage } from "./schemas.ts";

/** Each run on a page is read whole. */
const mostRuns = 50;

/** What runs ask people. */
export const questionRoutes = [
  defineRoute({
    id: "listQuestions",
    method: "GET",
    path: "/questions",
    access: "read",
    summary:
      "Lists what runs ask people: effects in doubt (answered by ruleEffect), answers that no model could give and budgets (answered by sendSignal)",
    query: z.object({
      before: Identifier.optional().describe("The `next` of the page before"),
      limit: z.coerce.number().int().min(1).max(mostRuns).default(20).describe("Most runs on the page"),
    }),
    answers: { 200: QuestionPage },
    async handle({ query: { before, limit } }, { ports }) {
      const ids = await ports.workspace.questions.list({ before, limit: limit + 1 });
      const shown = ids.slice(0, limit);
      const items = await Promise.all(shown.map((id) => questionsOf(ports, id)));
      const next = ids.length > limit ? (shown.at(-1) ?? null) : null;
      return json(200, { items: items.flat(), next } satisfies QuestionPage);
    },
  }),
];

/** A run may have been answered since it was listed: then it asks nothing. */
async function questionsOf({ workspace }: ServerPorts, id: string): Promise<AskingRunView[]> {
  const [run, steps, receipts] = await Promise.all([
    workspace.runs.find(id),
    workspace.steps.ofRun(id),
    workspace.effects.ofRun(id),
  ]);
  if (!run) return [];
  const view = toRunView(run);
  return toQuestionViews(run, steps, receipts).map((question) => ({ run: view, question }));
}
