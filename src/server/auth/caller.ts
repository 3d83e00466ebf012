import type { Context } from "hono";
import { SluiceError } from "../../core/index.ts";
import type { Role, Workspace } from "../../store/index.ts";
import type { Sessions } from "./sessions.ts";
import { digestOfToken } from "./token.ts";

/** Who makes a request: a person by session, or a program by API key. */
export interface Caller {
  /** Of the user or of the key. */
  readonly id: string;
  readonly name: string;
  /** Empty for a key. */
  readonly email: string;
  readonly role: Role;
}

/** Groups of roles, as routes ask for them. */
export type Access = "anyone" | "read" | "act" | "keys" | "audit" | "erase";

const permitted: { readonly [Group in Exclude<Access, "anyone">]: ReadonlySet<Role> } = {
  read: new Set(["admin", "builder", "operator", "approver", "auditor", "viewer"]),
  act: new Set(["admin", "builder", "operator"]),
  keys: new Set(["admin"]),
  audit: new Set(["admin", "auditor"]),
  erase: new Set(["admin"]),
};

/** What all API keys begin with, so that people and secret scanners know one when they see it. */
export const apiKeyPrefix = "sk_";

/**
 * Finds out who makes a request. An `Authorization` header counts alone: a wrong key does not fall back to a cookie.
 *
 * @returns null when nobody known does.
 */
export async function findCaller(context: Context, identities: Identities): Promise<Caller | null> {
  const authorization = context.req.header("authorization");
  if (authorization === undefined) return identities.sessions.find(context);
  const [, key] = /^bearer (sk_[\w-]{43})$/i.exec(authorization) ?? [];
  const found = key === undefined ? null : await identities.apiKeys.use(digestOfToken(key));
  return found && { id: found.id, name: found.name, email: "", role: found.role };
}

/** Where callers are looked up. */
export interface Identities {
  readonly sessions: Sessions;
  readonly apiKeys: Workspace["apiKeys"];
}

/**
 * Lets a caller through to a route of a group.
 *
 * @throws UNAUTHENTICATED for nobody known; FORBIDDEN for a role that is not in the group.
 */
export function authorize(caller: Caller | null, access: Access): void {
  if (access === "anyone") return;
  if (!caller) throw unauthenticated();
  if (permitted[access].has(caller.role)) return;
  throw new SluiceError("FORBIDDEN", {
    message: `role ${caller.role} may not do this`,
    hint: `It takes one of these roles: ${[...permitted[access]].join(", ")}.`,
  });
}

/** What is answered to nobody known. */
export function unauthenticated(): SluiceError {
  return new SluiceError("UNAUTHENTICATED", {
    message: "the request comes from nobody this server knows",
    hint: "Sign in on the dashboard, or send an API key: Authorization: Bearer sk_...",
  });
}
