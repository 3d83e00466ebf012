import { SluiceError, isRecord, type Json } from "../core/index.ts";
import type { SandboxSystem } from "./exchange.ts";
import type { FaultRule } from "./fault-plan.ts";
import { readCalls } from "./record.ts";
import type { HubspotContact, SlackMessage } from "./state.ts";
import type { SandboxCall } from "./exchange.ts";

/** Which calls to give. */
export interface CallFilter {
  readonly system?: SandboxSystem;
  /** Only calls with a greater number. */
  readonly since?: number;
}

/** What a sandbox can be asked and told, in its own process. */
export interface Control {
  slackMessages(): readonly SlackMessage[];
  hubspotContacts(): readonly HubspotContact[];
  /** @throws CONFIG_INVALID when a rule names a system or kind that does not exist. */
  setFaults(rules: readonly FaultRule[]): void;
}

/** A request to the control interface, as it comes over IPC. */
export interface ControlRequest {
  readonly id: number;
  readonly command: keyof Control;
  readonly rules?: readonly FaultRule[];
}

/** Reads the calls of a folder's record that pass a filter. @throws CONFIG_INVALID when the record is damaged. */
export async function readFilteredCalls(folder: string, filter: CallFilter = {}): Promise<readonly SandboxCall[]> {
  const { system, since = 0 } = filter;
  const calls = await readCalls(folder);
  return calls.filter((call) => call.number > since && (system === undefined || call.system === system));
}

/** Does what a control request asks for. */
export function obey(control: Control, request: Omit<ControlRequest, "id">): unknown {
  if (request.command !== "setFaults") return control[request.command]();
  control.setFaults(request.rules ?? []);
  return null;
}

/** Reads fault rules from JSON. @throws CONFIG_INVALID when it is no list of objects. */
export function toFaultRules(body: Json): readonly FaultRule[] {
  if (Array.isArray(body) && body.every(isRecord)) return body as unknown as readonly FaultRule[];
  throw new SluiceError("CONFIG_INVALID", {
    message: "fault rules are not a list of objects",
    hint: 'Send JSON such as [{"system":"slack","kind":"ratelimited","times":3}].',
  });
}
