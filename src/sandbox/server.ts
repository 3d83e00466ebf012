import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { toJson, toSluiceError, type Json } from "../core/index.ts";
import type { Brain } from "./brain.ts";
import { obey, readFilteredCalls, toFaultRules, type CallFilter, type Control } from "./control.ts";
import { deliver } from "./delivery.ts";
import type { AnswerEdit, IncomingCall, Reply, SandboxCall, SandboxCredentials } from "./exchange.ts";
import { bearerToken } from "./exchange.ts";
import { FaultPlan, type PlannedFault } from "./fault-plan.ts";
import { answerHubspot } from "./hubspot.ts";
import { findSystem, readBody, toCall, withoutCredentials } from "./incoming.ts";
import { answerOpenai } from "./openai.ts";
import type { CallRecord } from "./record.ts";
import { answerSlack } from "./slack.ts";
import type { SandboxState } from "./state.ts";

/** What the server works with. */
export interface ServerParts {
  readonly folder: string;
  readonly record: CallRecord;
  readonly state: SandboxState;
  readonly credentials: SandboxCredentials;
  readonly controlToken: string;
  readonly brain: Brain;
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly latencyMs: number;
  /** Number of the last call in the record. */
  readonly lastNumber: number;
}

/**
 * The HTTP server of the sandbox. A call is decided, applied to the state and queued for the record without a pause in
 * between, so that the record's order is the state's order; it is answered when the record is on disk.
 */
export class SandboxServer implements Control {
  readonly #parts: ServerParts;
  readonly #http: Server;
  #plan: FaultPlan;
  #lastNumber: number;
  #origin = "";

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#plan = parts.plan;
    this.#lastNumber = parts.lastNumber;
    this.#http = createServer((request, response) => void this.#serve(request, response));
    // Node's default of 5 s lets a caller meet a connection that is just being closed: a reset that no fault rule asked for.
    this.#http.keepAliveTimeout = 600_000;
  }

  /** Listens on loopback; 0 chooses a port. @throws the system's error, such as EADDRINUSE. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen(port, "127.0.0.1", resolve);
    });
    const address = this.#http.address();
    this.#origin = `http://127.0.0.1:${typeof address === "object" && address ? address.port : port}`;
    return this.#origin;
  }

  slackMessages = () => this.#parts.state.messages;
  hubspotContacts = () => [...this.#parts.state.contacts.values()];

  setFaults(rules: Parameters<Control["setFaults"]>[0]): void {
    this.#plan = new FaultPlan(this.#parts.seed, rules);
  }

  /** An error in here is one of the sandbox itself. It ends the process: an oracle must not go on after one. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://sandbox");
    const bytes = await readBody(request);
    if (bytes === undefined) return;
    const found = findSystem(pathname);
    const facts = { number: this.#lastNumber + 1, origin: this.#origin, query: searchParams };
    if (found) {
      this.#lastNumber = facts.number;
      await this.#answer(toCall(request, bytes, { ...facts, ...found }), response);
    } else {
      const call = toCall(request, bytes, { ...facts, system: "slack", resource: pathname });
      await deliver(response, await this.#controlReply(call));
    }
  }

  async #answer(call: IncomingCall, response: ServerResponse): Promise<void> {
    const fault = this.#plan.next(call);
    const decided = this.#decide(call, fault);
    // Awaited only where it must be: a pause between deciding and recording would let two calls change places.
    const reply = decided instanceof Promise ? await decided : decided;
    if (reply.effect) this.#parts.state.apply(reply.effect);
    await this.#parts.record.append(toRecorded(call, reply, fault?.kind ?? null));
    await deliver(response, { ...reply, delayMs: (reply.delayMs ?? 0) + this.#parts.latencyMs });
  }

  #decide(call: IncomingCall, fault: PlannedFault | undefined): Reply | Promise<Reply> {
    const handle = (edit?: AnswerEdit) => this.#handle(call, edit);
    if (call.bodyState === "too_large") return { status: 413, body: { message: "Request body is larger than 1 MB" } };
    return fault ? fault.play({ call, params: fault.params, handle }) : handle();
  }

  #handle(call: IncomingCall, edit: AnswerEdit | undefined): Reply | Promise<Reply> {
    const { state, credentials, brain } = this.#parts;
    if (call.system === "slack") return answerSlack(call, state, credentials.slackToken);
    if (call.system === "hubspot") return answerHubspot(call, state, credentials.hubspotToken);
    return answerOpenai(call, { key: credentials.openaiKey, brain, edit });
  }

  async #controlReply(call: IncomingCall): Promise<Reply> {
    const notFound = { status: 404, body: { message: `nothing is at ${call.resource}` } };
    if (!call.resource.startsWith("/_sandbox/")) return notFound;
    if (bearerToken(call) !== this.#parts.controlToken) return { status: 401, body: { message: "wrong control token" } };
    const commands: { readonly [route: string]: () => Promise<unknown> | unknown } = {
      "GET /_sandbox/calls": () => readFilteredCalls(this.#parts.folder, toFilter(call.query)),
      "GET /_sandbox/slack/messages": () => obey(this, { command: "slackMessages" }),
      "GET /_sandbox/hubspot/contacts": () => obey(this, { command: "hubspotContacts" }),
      "PUT /_sandbox/faults": () => obey(this, { command: "setFaults", rules: toFaultRules(call.body) }),
    };
    const command = commands[`${call.method} ${call.resource}`];
    if (command === undefined) return notFound;
    try {
      return { status: 200, body: toJson(await command()) };
    } catch (error) {
      return { status: 422, body: toJson(toSluiceError(error)) };
    }
  }
}

function toFilter(query: URLSearchParams): CallFilter {
  const system = query.get("system");
  return {
    since: Number(query.get("since") ?? 0),
    ...(system !== null && { system: system as NonNullable<CallFilter["system"]> }),
  };
}

function toRecorded(call: IncomingCall, reply: Reply, fault: string | null): SandboxCall {
  const { number, at, system, method, path, idempotencyKey } = call;
  const response: Json = reply.body;
  return {
    number,
    at: at.toISOString(),
    system,
    method,
    path,
    ...withoutCredentials(call),
    idempotencyKey,
    status: reply.delivery === "reset" ? null : reply.status,
    response,
    fault,
    effect: reply.effect ?? null,
  };
}
