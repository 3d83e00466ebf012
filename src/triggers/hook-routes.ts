import { Hono } from "hono";
import { isRecord, parseSchema, SluiceError, toSluiceError, type Json, type WebhookTrigger } from "../core/index.ts";
import { readBody, readBodyType, type BodyType } from "./body.ts";
import { headerIdentity } from "./delivery-identity.ts";
import type { AcceptedDelivery, FinishedRun, Hook, HookPorts } from "./hook-ports.ts";
import { parseForm, parseJson } from "./payload.ts";
import { toProblem } from "./problem.ts";
import { toRawRequest, type RawRequest } from "./raw-request.ts";
import type { DeliveryIdentity, Scheme } from "./scheme.ts";
import { schemeOf, sha256Hex } from "./schemes.ts";
import { createVerifier, type VerifiableRequest } from "./verifier.ts";

/** What is worked out once for each hook. */
interface Endpoint {
  readonly flow: string;
  readonly trigger: WebhookTrigger;
  /** Null for a hook that takes unsigned deliveries. */
  readonly scheme: Scheme | null;
  readonly verify: ((request: VerifiableRequest) => Promise<void>) | null;
  /** The signed address without query; null where the scheme does not sign it. */
  readonly address: string | null;
  /** Headers of which a second copy would leave open which one was checked and which one was used. */
  readonly singleHeaders: readonly string[];
}

/**
 * Serves `POST /hooks/{path}`: from the raw request to an acknowledged, committed event.
 *
 * Checks in this order, each with its own error code: hook known, method, `wait`, content type and encoding, size,
 * repeated headers, signature over the raw body, delivery id, JSON, schema. Then the event is committed, and only then
 * answered: 202 `{ runId, duplicate: false }`, or 200 with `duplicate: true` and the first delivery's run.
 * `?wait=SECONDS` (1..60) adds `status` and `output`, or `error`, with 200 when the run ends in time.
 *
 * Mount it at the root: the paths begin with `/hooks/`. A signed Slack `url_verification` is answered with its challenge, and starts nothing.
 * An error that is no SluiceError is counted as INTERNAL and left to the `onError` of the application that mounts this.
 *
 * @throws FLOW_INVALID when two hooks share a path; CONFIG_INVALID when a scheme signs the address and none is known.
 */
export function createHookRoutes(hooks: readonly Hook[], ports: HookPorts): Hono {
  const endpoints = new Map<string, Endpoint>();
  for (const hook of hooks) {
    const { path } = hook.trigger;
    const taken = endpoints.get(path);
    if (taken) {
      throw new SluiceError("FLOW_INVALID", {
        message: `flows ${taken.flow} and ${hook.flow.name} both have the webhook path "${path}"`,
        hint: "Give each hook a path of its own.",
      });
    }
    endpoints.set(path, toEndpoint(hook, ports));
  }
  return new Hono().all("/hooks/*", async (context) => {
    const request = toRawRequest(context);
    const endpoint = endpoints.get(request.path.slice("/hooks/".length));
    try {
      return await serve(endpoint, request, ports);
    } catch (thrown) {
      const error = toSluiceError(thrown);
      ports.countRefusal({ path: endpoint?.trigger.path ?? "(unknown)", code: error.code });
      if (!(thrown instanceof SluiceError)) throw thrown;
      return toProblem(error, error.code === "METHOD_NOT_ALLOWED" ? { allow: "POST" } : {});
    }
  });
}

function toEndpoint({ flow, trigger }: Hook, ports: HookPorts): Endpoint {
  const { verify, path } = trigger;
  const common = { flow: flow.name, trigger };
  const bodyHeaders = ["content-type", "content-encoding"];
  if ("allowUnsigned" in verify) {
    return { ...common, scheme: null, verify: null, address: null, singleHeaders: bodyHeaders };
  }
  const scheme = schemeOf(verify);
  const address = verify.publicUrl ?? (ports.publicUrl && `${ports.publicUrl.replace(/\/+$/, "")}/hooks/${path}`);
  if (scheme.signsUrl && !address) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `hook "${path}" cannot be checked: scheme ${verify.scheme} signs the address, and no public address is known`,
      hint: "Set SLUICE_PUBLIC_URL, or publicUrl in the hook's signature.",
    });
  }
  return {
    ...common,
    scheme,
    verify: createVerifier(verify, ports),
    address: scheme.signsUrl ? address : null,
    singleHeaders: [scheme.signatureHeader, scheme.timestampHeader, ...scheme.idHeaders, ...bodyHeaders].filter(
      (name) => name !== undefined,
    ),
  };
}

