import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerAnthropic } from "./anthropic.ts";
import { BatchResults } from "./batches.ts";
import type { Brain } from "./brain.ts";
import { answerCohere } from "./cohere.ts";
import { answerControl, type Control } from "./control.ts";
import { deliver } from "./delivery.ts";
import type { AnswerEdit, IncomingCall, Reply, SandboxCall, SandboxCredentials } from "./exchange.ts";
import { FaultPlan, type FaultRule, type PlannedFault } from "./fault-plan.ts";
import { answerHubspot } from "./hubspot.ts";
import { findSystem, idempotencyKeyOf, readBody, readMessage, withoutCredentials } from "./incoming.ts";
import type { FoundSystem, IncomingMessageParts } from "./incoming.ts";
import { RateWindows, type ModelLimits } from "./model-limits.ts";
import type { ModelSettings } from "./model-settings.ts";
import { answerOpenai } from "./openai.ts";
import type { CallRecord } from "./record.ts";
import { answerSlack } from "./slack.ts";
import type { HubspotContact, SandboxState, SlackMessage } from "./state.ts";

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
  readonly limits: ModelLimits;
  readonly batchDelayMs: number;
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
  readonly #windows: RateWindows;
  readonly #results = new BatchResults();
  #plan: FaultPlan;
  #lastNumber: number;
  #origin = "";

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#plan = parts.plan;
    this.#windows = new RateWindows(parts.limits);
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

  slackMessages(): readonly SlackMessage[] {
    return this.#parts.state.messages;
  }

  hubspotContacts(): readonly HubspotContact[] {
    return [...this.#parts.state.contacts.values()];
  }

  setFaults(rules: readonly FaultRule[]): void {
    this.#plan = new FaultPlan(this.#parts.seed, rules);
  }

  setLimits(limits: ModelLimits): void {
    this.#windows.setLimits(limits);
  }

  /** An error in here is one of the sandbox itself. It ends the process: an oracle must not go on after one. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? "/", "http://sandbox");
    const found = url === null ? undefined : findSystem(url.pathname);
    const bytes = await readBody(request, found?.maxBodyBytes);
    if (bytes === undefined) return;
    if (url === null) return deliver(response, { status: 400, body: { message: "the address cannot be read" } });
    const message = await readMessage(request, bytes);
    if (found) return this.#answer(this.#toCall(message, found, url.searchParams), response);
    const control = { ...message, resource: url.pathname, query: url.searchParams };
    return deliver(response, await answerControl(control, { control: this, ...this.#parts }));
  }

  #toCall(message: IncomingMessageParts, found: FoundSystem, query: URLSearchParams): IncomingCall {
    this.#lastNumber += 1;
    const idempotencyKey = idempotencyKeyOf(found.system, message);
    return { ...message, ...found, number: this.#lastNumber, query, idempotencyKey, origin: this.#origin };
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
    if (call.bodyState === "too_large") {
      return { status: 413, body: { message: `Request body is larger than ${call.maxBodyBytes} bytes` } };
    }
    return fault ? fault.play({ call, params: fault.params, handle }) : handle();
  }

  #handle(call: IncomingCall, edit: AnswerEdit | undefined): Reply | Promise<Reply> {
    const { state, credentials } = this.#parts;
    if (call.system === "slack") return answerSlack(call, state, credentials.slackToken);
    if (call.system === "hubspot") return answerHubspot(call, state, credentials.hubspotToken);
    if (call.system === "openai") return answerOpenai(call, this.#toSettings(credentials.openaiKey, edit));
    if (call.system === "anthropic") return answerAnthropic(call, this.#toSettings(credentials.anthropicKey, edit));
    return answerCohere(call, this.#toSettings(credentials.cohereKey, edit));
  }

  #toSettings(key: string, edit: AnswerEdit | undefined): ModelSettings {
    const { state, brain, batchDelayMs } = this.#parts;
    const batches = { state, delayMs: batchDelayMs, results: this.#results };
    return { key, brain, edit, windows: this.#windows, batches };
  }
}

function toRecorded(call: IncomingCall, reply: Reply, fault: string | null): SandboxCall {
  const { number, at, system, method, path, idempotencyKey } = call;
  return {
    number,
    at: at.toISOString(),
    system,
    method,
    path,
    ...withoutCredentials(call),
    idempotencyKey,
    status: reply.delivery === "reset" ? null : reply.status,
    response: reply.recorded === undefined ? reply.body : reply.recorded,
    ...(reply.headers && { responseHeaders: reply.headers }),
    fault,
    effect: reply.effect ?? null,
  };
}
