import type { ServerResponse } from "node:http";
import type { MiddlewareHandler } from "hono";

/** Everything comes from ourselves, nothing is inline, and nobody may frame us. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

const always = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** A year, as the preload list asks. @see https://hstspreload.org */
const strictTransportSecurity = "max-age=31536000";

/**
 * The headers that every answer carries.
 *
 * @param secure whether people come by https only; then browsers are told so (HSTS). On plain http that header means nothing.
 */
export function securityHeaders(secure: boolean): { readonly [name: string]: string } {
  return secure ? { ...always, "strict-transport-security": strictTransportSecurity } : always;
}

/**
 * Puts the security headers on every answer. What says nothing about caching is not stored.
 *
 * Under the Node adapter they are set on Node's own response: what an answer says itself is written over them there, and
 * no `Headers` object has to be built for each answer, which takes longer than checking a signature.
 */
export function createHeaderWriter(secure: boolean): MiddlewareHandler {
  const headers = Object.entries({ ...securityHeaders(secure), "cache-control": "no-store" });
  return async (context, next) => {
    await next();
    const bindings = context.env as { outgoing?: ServerResponse } | undefined;
    if (bindings?.outgoing) {
      for (const [name, value] of headers) bindings.outgoing.setHeader(name, value);
      return;
    }
    const answer = context.res.headers;
    for (const [name, value] of headers) if (name !== "cache-control" || !answer.has(name)) answer.set(name, value);
  };
}
