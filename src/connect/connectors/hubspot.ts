import { z } from "zod";
import { isRecord, type Json, type SecretReference, SluiceError } from "../../core/index.ts";
import {
  type ActionContext,
  defineAction,
  defineConnection,
  type DescribedConnection,
  readJson,
  readRetryAfterMs,
  toVendorError,
} from "../index.ts";

/** A person who may buy. Fields beyond these are ignored. */
export interface HubspotLead {
  /** Full name; the first word becomes the first name. */
  readonly name: string;
  /** What the contact is found by. */
  readonly email: string;
  readonly company?: string | undefined;
  readonly message?: string | undefined;
  readonly score: number;
  /** Without semicolons, which is how HubSpot separates them. */
  readonly tags: readonly string[];
}

/** The contact of a lead. */
export interface HubspotLeadResult {
  readonly contactId: string;
  /** Whether this attempt made the contact; false when it was there and was updated, also by a repeat after a lost answer. */
  readonly created: boolean;
}

/** An account of HubSpot. Each function is a durable step of the run that calls it. */
export interface HubspotConnection extends DescribedConnection {
  /**
   * Creates the contact of a lead, or updates the one with the same e-mail address; so a repeat doubles nothing. Score and tags go
   * into properties, which are created in HubSpot when missing.
   *
   * @throws ACTION_REJECTED with HubSpot's code in `details.vendorCode`, such as `INVALID_EMAIL`; and as every action.
   */
  readonly createLead: (lead: HubspotLead) => Promise<HubspotLeadResult>;
}

/** What {@link hubspotConnection} takes. */
export interface HubspotConnectionOptions {
  /** Default: `hubspot`. */
  readonly name?: string;
  /**
   * Access token of a private app. Scopes: `crm.objects.contacts.read`, `crm.objects.contacts.write`, and for creating missing
   * properties `crm.schemas.contacts.write`.
   */
  readonly token: SecretReference;
  /** Internal names of the contact's properties for score and tags. Default: `sluice_score`, `sluice_tags`. */
  readonly properties?: { readonly score?: string; readonly tags?: string };
}

/** HubSpot says of its daily limit only that it ends at midnight of the account's time zone. */
const dailyLimitWaitMs = 3_600_000;

const contacts = "crm/v3/objects/contacts";

const leadSchema = z.object({
  name: z.string().min(1).max(500),
  email: z.email(),
  company: z.string().max(1000).optional(),
  message: z.string().max(60_000).optional(),
  score: z.number(),
  tags: z.array(z.string().regex(/^[^;]{1,100}$/)).max(50),
});

/** The two properties that HubSpot does not have by itself. */
type PropertyNames = Required<NonNullable<HubspotConnectionOptions["properties"]>>;

/**
 * Declares an account of HubSpot.
 *
 * @throws CONFIG_INVALID when the name is not usable.
 *
 * @example
 * export const crm = hubspotConnection({ token: secret("HUBSPOT_TOKEN") });
 * await crm.createLead({ ...lead, score: 87, tags: ["sales", "high"] });
 */
export function hubspotConnection(options: HubspotConnectionOptions): HubspotConnection {
  const names: PropertyNames = { score: "sluice_score", tags: "sluice_tags", ...options.properties };
  const createLead = defineAction<HubspotLead, HubspotLeadResult>({
    description:
      "Creates the contact of a lead with its score and tags, or updates the one with the same e-mail address.",
    effect: "write",
    idempotency: "lookup",
    input: leadSchema,
    output: z.object({ contactId: z.string().min(1), created: z.boolean() }),
    perform: (context, lead) => saveLead(context, names, lead),
  });
  return defineConnection({
    name: options.name ?? "hubspot",
    connector: "hubspot",
    baseUrl: "https://api.hubapi.com/",
    secrets: { token: options.token },
    actions: { createLead },
  });
}

async function saveLead(context: ActionContext, names: PropertyNames, lead: HubspotLead): Promise<HubspotLeadResult> {
  const byEmail = `${contacts}/${encodeURIComponent(lead.email)}?idProperty=email`;
  const found = await call(context, { method: "GET", path: byEmail });
  if (!found.ok && found.status !== 404) throw found.error;
  const properties = toProperties(names, lead);
  if (found.ok) return saved(await write(context, names, "PATCH", `${contacts}/${idOf(found)}`, properties), false);
  const created = await write(context, names, "POST", contacts, properties);
  // Another run made the contact between our look and our write.
  if (created.status === 409) return saved(await write(context, names, "PATCH", byEmail, properties), false);
  return saved(created, true);
}

function saved(answer: Answer, created: boolean): HubspotLeadResult {
  if (!answer.ok) throw answer.error;
  return { contactId: idOf(answer), created };
}

