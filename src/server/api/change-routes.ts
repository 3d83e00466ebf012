import { z } from "zod";
import { openEventStream } from "../event-stream.ts";
import { Identifier } from "./parameters.ts";
import { defineRoute, empty, eventStream } from "./route.ts";
import { ChangeView } from "./schemas.ts";

/** Live events. */
export const changeRoutes = [
  defineRoute({
    id: "streamChanges",
    method: "GET",
    path: "/changes",
    access: "read",
    summary: "Sends what happens as it happens. Goes on from Last-Event-ID; event `reset`: read everything again",
    query: z.object({
      run: Identifier.optional().describe("Only events of this run"),
      lastEventId: z.string().max(100).optional().describe("For clients that cannot send the header Last-Event-ID"),
    }),
    answers: { 200: { [eventStream]: ChangeView } },
    errors: ["QUEUE_FULL", "SHUTTING_DOWN"],
    async handle({ query, context }, { changes }) {
      // Nobody would read the stream of a HEAD request, nor end it.
      if (context.req.method === "HEAD") return empty();
      const { outgoing } = Object(context.env) as { outgoing?: { destroy(): void } };
      return openEventStream({
        changes,
        lastEventId: context.req.header("last-event-id") ?? query.lastEventId ?? null,
        runId: query.run ?? null,
        disconnect: () => outgoing?.destroy(),
      });
    },
  }),
];
