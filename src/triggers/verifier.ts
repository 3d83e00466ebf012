import { SluiceError, toMs, type SecretReference, type SignatureCheck } from "../core/index.ts";
import type { Claim, Matcher, Scheme, SignedRequest } from "./scheme.ts";
import { schemeOf } from "./schemes.ts";

/** How far a sender's clock may be off when the check does not say. Standard Webhooks, Slack, Stripe and HubSpot agree on it. */
const defaultTolerance = "300s";

/** Looks up a secret. @throws SECRET_MISSING when there is none of the name. */
export type ResolveSecret = (reference: SecretReference) => string | Promise<string>;

/** A request whose signature is to be checked. */
export interface VerifiableRequest extends SignedRequest {
  readonly header: (name: string) => string | undefined;
}

/**
 * Makes the check of one hook.
 *
 * The returned function resolves when one of the live secrets made the signature, else it rejects:
 * SIGNATURE_MISSING, SIGNATURE_INVALID, SIGNATURE_EXPIRED; SECRET_MISSING when no usable secret matches and at least one
 * could not be used (or the retryable error with which it could not be looked up). Secrets are looked up for every request, so that a rotation needs no restart; what is derived from
 * a value is kept until the value changes.
 */
export function createVerifier(
  check: SignatureCheck,
  ports: { readonly resolveSecret: ResolveSecret; now(): Date },
): (request: VerifiableRequest) => Promise<void> {
  const scheme = schemeOf(check);
  const toleranceSeconds = Math.floor(toMs(check.tolerance ?? defaultTolerance) / 1000);
  const matchers = check.secrets.map((reference) => createMatcher(scheme, reference, ports.resolveSecret));
  return async (request) => {
    const claim = readClaim(scheme, request);
    checkTime(scheme, claim, ports.now(), toleranceSeconds);
    let problem: SluiceError | undefined;
    for (const matcherOf of matchers) {
      const matcher = await matcherOf().catch(secretProblem);
      if (matcher instanceof SluiceError) problem = matcher;
      else if (matcher(claim, request)) return;
    }
    // Made here and not before: an error takes its stack along, a tenth of the time that a delivery costs.
    throw problem ?? invalid("no live secret of this hook made the signature");
  };
}

/**
 * Looks up every secret of a check and tries whether its scheme can use it, so that a bad one is found at start and not
 * at the first delivery.
 *
 * @throws SECRET_MISSING or CONFIG_INVALID, naming the secret.
 */
export async function checkSecrets(check: SignatureCheck, resolveSecret: ResolveSecret): Promise<void> {
  for (const reference of check.secrets) {
    const value = await resolveSecret(reference);
    try {
      schemeOf(check).prepare(value);
    } catch (error) {
      throw new SluiceError("CONFIG_INVALID", {
        message: `secret "${reference.secret}" of scheme ${check.scheme}: ${error instanceof Error ? error.message : "unusable"}`,
        hint: "Copy the secret again from the sender's settings page.",
        cause: error,
      });
    }
  }
}

/** Derives a secret's matcher once for each value that the secret takes. */
function createMatcher(
  scheme: Scheme,
  reference: SecretReference,
  resolveSecret: ResolveSecret,
): () => Promise<Matcher> {
  let known: { readonly value: string; readonly matcher: Matcher } | undefined;
  return async () => {
    const value = await resolveSecret(reference);
    if (known?.value !== value) known = { value, matcher: scheme.prepare(value) };
    return known.matcher;
  };
}

function readClaim(scheme: Scheme, request: VerifiableRequest): Claim {
  const required = (name: string): string => {
    const value = request.header(name);
    if (value) return value;
    throw new SluiceError("SIGNATURE_MISSING", {
      message: `the request has no ${name} header`,
      hint: "Switch signing on at the sender, with the secret that this hook is configured with.",
    });
  };
  const { signatures, timestamp } = scheme.format.read(required(scheme.signatureHeader));
  const [idHeader] = scheme.idHeaders;
  return {
    signatures,
    timestamp: scheme.timestampHeader === undefined ? timestamp : required(scheme.timestampHeader),
    id: scheme.signsId && idHeader !== undefined ? required(idHeader) : undefined,
  };
}

function checkTime(scheme: Scheme, claim: Claim, now: Date, toleranceSeconds: number): void {
  if (!scheme.clock) return;
  const sentAtMs = scheme.clock.toMs(claim.timestamp ?? "");
  if (sentAtMs === null) throw invalid("the timestamp is not one that the scheme writes");
  // Whole seconds, because most schemes have no finer ones.
  const offSeconds = Math.abs(Math.floor(now.getTime() / 1000) - Math.floor(sentAtMs / 1000));
  if (offSeconds <= toleranceSeconds) return;
  throw new SluiceError("SIGNATURE_EXPIRED", {
    message: `the timestamp is ${offSeconds} s away from this machine's clock; ${toleranceSeconds} s are allowed`,
    hint: "Check both clocks. A retry must be signed anew.",
  });
}

function invalid(problem: string): SluiceError {
  return new SluiceError("SIGNATURE_INVALID", {
    message: problem,
    hint: "Check that the sender has this hook's secret, and that nothing on the way rewrites the body.",
  });
}

/** Anybody can cause this answer, so it does not say which secret. A secret store that is away stays what it is: try later. */
function secretProblem(cause: unknown): SluiceError {
  if (cause instanceof SluiceError && cause.retryable) return cause;
  return new SluiceError("SECRET_MISSING", {
    message: "a secret of this hook is missing or unusable, and no other one made the signature",
    hint: "The operator finds out which with: sluice doctor",
    cause,
  });
}
