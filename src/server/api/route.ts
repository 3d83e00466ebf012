import type { Context } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "../../core/index.ts";
import type { Access, Caller } from "../auth/caller.ts";
import type { Passwords } from "../auth/passwords.ts";
import type { Sessions } from "../auth/sessions.ts";
import type { Throttle } from "../auth/throttle.ts";
import type { ChangeHub } from "../change-hub.ts";
import type { ServerPorts } from "../ports.ts";

/** What handlers work with. */
export interface Services {
  readonly ports: ServerPorts;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly changes: ChangeHub;
}

/** A request that passed the checks of its route. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Null only on routes for anyone. */
  readonly caller: Caller | null;
  readonly context: Context;
}

/** The type of answers that are a stream of events. */
export const eventStream = "text/event-stream";

/** The type of answers that have a JSON document on each line. @see https://github.com/ndjson/ndjson-spec */
export const jsonLines = "application/x-ndjson";

/** What an answer holds: JSON of a schema, nothing, or a stream of events or lines that are each of a schema. */
export type AnswerContent =
  | z.ZodType
  | null
  | { readonly [eventStream]: z.ZodType }
  | { readonly [jsonLines]: z.ZodType };

/** One row of the route table. Routes, the OpenAPI document and the authorisation matrix test all come from it. */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  /** Unique; clients made from the OpenAPI document name their functions by it. */
  readonly id: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; parameters as `:name`. */
  readonly path: string;
  /** Who may call it. */
  readonly access: Access;
  /** One line for the document. */
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Answers by status. */
  readonly answers: { readonly [status: number]: AnswerContent };
  /** Codes of its own; those of authorisation and of validation are added. */
  readonly errors?: readonly ErrorCode[];
  handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>, services: Services): Promise<Response>;
}

/** Checks a row's types, with those of its handler made from its schemas. */
export function defineRoute<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  route: Route<Params, Query, Body>,
): Route {
  return route;
}

/** An answer of JSON. */
export function json(status: number, content: object, headers: { readonly [name: string]: string } = {}): Response {
  return new Response(JSON.stringify(content), { status, headers: { "content-type": "application/json", ...headers } });
}

/** An answer without content. */
export function empty(headers: { readonly [name: string]: string } = {}): Response {
  return new Response(null, { status: 204, headers });
}
