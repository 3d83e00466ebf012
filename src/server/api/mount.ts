import type { Context, Hono } from "hono";
import type { z } from "zod";
import { parseSchema } from "../../core/index.ts";
import { authorize, findCaller } from "../auth/caller.ts";
import { checkOrigin } from "../auth/origin.ts";
import { answerNotAllowed } from "../failure.ts";
import { readJsonBody } from "./request-body.ts";
import type { Route, Services } from "./route.ts";

/** Where the API is. */
export const apiBase = "/api/v1";

/**
 * Puts a table of routes on an application. The only way to a handler is through here, so each has a row that says who may
 * call it. A path of the table answers other methods with METHOD_NOT_ALLOWED.
 */
export function mountRoutes(app: Hono, routes: readonly Route[], services: Services): void {
  for (const route of routes) {
    app.on(route.method, apiBase + route.path, (context) => serve(route, context, services));
  }
  for (const [path, rows] of Map.groupBy(routes, (route) => route.path)) {
    app.all(apiBase + path, answerNotAllowed(rows.map((route) => route.method)));
  }
}

/** Who it is comes before what it says: somebody unknown learns nothing from the checks of the request. */
async function serve(route: Route, context: Context, services: Services): Promise<Response> {
  const { sessions, ports } = services;
  // A page of another site cannot send this header: browsers ask for permission first, and we give none.
  const hasKey = context.req.header("authorization") !== undefined;
  if (route.method !== "GET" && !hasKey) checkOrigin(context, sessions.isClaimed(context));
  const identities = { sessions, apiKeys: ports.workspace.apiKeys };
  const caller = route.access === "anyone" ? null : await findCaller(context, identities);
  try {
    authorize(caller, route.access);
  } catch (refusal) {
    const fields = { method: route.method, path: route.path, by: caller?.id };
    // Every page asks who is signed in, so that nobody is there is no news.
    if (caller) ports.log.warn("access.refused", fields);
    else ports.log.debug("access.refused", fields);
    throw refusal;
  }
  const params = await check(route.params, context.req.param(), "the path");
  const query = await check(route.query, context.req.query(), "the query");
  const body = route.body && (await check(route.body, await readJsonBody(context.req.raw), "the body"));
  return route.handle({ params, query, body, caller, context }, services);
}

/** @throws REQUEST_INVALID with the paths that did not fit, and no values. */
async function check(schema: z.ZodType | undefined, value: unknown, what: string): Promise<unknown> {
  if (!schema) return undefined;
  return parseSchema(schema, value, {
    code: "REQUEST_INVALID",
    what,
    hint: "Compare the fields named in issues with /openapi.json.",
  });
}
