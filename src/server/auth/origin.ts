import type { Context } from "hono";
import { SluiceError } from "../../core/index.ts";

/**
 * Refuses a request that another site's page makes a browser send (CSRF). Every current browser puts `Origin` on a
 * request that may change something; `Sec-Fetch-Site` also tells our own page from that of another port of this host.
 *
 * A request with neither comes from a program. It passes unless it has a session cookie, which only browsers have.
 *
 * @throws ORIGIN_NOT_ALLOWED
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function checkOrigin(context: Context, hasCookie: boolean): void {
  const site = context.req.header("sec-fetch-site");
  const origin = context.req.header("origin");
  const known = site !== undefined || origin !== undefined;
  const fits = (site ?? "same-origin") === "same-origin" && (origin === undefined || isOwn(origin, context));
  if (known ? fits : !hasCookie) return;
  throw new SluiceError("ORIGIN_NOT_ALLOWED", {
    message: "the request was not made by a page of this server",
    hint: "Programs use an API key: Authorization: Bearer sk_... A proxy in front must pass the Host header on.",
  });
}

/** The scheme is not compared: behind a proxy that ends TLS, this server cannot know it. The host guard has checked Host. */
function isOwn(origin: string, context: Context): boolean {
  const host = context.req.header("host") ?? new URL(context.req.url).host;
  return origin === `https://${host}` || origin === `http://${host}`;
}