function toProperties(names: PropertyNames, lead: HubspotLead): { [name: string]: string } {
  const [first = "", ...rest] = lead.name.trim().split(/\s+/);
  return {
    email: lead.email,
    firstname: first,
    ...(rest.length > 0 && { lastname: rest.join(" ") }),
    ...(lead.company !== undefined && { company: lead.company }),
    ...(lead.message !== undefined && { message: lead.message }),
    [names.score]: String(lead.score),
    [names.tags]: lead.tags.join(";"),
  };
}

/** Writes a contact; where a property of ours is missing, creates it and writes again. */
async function write(
  context: ActionContext,
  names: PropertyNames,
  method: "POST" | "PATCH",
  path: string,
  properties: { readonly [name: string]: string },
): Promise<Answer> {
  const send = (): Promise<Answer> =>
    call(context, { method, path, body: { properties }, key: context.idempotencyKey });
  const answer = await send();
  if (answer.ok || answer.problem?.code !== "PROPERTY_DOESNT_EXIST") return answer;
  await createProperty(context, names.score, { label: "Sluice score", type: "number", fieldType: "number" });
  // Plain text, because a list of choices would refuse every tag that it does not know yet.
  await createProperty(context, names.tags, { label: "Sluice tags", type: "string", fieldType: "text" });
  return send();
}

async function createProperty(
  context: ActionContext,
  name: string,
  definition: { readonly label: string; readonly type: string; readonly fieldType: string },
): Promise<void> {
  const body = { name, groupName: "contactinformation", ...definition };
  const answer = await call(context, { method: "POST", path: "crm/v3/properties/contacts", body });
  if (!answer.ok && answer.status !== 409) throw answer.error;
}

/** An answer of HubSpot. */
type Answer =
  | { readonly ok: true; readonly status: number; readonly body: Record<string, unknown> }
  | { readonly ok: false; readonly status: number; readonly problem: Problem | undefined; readonly error: SluiceError };

/** What HubSpot says is wrong, in its own codes and names; nothing of the values. */
interface Problem {
  readonly code: string;
  readonly property?: string | undefined;
}

interface Call {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: Json;
  readonly key?: string;
}

async function call(context: ActionContext, { method, path, body, key }: Call): Promise<Answer> {
  const response = await context.fetch(new URL(path, context.baseUrl), {
    method,
    headers: {
      authorization: `Bearer ${context.secret("token").reveal()}`,
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(key !== undefined && { "idempotency-key": key }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const { status } = response;
  if (response.ok) return { ok: true, status, body: asRecord(await readJson(context.what, response)) };
  // A gateway's page in place of HubSpot's JSON is still a refusal with this status.
  const refusal = asRecord(await response.json().catch(() => undefined));
  const problem = problemOf(refusal);
  return { ok: false, status, problem, error: toError(context, response, refusal, problem) };
}

function toError(
  context: ActionContext,
  response: Response,
  refusal: Record<string, unknown>,
  problem: Problem | undefined,
): SluiceError {
  const { policyName, correlationId } = refusal;
  const daily = policyName === "DAILY" && !response.headers.has("retry-after");
  return toVendorError({
    what: context.what,
    status: response.status,
    headers: response.headers,
    vendorCode: problem?.code ?? plain(policyName) ?? plain(refusal["category"]),
    // The interval header describes the short limit; waiting that long does not help against the daily one.
    retryAfterMs: daily ? dailyLimitWaitMs : readRetryAfterMs(response.headers, Date.now()),
    details: {
      ...(problem?.property !== undefined && { property: problem.property }),
      ...(typeof correlationId === "string" && { correlationId: correlationId.slice(0, 64) }),
    },
  });
}

/**
 * Reads which property was refused. HubSpot writes it as JSON within the message; its newer answers have `errors` with a context.
 *
 * @see https://developers.hubspot.com/docs/api-reference/error-handling
 */
function problemOf(refusal: Record<string, unknown>): Problem | undefined {
  const text = JSON.stringify([refusal["message"], refusal["errors"]]).replaceAll("\\", "");
  const code = /"(?:error|code)":\s*"([A-Z_]{3,60})"/.exec(text)?.[1];
  const property = /"(?:name|propertyName)":\s*\[?"([a-z0-9_]{1,100})"/.exec(text)?.[1];
  return code === undefined ? undefined : { code, property };
}

/** A code in HubSpot's shape; undefined for anything that could quote a value. */
function plain(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Z_]{1,60}$/.test(value) ? value : undefined;
}

function idOf(answer: { readonly body: Record<string, unknown> }): string {
  return typeof answer.body["id"] === "string" ? answer.body["id"] : "";
}

function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
