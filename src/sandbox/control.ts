import { SluiceError, isRecord, toJson, toSluiceError, type Json } from "../core/index.ts";
import { bearerToken, type IncomingCall, type Reply, type SandboxCall, type SandboxSystem } from "./exchange.ts";
import type { FaultRule } from "./fault-plan.ts";
import type { ModelLimits } from "./model-limits.ts";
import { readCalls } from "./record.ts";
import type { HubspotContact, SlackMessage } from "./state.ts";

/** Which calls to give. */
export interface CallFilter {
  readonly system?: SandboxSystem;
  /** Only calls with a greater number. Default: 0. */
  readonly since?: number;
}

/** What a sandbox can be asked and told. The process that started it does so over IPC, any other over HTTP. */
export interface Control {
  slackMessages(): readonly SlackMessage[];
  hubspotContacts(): readonly HubspotContact[];
  /** @throws CONFIG_INVALID when a rule names a system or kind that does not exist. */
  setFaults(rules: readonly FaultRule[]): void;
  /** @throws CONFIG_INVALID for a limit that is unknown or no whole number from 1. */
  setLimits(limits: ModelLimits): void;
}

/** Gives the recorded calls of a folder that pass a filter. @throws CONFIG_INVALID when the record is damaged. */
export async function readFilteredCalls(folder: string, filter: CallFilter = {}): Promise<readonly SandboxCall[]> {
  const { system, since = 0 } = filter;
  const calls = await readCalls(folder);
  return calls.filter((call) => call.number > since && (system === undefined || call.system === system));
}

/** What counts of a request to the control interface. */
type ControlCall = Pick<IncomingCall, "method" | "resource" | "query" | "headers" | "body">;

/** What the control interface works with. */
interface ControlParts {
  readonly control: Control;
  readonly folder: string;
  readonly controlToken: string;
}

/** Answers a request below `/_sandbox/`, which must carry the control token as bearer. */
export async function answerControl(
  call: ControlCall,
  { control, folder, controlToken }: ControlParts,
): Promise<Reply> {
  const commands = new Map<string, () => unknown>([
    ["GET /_sandbox/calls", () => readFilteredCalls(folder, toFilter(call.query))],
    ["GET /_sandbox/slack/messages", () => control.slackMessages()],
    ["GET /_sandbox/hubspot/contacts", () => control.hubspotContacts()],
    ["PUT /_sandbox/faults", () => control.setFaults(toFaultRules(call.body))],
    ["PUT /_sandbox/limits", () => control.setLimits(toLimits(call.body))],
  ]);
  const command = commands.get(`${call.method} ${call.resource}`);
  if (command === undefined) return { status: 404, body: { message: "nothing is here" } };
  if (bearerToken(call) !== controlToken) return { status: 401, body: { message: "the control token is wrong" } };
  try {
    return { status: 200, body: toJson(await command()) };
  } catch (error) {
    const failure = toSluiceError(error);
    return { status: failure.status, body: toJson(failure) };
  }
}

function toFilter(query: URLSearchParams): CallFilter {
  const system = query.get("system") as SandboxSystem | null;
  return { since: Number(query.get("since") ?? 0), ...(system !== null && { system }) };
}

function toFaultRules(body: Json): readonly FaultRule[] {
  if (Array.isArray(body) && body.every(isRecord)) return body as unknown as readonly FaultRule[];
  throw new SluiceError("CONFIG_INVALID", {
    message: "fault rules are not a list of objects",
    hint: 'Send JSON such as [{"system":"slack","kind":"ratelimited","times":3}].',
  });
}

function toLimits(body: Json): ModelLimits {
  if (isRecord(body)) return body;
  throw new SluiceError("CONFIG_INVALID", {
    message: "limits are not an object",
    hint: 'Send JSON such as {"requestsPerMinute":60}.',
  });
}
