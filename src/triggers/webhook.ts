import { SluiceError, type Json, type Schema, type SignatureCheck, type WebhookTrigger } from "../core/index.ts";
import { parseJson } from "./payload.ts";
import { findCheckProblem } from "./signatures.ts";

/** Something that knows how its sender signs, such as a connection. */
export interface SignedSource {
  readonly signature: SignatureCheck;
}

/** What {@link webhook} takes. */
export interface WebhookOptions<Payload> {
  /** One or more segments of `a-z 0-9 - _`, such as `leads` or `crm/contacts`; the hook is `POST /hooks/{path}`. */
  readonly path: string;
  /** What a delivery must look like. What it gives is stored and handed to the flow, so it must give JSON. */
  readonly payload: Schema<Payload>;
  /** Who may call. `{ allowUnsigned: true }` lets anyone in, and must be written out. */
  readonly verify: SignatureCheck | SignedSource | { readonly allowUnsigned: true };
  /** Payloads to test with, by name; the first is what "send a sample" offers. Default: none. */
  readonly samples?: { readonly [name: string]: Json };
}

/**
 * Declares a webhook as the trigger of a flow.
 *
 * @throws FLOW_INVALID when the path is not usable, nothing says who may call, or a sample does not fit the schema.
 * @example
 * webhook({ path: "leads", payload: Lead, verify: signatures.standardWebhooks(secret("LEADS_SECRET")) });
 */
export function webhook<Payload>(options: WebhookOptions<Payload>): WebhookTrigger<Payload> {
  const { path, payload, samples = {} } = options;
  if (!/^[a-z0-9_-]+(\/[a-z0-9_-]+)*$/.test(path) || path.length > 200) {
    throw new SluiceError("FLOW_INVALID", {
      message: `webhook path ${JSON.stringify(path)} is not usable`,
      hint: "Use segments of lower-case letters, digits, - and _, such as leads or crm/contacts; at most 200 characters.",
    });
  }
  const verify = readVerify(path, options.verify);
  for (const [name, sample] of Object.entries(samples)) checkSample(path, payload, name, sample);
  return { kind: "webhook", path, payload, verify, samples };
}

function readVerify(path: string, verify: unknown): WebhookTrigger["verify"] {
  // Looked at as unknown: a misspelt field or a cast must not open the hook.
  const given: Partial<SignedSource & SignatureCheck & { allowUnsigned: unknown }> = Object(verify);
  if (given.allowUnsigned === true && Object.keys(given).length === 1) return { allowUnsigned: true };
  const check = given.signature ?? given;
  if (given.allowUnsigned !== undefined || check.scheme === undefined) {
    throw invalidVerify(path, "does not say who may call");
  }
  const problem = findCheckProblem(check);
  if (problem === null) return check as SignatureCheck;
  throw invalidVerify(path, problem);
}

function invalidVerify(path: string, problem: string): SluiceError {
  return new SluiceError("FLOW_INVALID", {
    message: `webhook "${path}" ${problem}`,
    hint: 'Write verify: signatures.standardWebhooks(secret("NAME")) or another scheme; to let anyone call, write verify: { allowUnsigned: true }.',
  });
}

/** Checks a sample as a delivery would be. A schema that answers later is checked when the sample is sent. */
function checkSample(path: string, payload: Schema, name: string, sample: Json): void {
  const received = parseJson(Buffer.from(JSON.stringify(sample)));
  const result = payload["~standard"].validate(received);
  if (result instanceof Promise || result.issues === undefined) return;
  throw new SluiceError("FLOW_INVALID", {
    message: `sample "${name}" of webhook "${path}" does not fit the payload schema`,
    hint: "Change the sample or the schema, so that what is offered for testing is what real senders send.",
  });
}