async function serve(endpoint: Endpoint | undefined, request: RawRequest, ports: HookPorts): Promise<Response> {
  if (!endpoint) {
    throw new SluiceError("HOOK_UNKNOWN", {
      message: "no hook has this path",
      hint: "Compare the address with the hooks listed at start. Paths end without a slash.",
    });
  }
  if (request.method !== "POST") {
    throw new SluiceError("METHOD_NOT_ALLOWED", {
      message: "hooks take POST only",
      hint: "Send the delivery with POST.",
    });
  }
  const waitMs = readWait(request.search);
  const type = readBodyType(request.header("content-type"));
  const body = await readBody(request);
  const identity = await authenticate(endpoint, request, body, type);
  const received = type === "json" ? parseJson(body) : parseForm(body);
  const challenge = slackChallenge(endpoint, received);
  if (challenge !== null) return answer(200, { challenge });
  const digest = sha256Hex(body);
  const accepted = await commit(ports, {
    flow: endpoint.flow,
    path: endpoint.trigger.path,
    ...(identity ?? endpoint.scheme?.identify?.(received) ?? { deliveryId: null, dedupKey: `body:${digest}` }),
    payload: await validate(endpoint, received),
    bodyDigest: `sha256:${digest}`,
    receivedAt: ports.now(),
  });
  const run = waitMs === null ? null : await ports.waitForRun(accepted.runId, waitMs, request.signal());
  return run ? answer(200, { ...accepted, ...toOutcome(run) }) : answer(accepted.duplicate ? 200 : 202, accepted);
}

/** Checks who sent the body, and gives the delivery's identity when a header has it. */
async function authenticate(
  endpoint: Endpoint,
  request: RawRequest,
  body: Buffer,
  type: BodyType,
): Promise<DeliveryIdentity | null> {
  const repeated = request.findRepeated(endpoint.singleHeaders);
  if (repeated !== undefined) {
    throw new SluiceError("HEADER_DUPLICATED", {
      message: `the request has more than one ${repeated} header`,
      hint: "Send each header once; look at what the proxies on the way add.",
    });
  }
  if (!endpoint.scheme || !endpoint.verify) return null;
  await endpoint.verify({
    method: request.method,
    url: endpoint.address === null ? null : endpoint.address + request.search,
    body,
    isForm: type === "form",
    header: request.header,
  });
  return headerIdentity(endpoint.scheme, request);
}

/** The payload is stored as it came, so that nothing of the event is lost; the run gives the flow what the schema makes of it. */
async function validate({ trigger }: Endpoint, received: Json): Promise<Json> {
  await parseSchema(trigger.payload, received, {
    code: "PAYLOAD_INVALID",
    what: `the payload of hook "${trigger.path}"`,
    hint: "Compare the fields named in issues with what the hook takes.",
  });
  return received;
}

async function commit(ports: HookPorts, delivery: AcceptedDelivery): ReturnType<HookPorts["accept"]> {
  try {
    const { runId, duplicate } = await ports.accept(delivery);
    return { runId, duplicate };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError("DATABASE_UNAVAILABLE", {
      message: "the delivery could not be stored",
      hint: "Send it again later; nothing was accepted.",
      cause: error,
    });
  }
}

/** Slack sends this once, when the address is entered. @see https://docs.slack.dev/reference/events/url_verification */
function slackChallenge({ trigger }: Endpoint, received: Json): string | null {
  if (!("scheme" in trigger.verify) || trigger.verify.scheme !== "slack" || !isRecord(received)) return null;
  const { type, challenge } = received;
  return type === "url_verification" && typeof challenge === "string" ? challenge : null;
}

function readWait(search: string): number | null {
  if (search === "") return null;
  const given = new URLSearchParams(search).getAll("wait");
  if (given.length === 0) return null;
  const [text = ""] = given;
  const seconds = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (given.length === 1 && seconds >= 1 && seconds <= 60) return seconds * 1000;
  throw new SluiceError("REQUEST_INVALID", {
    message: "wait is not a whole number of seconds from 1 to 60",
    hint: "Write ?wait=10, or leave it out.",
  });
}

/** The delivery was accepted whatever became of the run, so a failed run is no HTTP error. */
function toOutcome({ status, output, error }: FinishedRun): { [field: string]: Json } {
  if (!isRecord(error)) return { status, output };
  return { status, error: { code: error["code"] as Json, message: error["message"] as Json } };
}

function answer(status: number, content: object): Response {
  return new Response(JSON.stringify(content), { status, headers: { "content-type": "application/json" } });
}
