import { parseTarget, refusal } from "./egress-policy.ts";

/** One request on the way to the final answer. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** What goes along to another origin. Everything else may be a credential: `authorization`, `cookie`, `x-api-key`. */
const harmlessHeaders = ["accept", "accept-language", "content-language", "content-type", "user-agent"];

/** Where an answer redirects to, or null when it does not. */
export function redirectTarget(status: number, location: string | null, from: URL): URL | null {
  return redirectStatuses.has(status) && location !== null ? parseTarget(location, from) : null;
}

/**
 * Gives the request that follows a redirect. The method changes as browsers change it; credentials stay with their origin,
 * and so does a body, because it may hold credentials or personal data.
 *
 * @throws EGRESS_REFUSED when a body would be sent to another origin.
 * @see https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
export function followRedirect(hop: Hop, status: number, url: URL): Hop {
  const becomesGet = status === 303 ? hop.method !== "HEAD" : status < 303 && hop.method === "POST";
  const method = becomesGet ? "GET" : hop.method;
  const body = becomesGet ? null : hop.body;
  const sameOrigin = url.origin === hop.url.origin;
  if (body !== null && !sameOrigin) {
    throw refusal(url.host, `${hop.url.host} redirects a request with a body to it`, "Use the final address itself.");
  }
  const headers = sameOrigin ? new Headers(hop.headers) : onlyHarmless(hop.headers);
  if (body === null) for (const name of ["content-type", "content-language"]) headers.delete(name);
  return { url, method, headers, body };
}

function onlyHarmless(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => harmlessHeaders.includes(name)));
}
