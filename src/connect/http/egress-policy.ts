import { isIP } from "node:net";
import { SluiceError } from "../../core/index.ts";
import { kindOfAddress } from "./network-address.ts";

/** Where requests may go. */
export interface EgressPolicy {
  /** Origins that may be reached although they are on this machine or in a private network. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** When set, nothing but these origins is reached. */
  readonly onlyOrigins: ReadonlySet<string> | null;
  /** Ports of all other origins. */
  readonly ports: ReadonlySet<number>;
}

/** The part of the options of guarded fetch that says where requests may go. */
export interface EgressPolicyOptions {
  readonly allowedOrigins?: readonly string[];
  readonly onlyOrigins?: readonly string[];
  readonly ports?: readonly number[];
}

/** @throws CONFIG_INVALID when an origin is not `http://host[:port]` or `https://host[:port]`. */
export function createEgressPolicy(options: EgressPolicyOptions): EgressPolicy {
  return {
    allowedOrigins: new Set((options.allowedOrigins ?? []).map(toOrigin)),
    onlyOrigins: options.onlyOrigins === undefined ? null : new Set(options.onlyOrigins.map(toOrigin)),
    ports: new Set(options.ports ?? [80, 443]),
  };
}

/** Reads the address of a request. @throws EGRESS_REFUSED when it is no absolute address. */
export function parseTarget(address: string | URL, base?: URL): URL {
  const url = URL.parse(String(address), base?.href);
  if (url !== null) return url;
  throw refusal("(unreadable)", "it is not an absolute address", "Give the whole address, such as https://host/path.");
}

/**
 * Checks an address before anything is looked up or opened. URL parsing has already turned the decimal, octal and
 * hexadecimal forms of IPv4 addresses, full-width digits and dots into plain ones.
 *
 * @throws EGRESS_REFUSED
 */
export function checkTarget(policy: EgressPolicy, url: URL): void {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refusal(url.protocol, "only http and https are spoken", "Use an address that starts with https://.");
  }
  if (url.username !== "" || url.password !== "") {
    throw refusal(url.host, "the address holds a user name or password", "Put credentials into a header.");
  }
  const { origin } = url;
  if (policy.onlyOrigins !== null && !policy.onlyOrigins.has(origin)) {
    throw refusal(
      url.host,
      "it is not an origin of this connection",
      "Check the address and the connection's base URL.",
    );
  }
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const named = policy.allowedOrigins.has(origin) || policy.onlyOrigins?.has(origin) === true;
  if (!named && !policy.ports.has(port)) {
    throw refusal(
      url.host,
      `port ${port} is not allowed`,
      "Use port 80 or 443, or allow the origin in the configuration.",
    );
  }
  const host = bareHost(url.hostname);
  if (isIP(host) !== 0) checkAddress(policy, origin, host);
}

/**
 * Checks an address that a socket is about to be opened to, or was opened to.
 *
 * @throws EGRESS_REFUSED when it is neither public nor, for an allowed origin, private.
 */
export function checkAddress(policy: EgressPolicy, origin: string, address: string): void {
  const kind = kindOfAddress(address);
  if (kind === "public" || (kind === "private" && policy.allowedOrigins.has(origin))) return;
  const host = new URL(origin).host;
  const reason = kind === "private" ? "it is in a private network or on this machine" : "its address is never reached";
  const hint = kind === "private" ? `If that is intended, write ${origin} into the allowed origins.` : undefined;
  throw refusal(host, reason, hint);
}

/** The error of a request that is not made. Names the host, never the path or query. */
export function refusal(host: string, reason: string, hint?: string): SluiceError {
  return new SluiceError("EGRESS_REFUSED", { message: `request to ${host} refused: ${reason}`, hint });
}

/** A URL's host name without the brackets of an IPv6 address. */
function bareHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

function toOrigin(text: string): string {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url.origin;
  throw new SluiceError("CONFIG_INVALID", {
    message: `origin ${JSON.stringify(text)} is not understood`,
    hint: "Write http or https, host and port, such as http://127.0.0.1:11434.",
  });
}
