import type { Context } from "hono";
import { generateCookie, getCookie } from "hono/cookie";
import type { UserRecord, Workspace } from "../../store/index.ts";
import { createToken, digestOfToken } from "./token.ts";

/** A session unused for this long is over. */
const idleMs = 30 * 60_000;

/** A session is over this long after signing in, however busy it was. */
const longestMs = 8 * 3_600_000;

/** Sessions of people in a browser, held by a cookie. */
export interface Sessions {
  /** Starts a session and gives the `Set-Cookie` header for it. */
  start(userId: string): Promise<string>;
  /** Who the request's session belongs to, and marks it as used; null without a live one. */
  find(context: Context): Promise<UserRecord | null>;
  /** Ends the request's session, if there is one, and gives the `Set-Cookie` header that removes the cookie. */
  end(context: Context): Promise<string>;
  /** Whether the request has a session cookie, live or not. */
  isClaimed(context: Context): boolean;
}

/**
 * Sessions of one workspace.
 *
 * Behind https the cookie is `__Host-sluice`: the prefix makes browsers refuse it unless it is Secure, of this host and of
 * path `/`, so that no other host can plant one. On plain http that name cannot be used: Chromium takes Secure cookies
 * from http://localhost, but Safari and curl do not, and over a loopback connection Secure protects nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6265 and https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie
 */
export function createSessions(sessions: Workspace["sessions"], secure: boolean): Sessions {
  const name = secure ? "__Host-sluice" : "sluice_session";
  const options = { path: "/", httpOnly: true, sameSite: "Lax", secure } as const;
  const tokenOf = (context: Context): string | undefined => getCookie(context, name);
  return {
    async start(userId) {
      const token = createToken();
      const expiresAt = new Date(Date.now() + longestMs);
      await sessions.create({ tokenDigest: digestOfToken(token), userId, expiresAt });
      return generateCookie(name, token, { ...options, maxAge: longestMs / 1000 });
    },
    async find(context) {
      const token = tokenOf(context);
      return token === undefined ? null : sessions.use(digestOfToken(token), idleMs);
    },
    async end(context) {
      const token = tokenOf(context);
      if (token !== undefined) await sessions.end(digestOfToken(token));
      return generateCookie(name, "", { ...options, maxAge: 0 });
    },
    isClaimed: (context) => tokenOf(context) !== undefined,
  };
}
