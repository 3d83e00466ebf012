import { z } from "zod";
import { SluiceError } from "../../core/index.ts";
import type { Period } from "../../store/index.ts";
import { defineRoute, json } from "./route.ts";
import { costKeys, CostsView } from "./schemas.ts";

const dayMs = 24 * 3_600_000;
const longestMs = 400 * dayMs;

const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })])
  .transform((text) => new Date(text))
  .optional();

/** What AI calls cost. */
export const costRoutes = [
  defineRoute({
    id: "getCosts",
    method: "GET",
    path: "/costs",
    access: "read",
    summary: "Tells what AI calls cost by flow, model or day, and how much of each budget is spent",
    query: z.object({
      from: moment.describe("A day of UTC or a time. Default: 30 days before `to`"),
      to: moment.describe("A day of UTC or a time, not included. Default: now"),
      by: z.enum(costKeys).default("flow"),
    }),
    answers: { 200: CostsView },
    async handle({ query: { by, ...asked } }, { ports }) {
      const { costs } = ports.workspace;
      const now = new Date();
      const period = toPeriod(asked, now);
      const [{ rows, total }, budgets] = await Promise.all([costs.by(by, period), costs.budgets(now)]);
      return json(200, {
        from: period.from.toISOString(),
        to: period.to.toISOString(),
        rows,
        total,
        budgets,
      } satisfies CostsView);
    },
  }),
];

/** @throws REQUEST_INVALID for a period that is empty or too long. */
function toPeriod(asked: { readonly from?: Date | undefined; readonly to?: Date | undefined }, now: Date): Period {
  const to = asked.to ?? now;
  const from = asked.from ?? new Date(to.getTime() - 30 * dayMs);
  const lengthMs = to.getTime() - from.getTime();
  if (lengthMs > 0 && lengthMs <= longestMs) return { from, to };
  throw new SluiceError("REQUEST_INVALID", {
    message: `the period from ${from.toISOString()} to ${to.toISOString()} is ${lengthMs > 0 ? "too long" : "empty"}`,
    hint: "Let from be before to, at most 400 days.",
  });
}
