import type { MiddlewareHandler } from "hono";
import { SluiceError } from "../core/index.ts";

const loopback = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Refuses requests that were addressed to another host name. A page of an attacker can point its own name at 127.0.0.1
 * (DNS rebinding) and is then of one origin with us, but it cannot change the `Host` that the browser sends.
 *
 * @throws HOST_NOT_ALLOWED
 */
export function createHostGuard(allowedHosts: readonly string[], publicUrl: string): MiddlewareHandler {
  const allowed = new Set(
    [...loopback, new URL(publicUrl).hostname, ...allowedHosts].map((host) => host.toLowerCase()),
  );
  let lastAllowed: string | undefined;
  return (context, next) => {
    const header = context.req.header("host") ?? new URL(context.req.url).host;
    if (header === lastAllowed) return next();
    const host = parseHost(header);
    if (host === null || !(allowed.has(host.name) || allowed.has(host.nameAndPort))) {
      throw new SluiceError("HOST_NOT_ALLOWED", {
        message: "the request was addressed to a host name that this server does not answer to",
        hint: "Use localhost or the public address, or add the name to the allowed hosts of the configuration.",
      });
    }
    // A sender names us the same way each time.
    lastAllowed = header;
    return next();
  };
}

function parseHost(header: string): { name: string; nameAndPort: string } | null {
  // Names, IPv4, and IPv6 in brackets, each with an optional port. Anything else is no Host header.
  const match = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.exec(header.toLowerCase());
  return match?.[1] === undefined ? null : { name: match[1], nameAndPort: match[0] };
}
